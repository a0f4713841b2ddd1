import { type FoldProgram, isRowAccess, type Launch, type Stage } from "@descent/backend";
import { dotted, unravel } from "../wgsl/address.ts";
import { declarations, operand, type Places } from "../wgsl/body.ts";
import type { Frame } from "../wgsl/frame.ts";
import { type Features, held, stored } from "../wgsl/storage.ts";
import type { FoldForm } from "./fold-code.ts";
import { absorb, begin, isSum, type Running } from "./reducers.ts";

/** The `imm` of an index instruction that gives the number of the row; schedules take it for an axis that is kept. */
export const rowNumber = 0.5;

/** Elements that a thread sums before it adds them to the rest. */
const block = 16;
/** Vectors that a thread loads before it looks at the first: bytes on the way keep the memory busy. */
const mostVectors = 4;
/** Instructions per element up to which they are written out four times, and several vectors are loaded at once. */
const light = 8;

const isElement = ({ bindings }: FoldProgram, k: number): boolean => !isRowAccess(bindings[k]!.access);

/** Whether the elements of every row lie one after the other, in whole vectors. */
export function isContiguous(program: FoldProgram, { args, shape }: Launch, width: number): boolean {
  if (width % 4 !== 0) return false;
  const last = program.rank - 1;
  return args.every(({ offset, strides }, k) => {
    if (!isElement(program, k)) return true;
    if (offset % 4 !== 0) return false;
    if (program.bindings[k]!.access === "flat") return true;
    const whole = (stride: number, axis: number) =>
      axis === last ? stride === 1 && shape[axis]! % 4 === 0 : stride % 4 === 0 || shape[axis] === 1;
    return strides.every(whole);
  });
}

/** How many vectors a thread loads at once, where it has so many. */
export function vectorsAtOnce(width: number, lanes: number): number {
  const own = Math.floor(width / (lanes * 4));
  return own >= mostVectors ? mostVectors : own >= 2 ? 2 : 1;
}

/** How a fold reaches the elements of a row, one by one or four at a time, and what it does with each. */
export class FoldElements {
  readonly kept: readonly number[];
  readonly #inner: readonly number[];
  readonly #program: FoldProgram;
  readonly #features: Features;
  readonly #frame: Frame;
  readonly #form: FoldForm;

  constructor(program: FoldProgram, features: Features, frame: Frame, form: FoldForm) {
    this.#program = program;
    this.#features = features;
    this.#frame = frame;
    this.#form = form;
    const kept = program.rank - program.reduced;
    this.kept = Array.from({ length: kept }, (_, axis) => axis);
    this.#inner = Array.from({ length: program.reduced }, (_, i) => kept + i);
  }

  /** Whether a binding is loaded and stored through vectors. */
  readonly isVector = (k: number): boolean => this.#form.vectors > 0 && isElement(this.#program, k);

