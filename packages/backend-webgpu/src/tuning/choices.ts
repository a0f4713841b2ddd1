import type { ContractProgram, Launch } from "@descent/backend";
import type { Choice, Sizes } from "../kernels/contract-plan.ts";
import { type Features, held } from "../wgsl/storage.ts";

/** A class of products, and the one of them that does most. */
export interface Seen {
  readonly launch: Launch;
  readonly sizes: Sizes;
  /** Whether both operands are held in 16 bits. */
  readonly half: boolean;
}

/** The power of four that is no less: products within it are of a kind. */
const upTo = (extent: number): number => 4 ** Math.ceil(Math.log2(extent) / 2);

export const workOf = ({ batches, m, n, k }: Sizes): number => 2 * batches * m * n * k;

/** What was found to be the fastest way of computing products of a class; elsewhere the rules decide. */
export class Choices {
  /** By class; null: the rules are best. */
  readonly chosen = new Map<string, Choice | null>();
  /** Where they are kept: a folder in Node, a database in browsers; undefined: in the usual place; false: nowhere. */
  readonly cache: string | false | undefined;
  /** While set, every product is computed this way. */
  forced: Choice | null = null;
  /** While set, products leave word of themselves, by class. */
  noticed: Map<string, Seen> | null = null;

  constructor(cache: string | false | undefined) {
    this.cache = cache;
  }

  of(program: ContractProgram, launch: Launch, sizes: Sizes, features: Features): Choice | undefined {
    const { chosen, forced, noticed } = this;
    if (forced) return forced;
    if (!noticed && chosen.size === 0) return undefined;
    const [left, right] = [0, 1].map((k) => held(program.bindings[k]!.dtype, features));
    const { batches, m, n, k } = sizes;
    const name = `${left} ${right} ${[batches, m, n, k].map(upTo).join("x")}`;
    const before = noticed?.get(name);
    if (noticed && (!before || workOf(before.sizes) < workOf(sizes)))
      noticed.set(name, { launch, sizes, half: left === "f16" && right === "f16" });
    return chosen.get(name) ?? undefined;
  }
}
