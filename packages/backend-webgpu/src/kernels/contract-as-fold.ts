import { type ContractProgram, type FoldProgram, type Instruction, valueType } from "@descent/backend";
import { rowNumber } from "./fold-elements.ts";

/**
 * A contract as a fold over products: for integers, for operands that vary along both rows and columns, and where one side is so
 * thin that nothing would be used twice.
 */
export function asFold(program: ContractProgram): FoldProgram {
  const { batch, rows, cols, inner, bindings, body, stores, uniforms, key } = program;
  const place = body.findIndex(({ op }) => op === "accumulator");
  const type = body[place]?.type ?? "f32";
  const load = (binding: number): Instruction => ({
    op: "load",
    type: valueType(bindings[binding]!.dtype),
    args: [],
    imm: binding,
  });
  const product: Instruction[] = [
    load(0),
    { op: "cast", type, args: [0] },
    load(1),
    { op: "cast", type, args: [2] },
    { op: "mul", type, args: [1, 3] },
    { op: "fold.sum", type, args: [4] },
  ];
  const moved = (id: number) => (id === place ? product.length - 1 : id + product.length);
  const onRows = {
    flat: "row",
    strided: "stridedRow",
    single: "single",
    row: "row",
    stridedRow: "stridedRow",
  } as const;
  // The accumulator's own place stays, unused, so that the others keep their distance.
  const rest = body.map((one, id): Instruction => {
    if (id === place) return { op: "const", type, args: [], imm: 0 };
    const counts = one.op === "index" && one.imm === -1;
    return { ...one, args: one.args.map(moved), ...(counts && { imm: rowNumber }) };
  });
  return {
    kind: "fold",
    key: `fold of ${key}`,
    rank: batch + rows + cols + inner,
    reduced: inner,
    uniforms,
    bindings: bindings.map((one, k) => ({ ...one, access: k < 2 ? "strided" : onRows[one.access] })),
    body: [...product, ...rest],
    stores: stores.map(({ binding, value }) => ({ binding, value: moved(value) })),
  };
}
