import { type FoldProgram, type Reducer, type Schedule, type Stage, schedule } from "@descent/backend";
import { groupSize } from "../gpu/constants.ts";
import { dotted, unravel } from "../wgsl/address.ts";
import { declarations } from "../wgsl/body.ts";
import { Frame } from "../wgsl/frame.ts";
import { type Aliases, type Shader, shader } from "../wgsl/shader.ts";
import type { Features } from "../wgsl/storage.ts";
import { FoldElements } from "./fold-elements.ts";
import { slotsOf } from "./map.ts";
import {
  absorb,
  begin,
  functionsOf,
  gatherLanes,
  gatherSubgroups,
  isPlace,
  type Running,
  resultOf,
  sharedOf,
} from "./reducers.ts";

/** How a fold is laid over threads. */
export interface FoldForm {
  /** Threads that share a row. */
  readonly lanes: number;
  /** Whether neighbouring threads work on neighbouring rows rather than on neighbouring elements. */
  readonly columnar: boolean;
  readonly aliases: Aliases | null;
  /** Vectors of four elements that a thread loads at once; 0: elements are reached one by one. */
  readonly vectors: number;
  /** Where a row is cut into parts, which pass this shader makes; as many as there are passes: it only finishes. Null: all in one. */
  readonly pass: number | null;
}

/** Words of scratch that the folds of a program take, per row and part. */
export const scratchWords = (program: FoldProgram): number =>
  runningOf(program).reduce((sum, one) => sum + (isPlace(one) ? 2 : 1), 0);

const runningOf = ({ body }: FoldProgram): Running[] =>
  body.flatMap(({ op, args }, id) =>
    op.startsWith("fold.") ? [{ id, reducer: op.slice(5) as Reducer, type: body[args[0]!]!.type }] : [],
  );

/** Emits a fold, or one pass of it, as a shader. */
export class FoldEmitter {
  readonly frame: Frame;
  readonly plan: Schedule;
  readonly #program: FoldProgram;
  readonly #features: Features;
  readonly #form: FoldForm;
  readonly #folds: readonly Running[];
  readonly #elements: FoldElements;

  constructor(program: FoldProgram, features: Features, form: FoldForm) {
    this.#program = program;
    this.#features = features;
    this.#form = form;
    this.frame = new Frame(program);
    this.plan = schedule(program);
    this.#folds = runningOf(program);
    this.#elements = new FoldElements(program, features, this.frame, form);
  }

  emit(): Shader {
    const { frame } = this;
    const { lanes, columnar, aliases, pass } = this.#form;
    for (const name of ["rows", "width", "parts", "chunk", "share"]) frame.extra(name);
    const rows = groupSize / lanes;
    const place = columnar
      ? `let row0 = (group / ${frame.extra("share")}) * ${rows}u + t % ${rows}u; let lane = t / ${rows}u;`
      : `let row0 = (group / ${frame.extra("share")}) * ${rows}u + t / ${lanes}u; let lane = t % ${lanes}u;`;
    const bases = this.#program.bindings.flatMap(({ access }, k) =>
      access === "strided" || access === "stridedRow"
        ? [`let base${k} = ${frame.offset(k)} + ${dotted(k, this.#elements.kept, frame, "x")};`]
        : [],
    );
    const main = `${place}
let live = row0 < ${frame.extra("rows")};
let row = min(row0, ${frame.extra("rows")} - 1u);
let width = ${frame.extra("width")};
let part = group % ${frame.extra("share")};
${unravel("row", this.#elements.kept, frame, "x")}
${bases.join("\n")}
${declarations(this.#program, this.plan.before, this.#elements.places)}
${this.#passes()}`;
    const slots = slotsOf(this.#program, this.#features, aliases, this.#elements.isVector);
    return shader({
      label: pass === null ? "fold" : `fold, pass ${pass + 1}`,
      slots: pass === null ? slots : [...slots, { name: "partial", type: "u32", written: true }],
      frame,
      declarations: `${functionsOf(this.#folds)}\n${this.#elements.functions}\n${this.#shared()}`,
      main,
      f16: this.#features.f16,
      subgroups: this.#talks,
    });
  }

