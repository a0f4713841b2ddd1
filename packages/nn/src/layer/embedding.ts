import { noGrad } from "@descent/autograd";
import { type CreateOptions, checkOptions, DescentError, embedding, empty, type Tensor } from "@descent/tensor";
import { checkCount } from "../check.ts";
import { normal_ } from "../init.ts";
import { Module } from "../module.ts";
import { Parameter } from "../parameter.ts";

export interface EmbeddingModuleOptions extends CreateOptions {
  /** The row that stands for padding: zeros at first, and never changed by a gradient. Negative ones count from the end. */
  readonly paddingIdx?: number | null;
  /** Whether gradients are `SparseTensor`s of the rows in use, for optimizers that take them, such as SparseAdam. Default: false. */
  readonly sparse?: boolean;
}

/**
 * One learned row of `embeddingDim` numbers per index: `[…]` of an integer dtype to `[…, embeddingDim]` (torch.nn.Embedding).
 * Rows are normally distributed at first.
 */
export class Embedding extends Module {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  readonly paddingIdx: number | null;
  readonly sparse: boolean;
  /** [numEmbeddings, embeddingDim]. */
  readonly weight: Parameter;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingModuleOptions = {}) {
    super();
    checkOptions("Embedding", options, ["paddingIdx", "sparse", "dtype", "backend"]);
    const { paddingIdx = null, sparse = false, ...where } = options;
    this.numEmbeddings = checkCount("Embedding", "numEmbeddings", numEmbeddings);
    this.embeddingDim = checkCount("Embedding", "embeddingDim", embeddingDim);
    if (
      paddingIdx !== null &&
      !(Number.isInteger(paddingIdx) && paddingIdx >= -numEmbeddings && paddingIdx < numEmbeddings)
    ) {
      const hint = `Rows run from 0 to ${numEmbeddings - 1}.`;
      throw new DescentError("argument", "Embedding", "paddingIdx is no row", { paddingIdx }, hint);
    }
    this.paddingIdx = paddingIdx !== null && paddingIdx < 0 ? paddingIdx + numEmbeddings : paddingIdx;
    this.sparse = sparse;
    this.weight = new Parameter(empty([numEmbeddings, embeddingDim], where));
    normal_(this.weight);
    const { paddingIdx: padding } = this;
    if (padding !== null) noGrad(() => this.weight.detach().select(0, padding).zero_());
  }

  override forward(index: Tensor): Tensor {
    return embedding(index, this.weight, { paddingIdx: this.paddingIdx, sparse: this.sparse });
  }
  protected override extraRepr(): string {
    const padding = this.paddingIdx === null ? "" : `, paddingIdx=${this.paddingIdx}`;
    return `${this.numEmbeddings}, ${this.embeddingDim}${padding}${this.sparse ? ", sparse=true" : ""}`;
  }
}
