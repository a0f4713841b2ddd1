import type { DType, ValueType } from "./dtype.ts";
import { valueType } from "./dtype.ts";
import { DescentError } from "./error.ts";
import { type Derivative, type Op, opRow } from "./ops.ts";
import type { Access, Binding, Reducer, Store, StructuralOp } from "./program.ts";
import { Mask, type Operand, Value } from "./value.ts";

/** Where a value lives: computed before the launch, once per launch or row, or per element. */
export type Level = "host" | "row" | "element";

/** One traced instruction, before host numbers are split off. */
export interface Node {
  readonly op: Op | StructuralOp | "hyper" | "detach" | "alias" | "placeholder" | "ruled";
  readonly type: ValueType;
  readonly args: readonly number[];
  readonly imm?: number;
  readonly level: Level;
  /** Of a `ruled` value: its derivative with respect to args 1, 2, … */
  readonly rule?: Derivative;
}

export interface TraceOptions {
  readonly kind: "map" | "fold" | "contract";
  /** Axes of the index space; for a contract, of its output space. */
  readonly rank: number;
  /** Axes folded, fold only. */
  readonly reduced?: number;
}

const fail = (fault: string, facts: Record<string, unknown>, hint = ""): never => {
  throw new DescentError("program", "trace", fault, facts, hint);
};

/** Records what a function of values does, as numbered instructions; equal instructions are recorded once. */
export class Trace {
  readonly kind: TraceOptions["kind"];
  readonly rank: number;
  readonly reduced: number;
  readonly nodes: Node[] = [];
  readonly bindings: Binding[] = [];
  readonly stores: Store[] = [];
  readonly #seen = new Map<string, number>();

  constructor({ kind, rank, reduced = 0 }: TraceOptions) {
    this.kind = kind;
    this.rank = rank;
    this.reduced = reduced;
  }

  /** Adds a binding that is read; its element is a Mask for dtype bool and a Value otherwise. */
  input(dtype: DType, access: Access = "flat"): Value | Mask {
    return this.load(this.bind(dtype, access, "read"));
  }

  /** Adds a binding that is written with `value`. */
  output(dtype: DType, access: Access, value: Value | Mask): number {
    const binding = this.bind(dtype, access, "write");
    this.store(binding, value);
    return binding;
  }

  /** Adds a binding that is read and then written in place, with `store(binding, …)`. */
  update(dtype: DType, access: Access = "flat"): { binding: number; value: Value | Mask } {
    const binding = this.bind(dtype, access, "update");
    return { binding, value: this.load(binding) };
  }

  /** Adds a binding without reading it. */
  bind(dtype: DType, access: Access, mode: Binding["mode"]): number {
    if (this.kind !== "fold" && (access === "row" || access === "stridedRow"))
      fail("only a fold has rows", { kind: this.kind, access });
    return this.bindings.push({ dtype, access, mode }) - 1;
  }

