import type { ContractProgram, FoldProgram, Instruction } from "@descent/backend";
import { valueType } from "@descent/backend";
import { rowNumber } from "./fold-plan.ts";

/**
 * A contract as a fold over products: for integers, mixed types, and operands that vary along both rows and columns;
 * also the fast way where one side is a vector and nothing would be used twice.
 */
export function asFold(program: ContractProgram): FoldProgram {
  const { batch, rows, cols, inner, bindings, body, stores, uniforms, key } = program;
  const place = body.findIndex(({ op }) => op === "accumulator");
  const type = body[place]?.type ?? "f32";
  const operand = (binding: 0 | 1, at: number): Instruction[] => [
    { op: "load", type: valueType(bindings[binding]!.dtype), args: [], imm: binding },
    { op: "cast", type, args: [at] },
  ];
  const product: Instruction[] = [
    ...operand(0, 0),
    ...operand(1, 2),
    { op: "mul", type, args: [1, 3] },
    { op: "fold.sum", type, args: [4] },
  ];
  const moved = (id: number) => (id === place ? product.length - 1 : id + product.length);
  const onRows = { flat: "row", strided: "stridedRow", single: "single" } as const;
  return {
    kind: "fold",
    key: `fold of ${key}`,
    rank: batch + rows + cols + inner,
    reduced: inner,
    uniforms,
    bindings: bindings.map((binding, b) => ({
      ...binding,
      access: b < 2 ? "strided" : onRows[binding.access as keyof typeof onRows],
    })),
    body: [
      ...product,
      // The accumulator's own place stays, unused, so that numbers need no second map.
      ...body.map((instruction, id): Instruction => {
        if (id === place) return { op: "const", type, args: [], imm: 0 };
        const args = instruction.args.map(moved);
        const linear = instruction.op === "index" && instruction.imm === -1;
        return { ...instruction, args, ...(linear && { imm: rowNumber }) };
      }),
    ],
    stores: stores.map(({ binding, value }) => ({ binding, value: moved(value) })),
  };
}
