import {
  type Access,
  type Arg,
  type Binding,
  buildMap,
  type Instruction,
  type MapProgram,
  type Mask,
  type Op,
  Trace,
  Value,
  valueType,
} from "@descent/backend";
import type { Runtime } from "../runtime.ts";
import type { HostPart } from "../watch.ts";
import type { KeyUse } from "./compare.ts";
import type { LaunchStep, Place, Temporary } from "./recording.ts";

/** A launch that is to be part of a larger one. */
export interface Member {
  readonly step: LaunchStep;
  readonly program: MapProgram;
  readonly keys: readonly KeyUse[];
}

/** One argument of one member. */
export interface Cell {
  readonly at: number;
  readonly place: Place;
  readonly arg: Arg;
  readonly binding: Binding;
  readonly access: Access;
  readonly reads: boolean;
  readonly writes: boolean;
}

export function cellsOf({ step, program }: Member): Cell[] {
  const read = new Set(program.body.flatMap(({ op, imm }) => (op === "load" ? [imm as number] : [])));
  return program.bindings.map((binding, at) => ({
    at,
    place: step.places[at] as Place,
    arg: step.launch.args[at] as Arg,
    binding,
    access: binding.access,
    reads: read.has(at),
    writes: binding.mode !== "read",
  }));
}

/** Elements that members have in common, one binding of the merged program. */
interface Shared {
  readonly cell: Cell;
  /** Whether it is read before any member has written it. */
  reads: boolean;
  writes: boolean;
  binding: number;
  /** What the members so far have stored. */
  value: Value | Mask | null;
}

const keyOf = (numbering: Map<Place, number>, { place, access, arg }: Cell): string => {
  if (!numbering.has(place)) numbering.set(place, numbering.size);
  return `${numbering.get(place)} ${access} ${arg.offset} ${arg.strides}`;
};

/** The numbers a launch was made from; those of one that was made without are its uniforms. */
const hostOf = ({ step: { host, launch } }: Member): HostPart =>
  host ?? { hyper: launch.uniforms, uniforms: (hyper) => hyper };

/** One launch over `shape` for all members, in order. Temporaries for which `inside` holds are not stored. */
export function mergedStep(
  runtime: Runtime,
  members: readonly Member[],
  shape: readonly number[],
  inside: (temporary: Temporary) => boolean,
): [LaunchStep, KeyUse[]] {
  const numbering = new Map<Place, number>();
  const shared = new Map<string, Shared>();
  const of = (cell: Cell): Shared => shared.get(keyOf(numbering, cell)) as Shared;
  for (const cell of members.flatMap(cellsOf)) {
    const key = keyOf(numbering, cell);
    const known = shared.get(key);
    if (!known) shared.set(key, { cell, reads: cell.reads, writes: cell.writes, binding: -1, value: null });
    else {
      known.reads ||= cell.reads && !known.writes;
      known.writes ||= cell.writes;
    }
  }
  const trace = new Trace({ kind: "map", rank: shape.length });
  const bound = [...shared.values()].filter(
    ({ cell: { place }, reads, writes }) => reads || (writes && !(place.kind === "temporary" && inside(place))),
  );
  for (const one of bound) {
    const mode = !one.writes ? "read" : one.reads ? "update" : "write";
    one.binding = trace.bind(one.cell.binding.dtype, one.cell.access, mode);
  }
  let slots = 0;
  for (const member of members) {
    const cells = cellsOf(member);
    const values = replay(trace, member.program.body, slots, (at) => {
      const one = of(cells[at] as Cell);
      return one.value ?? trace.load(one.binding);
    });
    for (const { binding, value } of member.program.stores) {
      const stored = values[value] as Value | Mask;
      const { dtype } = member.program.bindings[binding] as Binding;
      of(cells[binding] as Cell).value = stored instanceof Value ? stored.cast(valueType(dtype)) : stored;
    }
    slots += member.program.uniforms.length;
  }
  for (const { binding, value, writes } of bound) if (writes && value) trace.store(binding, value);
  const { program, uniforms } = buildMap(trace);
  const host = joined(members, uniforms);
  const step: LaunchStep = {
    kind: "launch",
    launch: {
      kernel: runtime.kernel(program),
      args: bound.map(({ cell }) => cell.arg),
      shape,
      uniforms: host.uniforms(host.hyper),
      label: members.map(({ step: { launch } }) => launch.label).join("+"),
    },
    places: bound.map(({ cell }) => cell.place),
    host,
  };
  let before = 0;
  const keys = members.flatMap((member) => {
    const own = member.keys.map(({ at, draw }) => ({ at: at + before, draw }));
    before += hostOf(member).hyper.length;
    return own;
  });
  return [step, keys];
}

/** The host part of all members: theirs one after the other, and then what the merged program makes of it. */
function joined(members: readonly Member[], finish: (hyper: readonly number[]) => readonly number[]): HostPart {
  const parts = members.map(hostOf);
  return {
    hyper: parts.flatMap(({ hyper }) => hyper),
    uniforms(hyper) {
      let from = 0;
      const numbers = parts.flatMap((part) => {
        const own = hyper.slice(from, from + part.hyper.length);
        from += own.length;
        return part.uniforms(own);
      });
      return finish(numbers);
    },
  };
}

/** Traces a finished body once more; its uniforms start at slot `slots`. */
function replay(
  trace: Trace,
  body: readonly Instruction[],
  slots: number,
  load: (binding: number) => Value | Mask,
): (Value | Mask)[] {
  const values: (Value | Mask)[] = [];
  for (const { op, type, args, imm = 0 } of body) {
    const x = args.map((arg) => values[arg] as Value | Mask);
    if (op === "load") values.push(load(imm));
    else if (op === "const") values.push(trace.constant(imm, type));
    else if (op === "index") values.push(trace.index(imm));
    else if (op === "uniform") values.push(trace.hyper(slots + imm));
    else if (op === "cast") values.push(trace.cast(x[0] as Value, type));
    else if (op === "select") values.push(trace.select(x[0] as Mask, x[1] as Value, x[2] as Value, type));
    // The type is given, so that numbers that meet only each other are rounded as they were.
    else values.push(trace.apply(op as Op, x, operandType(body, args, type)));
  }
  return values;
}

/** What the operands of an instruction are computed in: its own type, unless it compares. */
function operandType(
  body: readonly Instruction[],
  args: readonly number[],
  type: Instruction["type"],
): Instruction["type"] {
  if (type !== "mask") return type;
  const first = body[args[0] as number]?.type ?? "f32";
  return first === "mask" ? "f32" : first;
}