  /** The element of a binding at the current index. */
  load(binding: number): Value | Mask {
    const { dtype, access, mode } = this.bindings[binding] as Binding;
    if (mode === "write") fail("a write-only binding cannot be read", { binding });
    const perElement = access === "flat" || access === "strided";
    return this.#wrap(
      this.#push({ op: "load", type: valueType(dtype), args: [], imm: binding, level: perElement ? "element" : "row" }),
    );
  }

  /** Writes `value` to a binding; numbers are cast to what its dtype stores. */
  store(binding: number, value: Value | Mask): void {
    const { dtype, access, mode } = this.bindings[binding] as Binding;
    if (mode === "read") fail("a read-only binding cannot be written", { binding });
    const type = valueType(dtype);
    if ((type === "mask") !== (value.type === "mask"))
      fail("a mask is stored as bool and only as bool", { binding, dtype, value: value.type });
    const stored = value instanceof Value ? this.#lift(value.cast(type), type) : this.#liftMask(value);
    if ((access === "row" || access === "stridedRow") && this.levelOf(stored) === "element") {
      fail(
        "a row binding takes what is common to a row",
        { binding, access },
        "Fold the element first, for example with sum().",
      );
    }
    this.stores.push({ binding, value: stored.id });
  }

  /** A hyperparameter: number `slot` of those given at every launch. */
  hyper(slot: number): Value {
    return this.#wrap(this.#push({ op: "hyper", type: "f64", args: [], imm: slot, level: "host" })) as Value;
  }

  /** Stands for an input that turns out not to be needed: the derivative with respect to it can be asked for, its value cannot. */
  placeholder(slot: number, type: ValueType, level: "row" | "element"): Value | Mask {
    return this.#wrap(this.#push({ op: "placeholder", type, args: [], imm: slot, level }));
  }

  /** A number known now, as a value of `type`. */
  constant(value: number, type: ValueType): Value {
    return this.#wrap(this.#push({ op: "const", type, args: [], imm: value, level: "row" })) as Value;
  }

  /** The index along `axis`, as i32; axis −1 counts the whole space. */
  index(axis: number): Value {
    const level = this.kind === "fold" && axis >= 0 && axis < this.rank - this.reduced ? "row" : "element";
    return this.#wrap(this.#push({ op: "index", type: "i32", args: [], imm: axis, level })) as Value;
  }

  /** Σ over the inner axes of a contract. */
  accumulator(type: ValueType): Value {
    return this.#wrap(this.#push({ op: "accumulator", type, args: [], level: "element" })) as Value;
  }

  /** Folds an element over its row. */
  fold(reducer: Reducer, value: Value): Value {
    if (this.kind !== "fold") fail("only a fold has rows to fold over", { kind: this.kind, reducer });
    const element = this.#lift(value, value.type);
    const type = reducer === "argmax" || reducer === "argmin" ? "i32" : element.type;
    return this.#wrap(this.#push({ op: `fold.${reducer}`, type, args: [element.id], level: "row" })) as Value;
  }

  /** `value` as `type`; masks become 1 and 0 with `select` instead. */
  cast(value: Value, type: ValueType): Value {
    if (value.type === type || this.levelOf(value) === "host") return value;
    return this.#wrap(this.#push({ op: "cast", type, args: [value.id], level: this.levelOf(value) })) as Value;
  }

  /** `value` without its derivative. */
  detached(value: Value): Value {
    if (this.levelOf(value) === "host") return value;
    return this.#wrap(
      this.#push({ op: "detach", type: value.type, args: [value.id], level: this.levelOf(value) }),
    ) as Value;
  }

  /** `value` under an identity of its own: the derivative with respect to it counts only uses of this alias. */
  alias(value: Value, slot: number, level: Level = this.levelOf(value)): Value {
    const { type } = this.node(value.id);
    return this.#wrap(this.#push({ op: "alias", type, args: [value.id], imm: slot, level })) as Value;
  }

  /** `value`, whose derivative with respect to `inputs` is `rule`, instead of what its own instructions would give. */
  ruled(value: Value, inputs: readonly Value[], rule: Derivative): Value {
    const level = this.levelOf(value);
    if (level === "host") return value;
    const args = [value, ...inputs].map(({ id }) => id);
    return this.#wrap(this.nodes.push({ op: "ruled", type: value.type, args, level, rule }) - 1) as Value;
  }

  select(mask: Mask, yes: Operand, no: Operand, type?: ValueType): Value {
    return this.apply("select", [mask, yes, no], type) as Value;
  }

  /** Applies a scalar operation; host numbers stay on the host as long as they meet only each other. */
  apply(op: Op, operands: readonly (Value | Mask | number)[], wanted?: ValueType): Value | Mask {
    const traced = operands.filter((x) => typeof x !== "number");
    for (const x of traced) if (x.trace !== this) fail("values of two programs meet", { op });
    if (wanted === undefined && traced.every((x) => this.levelOf(x) === "host")) return this.#host(op, operands);
    const type = wanted ?? this.#common(op, traced);
    const args = operands.map((x) => (x instanceof Mask ? this.#liftMask(x) : this.#lift(x, type)).id);
    const { signature } = opRow(op);
    for (const x of traced) {
      const expected = op === "and" || op === "or" || op === "xor" || op === "not" ? "mask" : type;
      if (x instanceof Value && this.levelOf(x) !== "host" && x.type !== expected)
        fail("operand type does not fit", { op, expected, found: x.type });
    }
    const result = signature === "compare" || signature === "logic" ? "mask" : type;
    if (signature === "float" && type !== "f32" && type !== "f64")
      fail("takes floating point", { op, type }, "Cast to f32 first.");
    if (signature === "bits" && type !== "i32" && type !== "u32") fail("takes integers", { op, type });
    const level = args.some((id) => this.node(id).level === "element") ? "element" : "row";
    return this.#wrap(this.#push({ op, type: result, args, level }));
  }

  /** The bindings whose loads `values` depend on. */
  loadsOf(values: readonly (Value | Mask)[]): Set<number> {
    const bindings = new Set<number>();
    const seen = new Set<number>();
    const visit = (id: number): void => {
      if (seen.has(id)) return;
      seen.add(id);
      const { op, args, imm } = this.node(id);
      if (op === "load") bindings.add(imm as number);
      for (const arg of args) visit(arg);
    };
    for (const value of values) visit(value.id);
    return bindings;
  }

  node(id: number): Node {
    return this.nodes[id] as Node;
  }

  levelOf(value: Value | Mask): Level {
    return this.node(value.id).level;
  }

  /** The value that instruction `id` gives. */
  valueAt(id: number): Value | Mask {
    return this.#wrap(id);
  }

  #host(op: Op, operands: readonly (Value | Mask | number)[]): Value | Mask {
    const args = operands.map((x) =>
      typeof x === "number" ? this.#push({ op: "const", type: "f64", args: [], imm: x, level: "host" }) : x.id,
    );
    const { signature } = opRow(op);
    const type = signature === "compare" || signature === "logic" ? "mask" : "f64";
    return this.#wrap(this.#push({ op, type, args, level: "host" }));
  }

  #common(op: Op, traced: readonly (Value | Mask)[]): ValueType {
    const types = new Set<ValueType>();
    for (const x of traced) if (x instanceof Value && this.levelOf(x) !== "host") types.add(x.type);
    if (types.size > 1) fail("operand types differ", { op, types: [...types] }, "Cast one of them.");
    return [...types][0] ?? "f32";
  }

  #lift(x: Value | number, type: ValueType): Value {
    if (typeof x === "number") return this.constant(x, type);
    if (this.levelOf(x) !== "host") return x;
    return this.#wrap(this.#push({ op: "uniform", type, args: [x.id], level: "row" })) as Value;
  }

  #liftMask(mask: Mask): Mask {
    if (this.levelOf(mask) !== "host") return mask;
    const number = this.#host("select", [mask, 1, 0]) as Value;
    return this.#lift(number, "f32").ne(0);
  }

  #push(node: Node): number {
    const { op, type, args, imm } = node;
    const key = `${op} ${type} ${node.level === "host"} ${args.join(",")} ${Object.is(imm, -0) ? "-0" : imm}`;
    const known = this.#seen.get(key);
    if (known !== undefined) return known;
    const id = this.nodes.push(node) - 1;
    this.#seen.set(key, id);
    return id;
  }

  #wrap(id: number): Value | Mask {
    const { type } = this.node(id);
    return type === "mask" ? new Mask(this, id) : new Value(this, id, type);
  }
}
