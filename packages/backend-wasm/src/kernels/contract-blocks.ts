/** What there is to multiply: `batches` times m rows by n columns over k inner indices. */
export interface Extents {
  readonly batches: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Rows, columns and inner indices that a unit of work takes at a time. */
export interface Blocks {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
}

interface Setting {
  /** Bytes per element. */
  readonly size: 4 | 8;
  /** Rows and columns of a tile. */
  readonly tile: readonly [rows: number, columns: number];
  /** What `directInner` gives; 0 where the left operand is packed. */
  readonly direct: number;
  /** Elements of scratch memory for what is packed and for partial sums. */
  readonly room: number;
  readonly threads: number;
}

/** Most inner indices of a block: a panel of columns over so many, and one of rows, stay in the first-level cache. */
export const mostInner = 640;
/** Most of a run of inner indices: with the most rows there are, so many fit in the second-level cache. */
const mostRun = 480;
/** Most bytes of the left operand in a block: all its columns meet them in the second-level cache. */
const mostLeft = 1 << 20;
/** Fewest inner indices for which it pays to read rows where they lie, between which partial sums are put aside. */
const leastDirect = 96;
/** Most rows and columns of a block, in bytes of one element. */
export const [mostRows, mostColumns] = [2064, 1024];

const roundUp = (x: number, multiple: number): number => Math.ceil(x / multiple) * multiple;

/**
 * Nanoseconds, roughly, to pack an element, to multiply and add one pair, to put a sum aside and take it up again, to write one entry of
 * a table of offsets, and to begin a block.
 */
const [packCost, pairCost, sumCost, tableCost, blockCost] = [0.5, 0.05, 0.25, 1, 500];

/** Inner indices of which a block takes no more, so as not to leave a run of `run` ones in the left operand; 0 where they are too few. */
export function directInner(run: number, k: number): number {
  if (run >= k) return k;
  for (let parts = Math.ceil(run / mostRun); run >= leastDirect * parts; parts++) {
    if (run % parts === 0) return run / parts;
  }
  return 0;
}

/**
 * The blocks that let all threads end soonest: more blocks share the work more evenly, but each packs its columns, and mostly its rows,
 * again.
 */
export function chooseBlocks({ batches, m, n, k }: Extents, setting: Setting): Blocks {
  const { size, tile, direct, room, threads } = setting;
  const leastR = Math.max(1, Math.ceil((m * size) / mostRows));
  const leastC = Math.max(1, Math.ceil((n * size) / mostColumns));
  const more = batches < 4 * threads ? Math.min(4 * threads, 16) : 1;
  const packed = direct ? 0 : 1;
  const byRun = direct > 0 && direct < k;
  let best = Number.POSITIVE_INFINITY;
  let chosen: Blocks = { rows: 0, columns: 0, inner: 0 };
  for (let r = leastR; r < leastR + more; r++) {
    const rows = roundUp(Math.ceil(m / r), tile[0]);
    // Few enough columns always find room.
    for (let c = leastC; c < leastC + more || best === Number.POSITIVE_INFINITY; c++) {
      const columns = roundUp(Math.ceil(n / c), tile[1]);
      const fitting = Math.floor((room - rows * columns) / (columns + packed * rows));
      const most = Math.min(mostInner, fitting, mostLeft / (size * rows)) & -4;
      if (most < (byRun ? direct : Math.min(k, 64))) continue;
      const inner = byRun ? direct : roundUp(Math.ceil(k / Math.max(1, Math.ceil(k / most))), 4) || 4;
      const units = batches * Math.ceil(m / rows) * Math.ceil(n / columns);
      const innerBlocks = Math.ceil(k / inner);
      const unit =
        (packed * rows + columns) * k * packCost +
        rows * columns * (k * pairCost + (innerBlocks - 1) * sumCost) +
        (rows + columns + inner * innerBlocks) * tableCost +
        blockCost;
      // A thread may come late by part of a block.
      const time = (Math.ceil(units / threads) + (threads > 1 ? 0.5 : 0)) * unit;
      if (time >= best) continue;
      best = time;
      chosen = { rows, columns, inner };
    }
  }
  return chosen;
}
