import type { ContractProgram } from "@descent/backend";
import { dotted, unravel } from "../wgsl/address.ts";
import { declarations, operand } from "../wgsl/body.ts";
import type { Frame } from "../wgsl/frame.ts";
import type { Aliases } from "../wgsl/shader.ts";
import { type Features, held, stored } from "../wgsl/storage.ts";

export interface Epilogue {
  /** `finish(z, m, n, sum)`: everything that becomes of one sum. */
  readonly one: string;
  /** `finish_four(z, m, n, sums)`: of four in a row, through vectors where `vector`. */
  readonly four: string;
}

/** What becomes of the sums of products, as functions of batch, row and column. */
export function epilogueOf(
  program: ContractProgram,
  features: Features,
  frame: Frame,
  aliases: Aliases | null,
  vector: boolean,
): Epilogue {
  const { batch, rows, cols, bindings, body, stores } = program;
  const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
  const groups = [
    ["z", range(0, batch)],
    ["m", range(batch, rows)],
    ["n", range(batch + rows, cols)],
  ] as const;
  const axes = groups.flatMap(([, own]) => own);
  const name = (k: number) => `b${aliases ? aliases[k] : k}`;
  const address = (k: number): string => {
    const { access } = bindings[k]!;
    if (access === "single") return frame.offset(k);
    if (access === "flat") return `${frame.offset(k)} + linear`;
    return `${frame.offset(k)} + ${dotted(k, axes, frame, "x")}`;
  };
  const needsAxes =
    bindings.some(({ access }, k) => k > 1 && access === "strided") ||
    body.some(({ op, imm }) => op === "index" && imm !== -1);
  const places = {
    features,
    frame,
    element: (k: number) => `${name(k)}[${address(k)}]`,
    index: (axis: number) => (axis < 0 ? "linear" : `x${axis}`),
    accumulator: "sum",
  };
  const isVector = (k: number) => vector && bindings[k]!.access === "flat" && bindings[k]!.mode === "write";
  const value = ({ binding, value: id }: ContractProgram["stores"][number]) =>
    stored(bindings[binding]!.dtype, features, operand(body, id));
  const vectors = stores.filter(({ binding }) => isVector(binding));
  const scalars = stores.filter(({ binding }) => !isVector(binding));
  const type = ({ binding }: (typeof stores)[number]) => held(bindings[binding]!.dtype, features);
  const results = vectors.length > 0;
  const linear = `(z * ${frame.extra("m")} + m) * ${frame.extra("n")} + n`;
  const one = `${results ? `struct Results { ${vectors.map((store, s) => `s${s}: ${type(store)}`).join(", ")} }` : ""}
fn finish(z: u32, m: u32, n: u32, sum: f32)${results ? " -> Results" : ""} {
let linear = ${linear};
${needsAxes ? groups.map(([count, own]) => unravel(count, own, frame, "x")).join("\n") : ""}
${declarations(program, body.keys(), places)}
${scalars.map((store) => `${name(store.binding)}[${address(store.binding)}] = ${value(store)};`).join("\n")}
${results ? `return Results(${vectors.map(value).join(", ")});` : ""}
}`;
  const parts = ["x", "y", "z", "w"];
  const four = results
    ? `if (m >= ${frame.extra("m")} || n >= ${frame.extra("n")}) { return; }
let linear = ${linear};
${parts.map((c, j) => `let r${j} = finish(z, m, n + ${j}u, sums.${c});`).join("\n")}
${vectors.map((store, s) => `${name(store.binding)}[(${frame.offset(store.binding)} + linear) >> 2u] = vec4<${type(store)}>(r0.s${s}, r1.s${s}, r2.s${s}, r3.s${s});`).join("\n")}`
    : `if (m >= ${frame.extra("m")}) { return; }
${parts.map((c, j) => `if (n + ${j}u < ${frame.extra("n")}) { finish(z, m, n + ${j}u, sums.${c}); }`).join("\n")}`;
  return { one, four: `fn finish_four(z: u32, m: u32, n: u32, sums: vec4<f32>) {\n${four}\n}` };
}

/** Whether the results of a launch can be stored as vectors: flat, fresh, in whole vectors. */
export const storesVectors = (
  program: ContractProgram,
  offsets: readonly number[],
  columns: number,
  aliases: Aliases | null,
): boolean =>
  !aliases &&
  columns % 4 === 0 &&
  program.stores.every(({ binding }) => {
    const { access, mode } = program.bindings[binding]!;
    return access !== "flat" || mode !== "write" || offsets[binding]! % 4 === 0;
  }) &&
  program.stores.some(({ binding }) => {
    const { access, mode } = program.bindings[binding]!;
    return access === "flat" && mode === "write";
  });
