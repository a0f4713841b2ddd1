import { byRule, type Choice, cut, nameOf, type Shape, type Sizes, threadsOf } from "../kernels/contract-plan.ts";

/** Rows, columns and depth of a workgroup; rows and columns of a thread. */
const layouts: readonly (readonly [number, number, number, number, number])[] = [
  [128, 128, 16, 8, 8],
  [128, 128, 8, 8, 8],
  [128, 256, 8, 8, 16],
  [256, 128, 8, 16, 8],
  [128, 64, 16, 8, 8],
  [64, 128, 16, 8, 8],
  [64, 64, 16, 4, 4],
  [64, 64, 16, 8, 4],
  [64, 64, 16, 8, 8],
  [64, 64, 32, 4, 4],
  [64, 32, 16, 4, 4],
  [32, 64, 16, 4, 4],
  [32, 32, 16, 4, 4],
  [32, 32, 32, 4, 4],
  [128, 16, 16, 8, 4],
  [16, 128, 16, 4, 8],
  [64, 16, 32, 4, 4],
  [16, 64, 32, 4, 4],
];
const aheads = [0, 1, 2] as const;
const fills = [1, 2, 4];

/** Every shape that a product may be given, as the rules would load it. */
export const shapes: readonly Shape[] = layouts.map(([rows, cols, depth, r, c]) => ({
  ...{ rows, cols, depth, perThread: [r, c], ahead: 1, half: false },
}));

/** What a device lets a workgroup have. */
export type WorkgroupLimits = Pick<
  GPUSupportedLimits,
  "maxComputeInvocationsPerWorkgroup" | "maxComputeWorkgroupSizeX" | "maxComputeWorkgroupStorageSize"
>;

/** Whether a device can run a shape. */
export function fits(shape: Shape, limits: WorkgroupLimits): boolean {
  const threads = threadsOf(shape);
  const bytes = (shape.rows + shape.cols) * shape.depth * 4 * (shape.ahead === 2 ? 2 : 1);
  return (
    threads <= limits.maxComputeInvocationsPerWorkgroup &&
    threads <= limits.maxComputeWorkgroupSizeX &&
    bytes <= limits.maxComputeWorkgroupStorageSize
  );
}

/** Every choice that the device can run, by name. */
export function catalogue(limits: WorkgroupLimits): Map<string, Choice> {
  const every = shapes.flatMap((shape) => variants({ shape, fill: 1 }, true, fills));
  return new Map(every.filter(({ shape }) => fits(shape, limits)).map((choice) => [nameOf(choice), choice]));
}

/** A choice with everything but its layout varied. */
function variants({ shape }: Choice, half: boolean, fills: readonly number[]): Choice[] {
  const halves = half ? [false, true] : [false];
  return aheads.flatMap((ahead) =>
    halves.flatMap((half) => fills.map((fill) => ({ shape: { ...shape, ahead, half }, fill }))),
  );
}

const area = ({ rows, cols }: Shape): number => rows * cols;

/** What the rules choose, and the layouts worth trying beside it: those of its size, give or take, that are not mostly edge. */
export function layoutsFor(sizes: Sizes, enough: number, limits: WorkgroupLimits): Choice[] {
  const rule = byRule(sizes, enough);
  const near = shapes.filter(
    (shape) =>
      fits(shape, limits) &&
      sizes.m >= shape.rows / 2 &&
      sizes.n >= shape.cols / 2 &&
      area(shape) <= 4 * area(rule.shape) &&
      area(rule.shape) <= 4 * area(shape),
  );
  return distinct([rule, ...near.map((shape) => ({ shape, fill: 1 }))]);
}

/** A layout and what may make it faster: other ways of loading, halves, a longer inner axis in more parts. */
export function variantsFor(choice: Choice, sizes: Sizes, enough: number, half: boolean, limits: WorkgroupLimits) {
  const seen = new Set<number>();
  const useful = fills.filter((fill) => {
    const [, splits] = cut(sizes, { ...choice, fill }, enough);
    return seen.size !== seen.add(splits).size;
  });
  const one = { ...choice, fill: 1 };
  const loads = variants(one, half, [1]);
  const parts = useful.map((fill) => ({ ...choice, fill }));
  return distinct([choice, ...loads, ...parts]).filter(({ shape }) => fits(shape, limits));
}

function distinct(choices: readonly Choice[]): Choice[] {
  const byName = new Map(choices.map((choice) => [nameOf(choice), choice]));
  return [...byName.values()];
}
