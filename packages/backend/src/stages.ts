import type { Access, FoldProgram, Instruction, Store } from "./program.ts";

/** One pass over the elements of a row, in a fold. */
export interface Stage {
  /** Instructions evaluated per element, in order. Element values do not outlive a stage: they are listed again where needed. */
  readonly element: readonly number[];
  /** The `fold.*` instructions this pass feeds. */
  readonly folds: readonly number[];
  /** Per-row instructions that become known after this pass, in order. */
  readonly row: readonly number[];
}

/** The order of evaluation of a fold: what is known before any pass, the passes, and where stores happen. */
export interface Schedule {
  /** Per-row instructions that need no fold (constants, uniforms, row loads). */
  readonly before: readonly number[];
  readonly stages: readonly Stage[];
  /** Stores per element, made during the last stage. */
  readonly elementStores: readonly Store[];
  /** Stores per row, made after the last stage. */
  readonly rowStores: readonly Store[];
}

export const isRowAccess = (access: Access): boolean =>
  access === "row" || access === "stridedRow" || access === "single";

/** Orders a fold into passes: a fold that uses what another one gives runs in a later pass. */
export function schedule(program: FoldProgram): Schedule {
  const { body, bindings, stores, rank, reduced } = program;
  const perElement: boolean[] = [];
  const depth: number[] = []; // passes that must be over before the instruction can be evaluated
  for (const { op, args, imm } of body) {
    const fold = op.startsWith("fold.");
    const own =
      op === "load"
        ? !isRowAccess(bindings[imm as number]?.access as Access)
        : op === "index" && !((imm as number) >= 0 && (imm as number) < rank - reduced);
    perElement.push(!fold && (own || args.some((arg) => perElement[arg])));
    depth.push(Math.max(0, ...args.map((arg) => depth[arg] as number)) + (fold ? 1 : 0));
  }
  const elementStores = stores.filter(({ binding }) => !isRowAccess(bindings[binding]?.access as Access));
  const rowStores = stores.filter(({ binding }) => isRowAccess(bindings[binding]?.access as Access));
  const lastStore = Math.max(-1, ...elementStores.map(({ value }) => depth[value] as number));
  const count = Math.max(1, lastStore + 1, ...depth);
  const rowAt = (d: number) =>
    body.flatMap((_, id) => (!perElement[id] && depth[id] === d && !isFold(body, id) ? [id] : []));
  const stages = Array.from({ length: count }, (_, pass): Stage => {
    const folds = body.flatMap((_, id) => (isFold(body, id) && depth[id] === pass + 1 ? [id] : []));
    const roots = folds.flatMap((id) => (body[id] as Instruction).args);
    if (pass === count - 1) roots.push(...elementStores.map(({ value }) => value));
    return { element: needed(body, perElement, roots), folds, row: rowAt(pass + 1) };
  });
  return { before: rowAt(0), stages, elementStores, rowStores };
}

const isFold = (body: readonly Instruction[], id: number): boolean => (body[id] as Instruction).op.startsWith("fold.");

/** The per-element instructions that `roots` depend on, in order. */
function needed(body: readonly Instruction[], perElement: readonly boolean[], roots: readonly number[]): number[] {
  const found = new Set<number>();
  const visit = (id: number): void => {
    if (!perElement[id] || found.has(id)) return;
    found.add(id);
    for (const arg of (body[id] as Instruction).args) visit(arg);
  };
  for (const root of roots) visit(root);
  return [...found].sort((a, b) => a - b);
}
