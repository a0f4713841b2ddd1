import { identity, type Reducer, type ValueType } from "@descent/backend";
import { literal, wgslType } from "../wgsl/body.ts";

/** A fold while it runs: the best so far, and for argmax and argmin where it was. */
export interface Running {
  readonly id: number;
  readonly reducer: Reducer;
  /** The type of what is folded. */
  readonly type: ValueType;
}

/** What no place is: nothing was met yet. */
const nowhere = "0xffffffffu";

export const isPlace = ({ reducer }: Running): boolean => reducer === "argmax" || reducer === "argmin";
/** Whether blocks of a few elements are summed apart, so that long sums lose less. */
export const isSum = ({ reducer, type }: Running): boolean => reducer === "sum" && type === "f32";

const extremum = (reducer: Reducer): Reducer => (reducer === "argmax" ? "max" : reducer === "argmin" ? "min" : reducer);

/** Variables of a fold under a prefix, holding what nothing gives. */
export function begin(one: Running, prefix: string): string {
  const start = literal(identity(extremum(one.reducer), one.type), one.type);
  const place = isPlace(one) ? ` var ${prefix}p${one.id} = ${nowhere};` : "";
  return `var ${prefix}a${one.id}: ${wgslType(one.type)} = ${start};${place}`;
}

/** Folds a value, met at `place`, into the variables under a prefix. */
export function absorb(one: Running, prefix: string, value: string, place: string): string {
  const best = `${prefix}a${one.id}`;
  const { reducer, type } = one;
  if (isPlace(one)) {
    const where = `${prefix}p${one.id}`;
    return `if (beats_${reducer}_${type}(${best}, ${where}, ${value}, ${place})) { ${best} = ${value}; ${where} = ${place}; }`;
  }
  if (reducer === "sum") return `${best} = ${best} + ${value};`;
  if (reducer === "prod") return `${best} = ${best} * ${value};`;
  const float = reducer === "max" ? "largest" : "least";
  return `${best} = ${type === "f32" ? float : reducer}(${best}, ${value});`;
}

/** Functions that the folds call: whether a later candidate wins. The first NaN wins everything, ties go to the first place. */
export function functionsOf(folds: readonly Running[]): string {
  const made = new Map<string, string>();
  for (const { reducer, type } of folds.filter(isPlace)) {
    const sign = reducer === "argmax" ? ">" : "<";
    const nan = type === "f32" ? "if (is_nan(a) || is_nan(b)) { return is_nan(b) && (!is_nan(a) || pb < pa); }" : "";
    made.set(
      `${reducer}${type}`,
      `fn beats_${reducer}_${type}(a: ${type}, pa: u32, b: ${type}, pb: u32) -> bool {
if (pb == ${nowhere}) { return false; }
if (pa == ${nowhere}) { return true; }
${nan}
return b ${sign} a || (b == a && pb < pa);
}`,
    );
  }
  return [...made.values()].join("\n");
}

/** Workgroup memory for the folds of a group of `threads`. */
export const sharedOf = (folds: readonly Running[], threads: number): string =>
  folds
    .map(
      (one) =>
        `var<workgroup> w${one.id}: array<${wgslType(one.type)}, ${threads}>;${
          isPlace(one) ? ` var<workgroup> q${one.id}: array<u32, ${threads}>;` : ""
        }`,
    )
    .join("\n");

/** Brings the lanes of every row together by halves; `step` threads lie between neighbouring lanes. */
export function gatherLanes(folds: readonly Running[], lanes: number, step: number, root: string): string {
  if (lanes === 1) return "";
  const put = folds.map((one) => `w${one.id}[t] = a${one.id};${isPlace(one) ? ` q${one.id}[t] = p${one.id};` : ""}`);
  const get = (one: Running, at: string) =>
    `a${one.id} = w${one.id}[${at}];${isPlace(one) ? ` p${one.id} = q${one.id}[${at}];` : ""}`;
  const merged = folds.map((one) => {
    const place = isPlace(one) ? `q${one.id}[other]` : "0u";
    return `let x${one.id} = w${one.id}[other]; ${absorb(one, "", `x${one.id}`, place)}`;
  });
  return `${put.join(" ")}
workgroupBarrier();
for (var half = ${lanes / 2}u; half > 0u; half = half >> 1u) {
if (lane < half) {
let other = t + half * ${step}u;
${merged.join("\n")}
${put.join(" ")}
}
workgroupBarrier();
}
${folds.map((one) => get(one, root)).join(" ")}
workgroupBarrier();`;
}

/**
 * Brings the lanes of every row together, lanes being side by side in subgroups of at least `least` threads: by halves within a subgroup,
 * where nobody waits, and through workgroup memory from there. Where a row is within a subgroup, the order is that of `gatherLanes`.
 */
export function gatherSubgroups(folds: readonly Running[], lanes: number, least: number): string {
  const merged = (mask: string) =>
    folds
      .map((one) => {
        const there = (what: string) => `subgroupShuffleXor(${what}${one.id}, ${mask})`;
        const place = isPlace(one) ? ` let y${one.id} = ${there("p")};` : "";
        return `{ let x${one.id} = ${there("a")};${place} ${absorb(one, "", `x${one.id}`, isPlace(one) ? `y${one.id}` : "0u")} }`;
      })
      .join("\n");
  if (lanes <= least) {
    const halves: number[] = [];
    for (let half = lanes / 2; half >= 1; half /= 2) halves.push(half);
    return halves.map((half) => merged(`${half}u`)).join("\n");
  }
  const put = folds.map(
    (one) => `w${one.id}[t / reach] = a${one.id};${isPlace(one) ? ` q${one.id}[t / reach] = p${one.id};` : ""}`,
  );
  const get = (one: Running) =>
    `a${one.id} = w${one.id}[origin];${isPlace(one) ? ` p${one.id} = q${one.id}[origin];` : ""}`;
  const rest = folds.map((one) => {
    const place = isPlace(one) ? `q${one.id}[origin + s]` : "0u";
    return `let x${one.id} = w${one.id}[origin + s]; ${absorb(one, "", `x${one.id}`, place)}`;
  });
  return `{
let reach = min(${lanes}u, subgroup);
for (var half = reach >> 1u; half > 0u; half = half >> 1u) {
${merged("half")}
}
if (t % reach == 0u) {
${put.join(" ")}
}
workgroupBarrier();
let origin = (t - lane) / reach;
${folds.map(get).join(" ")}
for (var s = 1u; s < ${lanes}u / reach; s++) {
${rest.join("\n")}
}
workgroupBarrier();
}`;
}

/** What a fold gives, from its variables. */
export const resultOf = (one: Running, type: ValueType): string =>
  isPlace(one) ? `${wgslType(type)}(select(p${one.id}, 0u, p${one.id} == ${nowhere}))` : `a${one.id}`;