  /** Whether the lanes of a row lie side by side in subgroups. */
  get #talks(): boolean {
    const { lanes, columnar } = this.#form;
    return this.#features.subgroups > 0 && lanes > 1 && !columnar;
  }

  #shared(): string {
    const { lanes } = this.#form;
    if (lanes === 1) return "";
    const { subgroups } = this.#features;
    if (!this.#talks) return sharedOf(this.#folds, groupSize);
    return lanes > subgroups ? sharedOf(this.#folds, groupSize / subgroups) : "";
  }

  #passes(): string {
    const { stages } = this.plan;
    const { pass } = this.#form;
    if (pass === null) {
      const all = stages.map((stage, s) => `${this.#walk(stage, s)}\n${this.#together(stage)}\n${this.#rest(stage)}`);
      return `let first = 0u; let last = select(0u, width, live);\n${all.join("\n")}\n${this.#rowStores()}`;
    }
    const before = stages.slice(0, pass).map((stage) => `${this.#collect(stage)}\n${this.#rest(stage)}`);
    const own = stages[pass];
    if (!own) return `${before.join("\n")}\n${this.#rowStores()}`;
    return `let first = part * ${this.frame.extra("chunk")};
let last = select(0u, min(width, first + ${this.frame.extra("chunk")}), live);
${before.join("\n")}
${this.#walk(own, pass)}
${this.#together(own)}
if (lane == 0u && live) {
${this.#of(own)
  .map((one) => {
    const [value, where] = this.#partial(one, "part");
    const place = isPlace(one) ? ` partial[${where}] = p${one.id};` : "";
    return `partial[${value}] = bitcast<u32>(a${one.id});${place}`;
  })
  .join("\n")}
}`;
  }

  readonly #of = ({ folds }: Stage): Running[] => this.#folds.filter(({ id }) => folds.includes(id));

  /** Where a fold's partial results lie: its value, and its place. */
  #partial(one: Running, part: string): [string, string] {
    let slot = 0;
    for (const other of this.#folds) {
      if (other.id === one.id) break;
      slot += isPlace(other) ? 2 : 1;
    }
    const { frame } = this;
    const at = (n: number) => `(${n}u * ${frame.extra("parts")} + ${part}) * ${frame.extra("rows")} + row`;
    return [at(slot), at(slot + 1)];
  }

  /** Folds what the parts of a row gave in an earlier pass. */
  #collect(stage: Stage): string {
    const folds = this.#of(stage);
    const { lanes } = this.#form;
    const steps = folds.map((one) => {
      const [value, where] = this.#partial(one, "q");
      const place = isPlace(one) ? `partial[${where}]` : "0u";
      return `let y${one.id} = bitcast<${one.type}>(partial[${value}]);\n${absorb(one, "", `y${one.id}`, place)}`;
    });
    return `${folds.map((one) => begin(one, "")).join(" ")}
for (var q = lane; q < ${this.frame.extra("parts")}; q += ${lanes}u) {
${steps.join("\n")}
}
${this.#together(stage)}`;
  }

  #together(stage: Stage): string {
    const { lanes, columnar } = this.#form;
    const folds = this.#of(stage);
    if (folds.length === 0) return "";
    if (this.#talks) return gatherSubgroups(folds, lanes, this.#features.subgroups);
    const rows = groupSize / lanes;
    return columnar ? gatherLanes(folds, lanes, rows, `t % ${rows}u`) : gatherLanes(folds, lanes, 1, "t - lane");
  }

  /** What becomes known once a stage is over. */
  #rest(stage: Stage): string {
    const { body } = this.#program;
    const results = this.#of(stage).map((one) => `let v${one.id} = ${resultOf(one, body[one.id]!.type)};`);
    return `${results.join("\n")}\n${declarations(this.#program, stage.row, this.#elements.places)}`;
  }

  #walk(stage: Stage, s: number): string {
    const isLast = s === this.plan.stages.length - 1;
    return this.#elements.walk(stage, this.#of(stage), isLast ? this.plan.elementStores : []);
  }

  #rowStores(): string {
    const { rowStores } = this.plan;
    return rowStores.length === 0 ? "" : `if (lane == 0u && live) {\n${this.#elements.writes(rowStores)}\n}`;
  }
}
