/** A function of two numbers to go down on, with its gradient, and the part of the plane that is drawn. */
export interface Surface {
  readonly name: string;
  readonly value: (x: number, y: number) => number;
  readonly gradient: (x: number, y: number) => readonly [number, number];
  readonly start: readonly [number, number];
  readonly minimum: readonly [number, number];
  readonly x: readonly [from: number, to: number];
  readonly y: readonly [from: number, to: number];
  /** Heights of the contour lines. */
  readonly levels: readonly number[];
}

/** A curved, flat valley: finding it is easy, following it is not. */
const rosenbrock: Surface = {
  name: "Rosenbrock",
  value: (x, y) => (1 - x) ** 2 + 100 * (y - x * x) ** 2,
  gradient: (x, y) => [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)],
  start: [-1.5, 2],
  minimum: [1, 1],
  x: [-2, 2],
  y: [-0.75, 2.75],
  levels: [3, 10, 30, 100, 300, 1000, 3000],
};

const sum = (x: number, y: number) => {
  const terms = [1.5, 2.25, 2.625].map((c, i) => c - x + x * y ** (i + 1));
  const dx = terms.reduce((all, t, i) => all + 2 * t * (y ** (i + 1) - 1), 0);
  const dy = terms.reduce((all, t, i) => all + 2 * t * x * (i + 1) * y ** i, 0);
  return { value: terms.reduce((all, t) => all + t * t, 0), gradient: [dx, dy] as const };
};

/** A plain with steep walls at its corners. */
const beale: Surface = {
  name: "Beale",
  value: (x, y) => sum(x, y).value,
  gradient: (x, y) => sum(x, y).gradient,
  start: [0.6, 1.6],
  minimum: [3, 0.5],
  x: [-0.5, 4],
  y: [-1.9, 2.1],
  levels: [0.1, 0.3, 1, 3, 10, 30, 100, 300],
};

export const surfaces: readonly Surface[] = [rosenbrock, beale];

type Point = readonly [number, number];

/** Where `f` has the value `level`: pieces of line, one or two per cell of a grid that the level crosses. */
function crossings({ value, x, y }: Surface, level: number, cells: number): [Point, Point][] {
  const at = ([from, to]: readonly [number, number], k: number) => from + ((to - from) * k) / cells;
  const grid = Array.from({ length: cells + 1 }, (_, i) =>
    Array.from({ length: cells + 1 }, (_, j) => value(at(x, i), at(y, j)) - level),
  );
  const pieces: [Point, Point][] = [];
  for (let i = 0; i < cells; i++) {
    for (let j = 0; j < cells; j++) {
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]] as const; // biome-ignore format: one line
      const found = corners.flatMap(([ai, aj], k) => {
        const [bi, bj] = corners[(k + 1) % 4]!;
        const [a, b] = [grid[ai]![aj]!, grid[bi]![bj]!];
        if (a < 0 === b < 0) return [];
        const t = a / (a - b);
        return [[at(x, ai + t * (bi - ai)), at(y, aj + t * (bj - aj))] as const];
      });
      for (let k = 0; k + 1 < found.length; k += 2) pieces.push([found[k]!, found[k + 1]!]);
    }
  }
  return pieces;
}

const spelled = ([x, y]: Point): string => `${x.toFixed(6)} ${y.toFixed(6)}`;

/** Where `f` has the value `level`, as lines of many points. */
export function contour(surface: Surface, level: number, cells = 80): Point[][] {
  const open = new Map<string, Set<[Point, Point]>>();
  const pieces = new Set(crossings(surface, level, cells));
  for (const piece of pieces) for (const end of piece) open.set(spelled(end), (open.get(spelled(end)) ?? new Set()).add(piece)); // biome-ignore format: one line
  const lines: Point[][] = [];
  for (const first of pieces) {
    pieces.delete(first);
    const line: Point[] = [...first];
    for (const forwards of [true, false]) {
      for (;;) {
        const end = forwards ? line.at(-1)! : line[0]!;
        const next = [...(open.get(spelled(end)) ?? [])].find((piece) => pieces.has(piece));
        if (!next) break;
        pieces.delete(next);
        const far = spelled(next[0]) === spelled(end) ? next[1] : next[0];
        if (forwards) line.push(far);
        else line.unshift(far);
      }
    }
    lines.push(line);
  }
  return lines;
}
