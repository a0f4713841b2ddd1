import type { ContractProgram } from "@descent/backend";

/** How a product is laid over workgroups and threads. */
export interface Shape {
  /** The part of the result that a workgroup computes, and the inner elements that it multiplies at a time. */
  readonly rows: number;
  readonly cols: number;
  readonly depth: number;
  /** Rows and columns of one thread: multiples of four. */
  readonly perThread: readonly [rows: number, cols: number];
  /**
   * When the next stretch is loaded: 0, once this one has been multiplied; 1, while it is, into registers; 2, from there into a second
   * copy of the tiles, which takes twice the memory and saves a barrier.
   */
  readonly ahead: 0 | 1 | 2;
  /** Whether operands of 16 bits stay so in workgroup memory. */
  readonly half: boolean;
}

/** How a product is computed. */
export interface Choice {
  readonly shape: Shape;
  /** A long inner axis is cut until there are so many times the workgroups that keep the device busy. */
  readonly fill: number;
}

const usual = (side: number, perThread: number): Choice => ({
  shape: { rows: side, cols: side, depth: 16, perThread: [perThread, perThread], ahead: 1, half: false },
  fill: 1,
});

/** What is chosen by rule, from large to small: large tiles load less, small ones keep more of the device busy. */
export const rules: readonly Choice[] = [usual(128, 8), usual(64, 4), usual(32, 4)];

/** Inner elements that a part of a split product has at least. */
const leastStretch = 256;

export interface Sizes {
  readonly batches: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

export function sizesOf({ batch, rows, cols }: ContractProgram, shape: readonly number[]): Sizes {
  const size = (from: number, to?: number) => shape.slice(from, to).reduce((product, extent) => product * extent, 1);
  return {
    batches: size(0, batch),
    m: size(batch, batch + rows),
    n: size(batch + rows, batch + rows + cols),
    k: size(batch + rows + cols),
  };
}

export const groupsOf = ({ batches, m, n }: Sizes, { rows, cols }: Shape): number =>
  batches * Math.ceil(m / rows) * Math.ceil(n / cols);

/** The largest tile that still makes enough workgroups, or the smallest. */
export function byRule(sizes: Sizes, enough: number): Choice {
  const fitting = rules.find(
    ({ shape }) => groupsOf(sizes, shape) >= enough && sizes.m >= shape.rows / 2 && sizes.n >= shape.cols / 2,
  );
  return fitting ?? (rules.at(-1) as Choice);
}

/** Inner elements of a part, and how many parts there are. */
export function cut(sizes: Sizes, { shape, fill }: Choice, enough: number): [stretch: number, splits: number] {
  const { k } = sizes;
  const parts = Math.min(Math.ceil((fill * enough) / groupsOf(sizes, shape)), Math.floor(k / leastStretch));
  if (parts <= 1) return [k, 1];
  const stretch = Math.ceil(k / parts / shape.depth) * shape.depth;
  return [stretch, Math.ceil(k / stretch)];
}

/** Threads of a workgroup. */
export const threadsOf = ({ rows, cols, perThread }: Shape): number => (rows / perThread[0]) * (cols / perThread[1]);

/** A choice in a few letters, the same in every release: what a cache keeps. */
export const nameOf = ({ shape, fill }: Choice): string => {
  const { rows, cols, depth, perThread, ahead, half } = shape;
  return `${rows}x${cols}x${depth} ${perThread.join("x")} ahead ${ahead}${half ? " half" : ""}${fill === 1 ? "" : ` fill ${fill}`}`;
};
