import type { Arg } from "@descent/backend";
import { blockCols, blocked, blockRows } from "./contract-blocked.ts";
import { type ContractKernel, left, problem, right } from "./contract-problem.ts";
import type { CpuBuffer } from "./memory.ts";

/** Stretch of a product that is thinner than a tile. */
const thinStretch = 4096;

const none: readonly never[] = [];
const nothing = new Float32Array(0);

/** Σ left · right over the inner axes for every batch, row and column, then the epilogue. */
export function contract(
  kernel: ContractKernel,
  args: readonly Arg[],
  shape: readonly number[],
  uniforms: readonly number[],
): void {
  const [batchAxes, rowAxes, colAxes, innerAxes] = kernel.axes;
  const rowsAt = batchAxes;
  const colsAt = rowsAt + rowAxes;
  const innerAt = colsAt + colAxes;
  const batches = extent(shape, 0, rowsAt);
  const rows = extent(shape, rowsAt, colsAt);
  const cols = extent(shape, colsAt, innerAt);
  const depth = extent(shape, innerAt, innerAt + innerAxes);
  const { strided } = kernel;
  const size = 2 * (batches + depth) + rows + cols + strided.length * (batches + rows + cols);
  if (problem.tables.length < size) problem.tables = new Int32Array(size * 2);
  const t = problem.tables;
  const [a, b] = [args[0]!, args[1]!];
  const leftBatch = 0;
  const rightBatch = offsets(t, leftBatch, shape, 0, rowsAt, a.strides);
  left.outer = offsets(t, rightBatch, shape, 0, rowsAt, b.strides);
  right.outer = offsets(t, left.outer, shape, rowsAt, colsAt, a.strides);
  left.inner = offsets(t, right.outer, shape, colsAt, innerAt, b.strides);
  right.inner = offsets(t, left.inner, shape, innerAt, innerAt + innerAxes, a.strides);
  let next = offsets(t, right.inner, shape, innerAt, innerAt + innerAxes, b.strides);
  for (let k = 0; k < strided.length; k++) {
    const { strides } = args[strided[k]!]!;
    problem.starts[3 * k] = next;
    problem.starts[3 * k + 1] = next = offsets(t, next, shape, 0, rowsAt, strides);
    problem.starts[3 * k + 2] = next = offsets(t, next, shape, rowsAt, colsAt, strides);
    next = offsets(t, next, shape, colsAt, innerAt, strides);
  }
  problem.args = args;
  problem.shape = shape;
  problem.uniforms = uniforms;
  problem.rows = rows;
  problem.cols = cols;
  problem.depth = depth;
  left.data = (a.buffer as CpuBuffer).data;
  right.data = (b.buffer as CpuBuffer).data;
  for (let batch = 0; batch < batches; batch++) {
    problem.batch = batch;
    left.base = a.offset + t[leftBatch + batch]!;
    right.base = b.offset + t[rightBatch + batch]!;
    if (kernel.integer || rows < 4 || cols < 4) thin(kernel);
    else blocked(kernel);
  }
  problem.args = none; // keeps no buffer alive
  left.data = right.data = nothing;
}

const extent = (shape: readonly number[], from: number, to: number): number => {
  let size = 1;
  for (let axis = from; axis < to; axis++) size *= shape[axis]!;
  return size;
};

/** Writes the offset of every index over some axes, in row-major order; returns where the next table begins. */
function offsets(
  tables: Int32Array,
  at: number,
  shape: readonly number[],
  from: number,
  to: number,
  strides: readonly number[],
): number {
  tables[at] = 0;
  let done = 1;
  for (let axis = to - 1; axis >= from; axis--) {
    const count = shape[axis]!;
    const stride = strides[axis]!;
    for (let i = 1; i < count; i++) {
      const [start, shift] = [at + i * done, i * stride];
      for (let j = 0; j < done; j++) tables[start + j] = tables[at + j]! + shift;
    }
    done *= count;
  }
  return at + done;
}

/** Few rows or few columns, and integers: straight from the operands. */
function thin(kernel: ContractKernel): void {
  const { rows, cols, tables } = problem;
  const swapped = cols < rows;
  const [few, wide] = swapped ? [right, left] : [left, right];
  const rowStretch = kernel.integer ? blockRows : swapped ? thinStretch : 4;
  const colStretch = kernel.integer ? blockCols : swapped ? 4 : thinStretch;
  const size = Math.min(rows, rowStretch) * Math.min(cols, colStretch);
  if (problem.sums.length < size) problem.sums = new Float64Array(size);
  // Walking the wide operand along its smaller stride uses every cache line at once.
  const along = problem.depth > 1 ? Math.abs(tables[wide.inner + 1]! - tables[wide.inner]!) : 0;
  const across = (swapped ? rows : cols) > 1 ? Math.abs(tables[wide.outer + 1]! - tables[wide.outer]!) : 0;
  const dots = (across < along ? kernel.spread : kernel.dots)[swapped ? 1 : 0];
  for (let row = 0; row < rows; row += rowStretch) {
    for (let col = 0; col < cols; col += colStretch) {
      problem.firstRow = left.from = row;
      problem.endRow = left.to = Math.min(rows, row + rowStretch);
      problem.firstCol = right.from = col;
      problem.endCol = right.to = Math.min(cols, col + colStretch);
      problem.pitch = right.to - col;
      dots(problem, few, wide, problem.sums, swapped ? 1 : problem.pitch, swapped ? problem.pitch : 1);
      kernel.epilogue(problem);
    }
  }
}
