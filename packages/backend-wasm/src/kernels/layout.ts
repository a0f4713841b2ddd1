import type { Access, Binding, BodyProgram, Program } from "@descent/backend";

/** How the innermost axis of a strided operand is walked: element by element, not at all, or by a stride known at run time. */
export type Walk = "1" | "0" | "n";

export const walkOf = (stride: number, extent: number): Walk =>
  stride === 0 ? "0" : stride === 1 || extent <= 1 ? "1" : "n";

export const isStrided = ({ access }: Binding): boolean => access === "strided" || access === "stridedRow";
export const isOnRow = (access: Access): boolean => access === "row" || access === "stridedRow" || access === "single";

/** Where things lie in the parameters of a launch, in bytes: uniforms (8 each), then words. */
export class Layout {
  #end: number;

  constructor(program: Program) {
    this.#end = program.uniforms.length * 8;
  }

  /** Reserves `count` words. */
  words(count: number): number {
    const at = this.#end;
    this.#end += 4 * count;
    return at;
  }

  get bytes(): number {
    return (this.#end + 15) & ~15;
  }
}

const cheap =
  /^(load|const|uniform|index|accumulator|fold|add|sub|mul|neg|abs|min|max|floor|ceil|round|trunc|eq|ne|lt|le|gt|ge|and|or|xor|not|select|cast|bit|shl|shr)/;

/** What instructions take, in simple ones: a division counts as 4, a function as 8. */
export const weightOf = (body: BodyProgram["body"]): number =>
  body.reduce((sum, { op }) => sum + (cheap.test(op) ? 1 : /div|sqrt/.test(op) ? 4 : 8), 0);

/** Nanoseconds that one simple instruction takes per element. */
export const cheapCost = 0.03;

/** Nanoseconds per element, roughly: what decides whether threads are worth waking. */
export const elementCost = ({ body, bindings }: BodyProgram): number =>
  body.reduce(
    (sum, { op }) => sum + (cheap.test(op) ? cheapCost : /div|sqrt/.test(op) ? 0.25 : 1.5),
    0.05 * bindings.length,
  );
