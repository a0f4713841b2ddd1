import type { FoldProgram } from "@descent/backend";
import { Assembly, type Features, Fn } from "../asm/assembler.ts";
import { add, type Code, get, I32, i32, leU, load, mul, simd, V128, vectorConstant } from "../asm/code.ts";
import { Axes } from "../emit/axes.ts";
import { bindConstants, emitInstructions, readUniform, type Sources, widthOf } from "../emit/body.ts";
import type { Pointer } from "../emit/lines.ts";
import { bytesOf, loadVector, type Reach, storeVector } from "../emit/storage.ts";
import { splat, Vector } from "../emit/vector.ts";
import { type FoldPlan, type FoldShape, rowNumber } from "./fold-plan.ts";
import { isOnRow, isStrided } from "./layout.ts";

/** What the two ways of folding share: parameters, axes, where the lanes of a vector lie in each binding, and how to load and store. */
export class FoldContext {
  readonly plan: FoldPlan;
  readonly program: FoldProgram;
  readonly across: boolean;
  readonly asm: Assembly;
  readonly fn = new Fn([I32, I32, I32, I32]);
  readonly v: Vector;
  /** Variables: the row at hand, and the place in it. */
  readonly row = 1;
  readonly place: number;
  readonly to = get(2);
  readonly scratch = get(3);
  readonly outer: Axes;
  readonly inner: Axes;
  /** Elements of a row. */
  readonly width: Code;
  readonly reaches: readonly Reach[];
  /** Whether no vector is collected from single lanes. */
  readonly plain: boolean;
  /** Where the row starts in every binding. */
  readonly rowPlaces: readonly number[];
  readonly pointers: readonly Pointer[];
  /** Values of constants and uniforms. */
  readonly constants: readonly Code[];
  /** Where row bindings and the others are read: variables, by binding. */
  places: { row: readonly number[]; element: readonly Code[] };
  /** The count within the innermost axis, and how many vectors beyond the pointers we are. */
  at: number;
  block = 0;

  constructor(plan: FoldPlan, { across, walks }: FoldShape, features: Features) {
    const { program, kept, reduced, strides } = plan;
    const { bindings, body } = program;
    const fn = this.fn;
    const params = get(0);
    this.plan = plan;
    this.program = program;
    this.across = across;
    this.asm = new Assembly(features);
    this.v = new Vector(fn, this.asm, widthOf(program));
    this.outer = new Axes(fn, params, plan.extents, kept);
    this.inner = new Axes(fn, params, plan.extents + 4 * kept, reduced);
    const width = get(fn.int(load(params, plan.width)));
    this.width = width;
    this.reaches = bindings.map((binding, b): Reach => {
      const { access } = binding;
      if (access === "single" || (across && isOnRow(access))) return "splat";
      if (access === "row") return "vector";
      if (access === "flat") return across ? "vector" : { stride: get(fn.int(mul(width, i32(this.size(b))))) };
      const at = strides[b]! + 4 * (across ? kept + reduced - 1 : kept - 1);
      return walks[b] === "0" ? "splat" : walks[b] === "1" ? "vector" : { stride: get(fn.int(load(params, at))) };
    });
    this.plain = this.reaches.every((reach) => typeof reach === "string");
    this.rowPlaces = bindings.map(() => fn.local(I32));
    this.pointers = bindings.map((_, b) => ({ local: fn.local(I32), reach: this.reaches[b]!, bytes: this.size(b) }));
    this.places = { row: this.rowPlaces, element: this.pointers.map(({ local }) => get(local)) };
    this.place = fn.local(I32);
    this.at = this.place;
    const constants: Code[] = [];
    bindConstants(this.v, program, constants);
    const uniforms = body.flatMap(({ op }, id) => (op === "uniform" ? [id] : []));
    emitInstructions(this.v, program, uniforms, constants, this.sources);
    this.constants = constants;
  }

  size(binding: number): number {
    return bytesOf(this.program.bindings[binding]!.dtype);
  }

