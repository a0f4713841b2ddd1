import type { Access, Binding, Program } from "@descent/backend";

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
