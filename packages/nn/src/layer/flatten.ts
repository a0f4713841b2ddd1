import { DescentError, type Tensor } from "@descent/tensor";
import { Module } from "../module.ts";

/** Axes `startDim` to `endDim` as one; by default all but the first (torch.nn.Flatten). No copy where the layout allows. */
export class Flatten extends Module {
  readonly startDim: number;
  readonly endDim: number;
  constructor(startDim = 1, endDim = -1) {
    super();
    this.startDim = startDim;
    this.endDim = endDim;
  }
  override forward(x: Tensor): Tensor {
    return x.flatten(this.startDim, this.endDim);
  }
  protected override extraRepr(): string {
    return `startDim=${this.startDim}, endDim=${this.endDim}`;
  }
}

/** Axis `dim` as several, of extents `sizes`, of which one may be −1 (torch.nn.Unflatten). */
export class Unflatten extends Module {
  readonly dim: number;
  readonly sizes: readonly number[];
  constructor(dim: number, sizes: readonly number[]) {
    super();
    this.dim = dim;
    this.sizes = sizes;
  }
  override forward(x: Tensor): Tensor {
    const axis = this.dim < 0 ? this.dim + x.ndim : this.dim;
    const extent = x.shape[axis];
    const facts = { input: `[${x.shape.join(", ")}]`, dim: this.dim, sizes: `[${this.sizes.join(", ")}]` };
    if (extent === undefined) throw new DescentError("shape", "Unflatten", "no such axis", facts);
    const known = this.sizes.reduce((product, size) => (size === -1 ? product : product * size), 1);
    const sizes = this.sizes.map((size) => (size === -1 ? extent / known : size));
    if (sizes.reduce((product, size) => product * size, 1) !== extent || !sizes.every(Number.isInteger))
      throw new DescentError("shape", "Unflatten", "the sizes do not make up the axis", { ...facts, extent });
    return x.reshape([...x.shape.slice(0, axis), ...sizes, ...x.shape.slice(axis + 1)]);
  }
  protected override extraRepr(): string {
    return `dim=${this.dim}, sizes=[${this.sizes.join(", ")}]`;
  }
}