  readonly sources: Sources = {
    load: (b) => {
      const { dtype, access } = this.program.bindings[b]!;
      const from = isOnRow(access) ? get(this.places.row[b]!) : this.places.element[b]!;
      return loadVector(this.v, dtype, this.reaches[b]!, from, this.block * this.v.width);
    },
    uniform: (slot) => readUniform(this.program, slot, get(0)),
    index: (axis) => {
      const { across, program, inner, outer, v } = this;
      const [row, place, at] = [get(this.row), get(this.place), get(this.at)];
      const iota = this.fn.constant("iota", V128, vectorConstant([0, 1, 2, 3]));
      const shift = i32(this.block * v.width);
      if (axis === -1) {
        const start = add(mul(row, this.width), add(place, across ? add(at, shift) : mul(shift, this.width)));
        return simd(174, splat("i32", start), across ? iota : simd(181, iota, splat("i32", this.width)));
      }
      if (axis === rowNumber) {
        const rows = splat("i32", add(row, shift));
        return across ? rows : simd(174, rows, iota);
      }
      const last = this.plan.reduced - 1;
      const own = axis - (program.rank - program.reduced);
      const isLane = across ? own === last && program.reduced > 0 : own === -1;
      const index = own < 0 ? outer.index[axis]! : inner.index[own]!;
      if (!isLane) return splat("i32", own === last ? at : get(index));
      const start = across ? at : get(index);
      return simd(174, splat("i32", add(start, shift)), iota);
    },
  };

  /** Emits those of `ids` that are no constants. */
  emit(ids: readonly number[], values: Code[]): void {
    const open = ids.filter((id) => !this.constants[id]);
    emitInstructions(this.v, this.program, open, values, this.sources);
  }

  write(chosen: FoldProgram["stores"], values: readonly Code[]): void {
    for (const { binding: b, value } of chosen) {
      const { dtype, access } = this.program.bindings[b]!;
      const to = isOnRow(access) ? get(this.places.row[b]!) : this.places.element[b]!;
      storeVector(this.v, dtype, this.reaches[b]!, to, values[value]!, this.block * this.v.width);
    }
  }

  /** Finds out where the row starts in every binding. */
  placeRow(): void {
    const { plan, fn, outer } = this;
    this.program.bindings.forEach((binding, b) => {
      const { access } = binding;
      const base = load(get(0), plan.bases + 4 * b);
      const elements = access === "flat" ? mul(get(this.row), this.width) : get(this.row);
      const start = isStrided(binding)
        ? outer.address(base, plan.strides[b]!)
        : access === "single"
          ? base
          : add(base, mul(elements, i32(this.size(b))));
      fn.set(this.rowPlaces[b]!, start);
    });
  }

  /** Points to the element at the place and the indices at hand. */
  placeElements(): void {
    const { plan, fn, inner } = this;
    this.program.bindings.forEach((binding, b) => {
      if (isOnRow(binding.access)) return;
      const start = get(this.rowPlaces[b]!);
      const moved = isStrided(binding)
        ? inner.address(start, plan.strides[b]! + 4 * plan.kept, plan.reduced - 1)
        : add(start, mul(get(this.place), i32(this.size(b))));
      fn.set(this.pointers[b]!.local, moved);
    });
  }

  /** Bytes from an element of a row to the next one, in the innermost axis. */
  step(b: number): Code {
    const { plan } = this;
    return isStrided(this.program.bindings[b]!)
      ? load(get(0), plan.strides[b]! + 4 * (plan.kept + plan.reduced - 1))
      : i32(this.size(b));
  }

  /** Moves on by `count` rows of the same line. */
  next(count: Code): void {
    const { fn, outer, plan } = this;
    fn.set(this.row, add(get(this.row), count));
    const last = outer.index[plan.kept - 1]!;
    fn.set(last, add(get(last), count));
    fn.if(leU(outer.extent(plan.kept - 1), get(last)), () => {
      fn.set(last, i32(0));
      outer.advance(plan.kept - 1);
    });
  }
}
