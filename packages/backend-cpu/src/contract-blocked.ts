import { type ContractKernel, left, problem, right } from "./contract-problem.ts";

/** Sizes of the blocks that stay in the second-level cache: rows, columns, depth. */
export const blockRows = 128;
export const blockCols = 128;
const blockDepth = 256;
/** Most doubles of a packed right operand that is kept for all row blocks. */
const keptRight = 2 ** 19;
let packedLeft = new Float64Array(0);
let packedRight = new Float64Array(0);

/** Panels of four rows and four columns, packed side by side, multiplied tile by tile. */
export function blocked(kernel: ContractKernel): void {
  const { rows, cols, depth, tables } = problem;
  const widest = Math.min(blockCols, (cols + 3) & ~3);
  const tallest = Math.min(blockRows, (rows + 3) & ~3);
  const keep = depth * widest <= keptRight;
  const rightSize = (keep ? depth : Math.min(depth, blockDepth)) * widest;
  const leftSize = Math.min(depth, blockDepth) * tallest;
  if (packedRight.length < rightSize) packedRight = new Float64Array(rightSize);
  if (packedLeft.length < leftSize) packedLeft = new Float64Array(leftSize);
  if (problem.sums.length < tallest * widest) problem.sums = new Float64Array(blockRows * blockCols);
  const { sums } = problem;
  problem.pitch = widest;
  for (let col = 0; col < cols; col += blockCols) {
    const endCol = Math.min(cols, col + blockCols);
    problem.firstCol = col;
    problem.endCol = endCol;
    for (let row = 0; row < rows; row += blockRows) {
      const endRow = Math.min(rows, row + blockRows);
      sums.fill(0, 0, tallest * widest);
      for (let k = 0; k < depth; k += blockDepth) {
        const deep = Math.min(blockDepth, depth - k);
        const rightAt = keep ? k * widest : 0;
        if (row === 0 || !keep) {
          for (let c = col, to = rightAt; c < endCol; c += 4, to += 4 * deep) {
            const count = Math.min(4, endCol - c);
            kernel.packRight(
              right.data,
              right.base,
              tables,
              right.outer + c,
              count,
              right.inner + k,
              deep,
              packedRight,
              to,
            );
          }
        }
        for (let r = row, to = 0; r < endRow; r += 4, to += 4 * deep) {
          const count = Math.min(4, endRow - r);
          kernel.packLeft(left.data, left.base, tables, left.outer + r, count, left.inner + k, deep, packedLeft, to);
        }
        for (let c = col, from = rightAt; c < endCol; c += 4, from += 4 * deep) {
          for (let r = row, at = 0; r < endRow; r += 4, at += 4 * deep) {
            tile(packedLeft, at, packedRight, from, deep, sums, (r - row) * widest + c - col, widest);
          }
        }
      }
      problem.firstRow = row;
      problem.endRow = endRow;
      kernel.epilogue(problem);
    }
  }
}

// biome-ignore format: sixteen sums in four rows
/** Adds the product of one packed panel by another to a 4 × 4 tile of sums. In doubles: V8 has no single-precision arithmetic. */
function tile(
  a: Float64Array,
  pa: number,
  b: Float64Array,
  pb: number,
  depth: number,
  sums: Float64Array,
  at: number,
  pitch: number,
): void {
  let c00 = 0, c01 = 0, c02 = 0, c03 = 0;
  let c10 = 0, c11 = 0, c12 = 0, c13 = 0;
  let c20 = 0, c21 = 0, c22 = 0, c23 = 0;
  let c30 = 0, c31 = 0, c32 = 0, c33 = 0;
  for (let k = 0; k < depth; k++) {
    const b0 = b[pb]!, b1 = b[pb + 1]!, b2 = b[pb + 2]!, b3 = b[pb + 3]!;
    const a0 = a[pa]!;
    c00 += a0 * b0; c01 += a0 * b1; c02 += a0 * b2; c03 += a0 * b3;
    const a1 = a[pa + 1]!;
    c10 += a1 * b0; c11 += a1 * b1; c12 += a1 * b2; c13 += a1 * b3;
    const a2 = a[pa + 2]!;
    c20 += a2 * b0; c21 += a2 * b1; c22 += a2 * b2; c23 += a2 * b3;
    const a3 = a[pa + 3]!;
    c30 += a3 * b0; c31 += a3 * b1; c32 += a3 * b2; c33 += a3 * b3;
    pa += 4;
    pb += 4;
  }
  add4(sums, at, c00, c01, c02, c03);
  add4(sums, at + pitch, c10, c11, c12, c13);
  add4(sums, at + 2 * pitch, c20, c21, c22, c23);
  add4(sums, at + 3 * pitch, c30, c31, c32, c33);
}

function add4(sums: Float64Array, at: number, c0: number, c1: number, c2: number, c3: number): void {
  sums[at] = sums[at]! + c0;
  sums[at + 1] = sums[at + 1]! + c1;
  sums[at + 2] = sums[at + 2]! + c2;
  sums[at + 3] = sums[at + 3]! + c3;
}