  #name(k: number): string {
    const { aliases } = this.#form;
    return `b${aliases ? aliases[k] : k}`;
  }

  readonly #element = (k: number): string => {
    const { access } = this.#program.bindings[k]!;
    const name = this.#name(k);
    const offset = this.#frame.offset(k);
    if (access === "single") return `${name}[${offset}]`;
    if (access === "row") return `${name}[${offset} + row]`;
    if (access === "flat") return `${name}[${offset} + row * width + k]`;
    if (isRowAccess(access)) return `${name}[base${k}]`;
    return `${name}[base${k} + ${dotted(k, this.#inner, this.#frame, "x")}]`;
  };

  get places(): Places {
    return {
      features: this.#features,
      frame: this.#frame,
      element: (k) => (this.isVector(k) ? `l${k}` : this.#element(k)),
      index: (axis) => (axis === rowNumber ? "row" : axis < 0 ? "(row * width + k)" : `x${axis}`),
    };
  }

  #stored({ binding, value }: FoldProgram["stores"][number]): string {
    return stored(this.#program.bindings[binding]!.dtype, this.#features, operand(this.#program.body, value));
  }

  writes(stores: FoldProgram["stores"]): string {
    return stores.map((store) => `${this.#element(store.binding)} = ${this.#stored(store)};`).join("\n");
  }

  /** What becomes of element `k`. */
  #each(stage: Stage, folds: readonly Running[]): string {
    const { body, bindings } = this.#program;
    const needsAxes =
      bindings.some(({ access }, k) => access === "strided" && !this.isVector(k)) ||
      body.some(({ op, imm }) => op === "index" && (imm as number) >= this.kept.length);
    return `${needsAxes ? unravel("k", this.#inner, this.#frame, "x") : ""}
${declarations(this.#program, stage.element, this.places)}
${folds.map((one) => absorb(one, isSum(one) ? "b" : "", operand(body, body[one.id]!.args[0]!), "k")).join("\n")}`;
  }

  /** One pass of a thread over its elements of the row. */
  walk(stage: Stage, folds: readonly Running[], stores: FoldProgram["stores"]): string {
    if (folds.length === 0 && stores.length === 0) return "";
    const sums = folds.filter(isSum);
    const { lanes, vectors } = this.#form;
    const each = this.#each(stage, folds);
    const start = folds.map((one) => begin(one, "")).join(" ");
    const blocks = sums.map((one) => begin(one, "b")).join(" ");
    const add = sums.map((one) => absorb(one, "", `ba${one.id}`, "0u")).join(" ");
    if (vectors > 0) {
      const many = stage.element.length <= light ? vectors : 1;
      const turn = many > 1 ? many : sums.length > 0 ? block / 4 : 1;
      const step = lanes * 4;
      const at = (v: number) => `q0 + ${v * step}u`;
      const [loads, four] = this.#vectors(stage, stores, each);
      const numbers = Array.from({ length: many }, (_, v) => v);
      const single = `let end = min(last, q0 + ${turn * step}u);
for (var q = q0; q < end; q += ${step}u) {
${loads(0, "q")}
${four(0, "q")}
}`;
      const whole = `if (${at(many - 1)} < last) {
${numbers.map((v) => loads(v, at(v))).join("\n")}
${numbers.map((v) => four(v, at(v))).join("\n")}
} else {
${single}
}`;
      return `${start}
for (var q0 = first + lane * 4u; q0 < last; q0 += ${turn * step}u) {
${blocks}
${many > 1 ? whole : single}
${add}
}`;
    }
    const element = `${each}\n${this.writes(stores)}`;
    if (sums.length === 0) return `${start}\nfor (var k = first + lane; k < last; k += ${lanes}u) {\n${element}\n}`;
    return `${start}
for (var k0 = first + lane; k0 < last; k0 += ${lanes * block}u) {
${blocks}
let end = min(last, k0 + ${lanes * block}u);
for (var k = k0; k < end; k += ${lanes}u) {
${element}
}
${add}
}`;
  }

  /** Code that loads vector `v`, whose first element is `q`, and code that goes through its elements and stores what they give. */
  #vectors(stage: Stage, stores: FoldProgram["stores"], each: string) {
    const { body, bindings } = this.#program;
    const type = (k: number) => held(bindings[k]!.dtype, this.#features);
    const loaded = stage.element.flatMap((id) => {
      const { op, imm } = body[id]!;
      return op === "load" && this.isVector(imm as number) ? [imm as number] : [];
    });
    const used = [...new Set(loaded)];
    const at = (k: number, q: string) =>
      bindings[k]!.access === "flat"
        ? `${this.#name(k)}[(${this.#frame.offset(k)} + row * width + ${q}) >> 2u]`
        : `${this.#name(k)}[(base${k} + inner${k}(${q})) >> 2u]`;
    const loads = (v: number, q: string) => used.map((k) => `let w${k}_${v} = ${at(k, q)};`).join("\n");
    const one = (v: number, q: string, c: string, part: string) => `{
let k = ${q} + ${c};
${used.map((k) => `let l${k} = w${k}_${v}${part};`).join(" ")}
${each}
${stores.map((store) => `o${store.binding}${part} = ${this.#stored(store)};`).join("\n")}
}`;
    const four = (v: number, q: string) => `{
${stores.map(({ binding }) => `var o${binding}: vec4<${type(binding)}>;`).join(" ")}
${
  stage.element.length <= light
    ? ["x", "y", "z", "w"].map((c, j) => one(v, q, `${j}u`, `.${c}`)).join("\n")
    : `for (var c = 0u; c < 4u; c++) ${one(v, q, "c", "[c]")}`
}
${stores.map(({ binding }) => `${at(binding, q)} = o${binding};`).join("\n")}
}`;
    return [loads, four] as const;
  }

  /** Functions that say where an element along the reduced axes lies. */
  get functions(): string {
    const strided = this.#program.bindings.flatMap(({ access }, k) =>
      access === "strided" && this.isVector(k) ? [k] : [],
    );
    return strided
      .map(
        (k) => `fn inner${k}(q: u32) -> u32 {
${unravel("q", this.#inner, this.#frame, "x")}
return ${dotted(k, this.#inner, this.#frame, "x")};
}`,
      )
      .join("\n");
  }
}
