import { arange, checkOptions, DescentError, type Tensor } from "@descent/tensor";
import { dropout } from "./layer/dropout.ts";

export interface AttentionOptions {
  /** What each query may see, broadcasting to [..., queries, keys]: false hides a key; numbers are added to the scores. Default: all. */
  readonly attnMask?: Tensor | null;
  /** Query i sees keys 0 to i. Default: false. */
  readonly isCausal?: boolean;
  /** Factor of the scores. Default: 1 / √features. */
  readonly scale?: number;
  /** Share of the weights that is dropped; pass 0 in evaluation. Default: 0. */
  readonly dropoutP?: number;
}

/** Scores no exponential is left of, yet finite, so that a row of nothing else has a derivative. */
const hidden = (scores: Tensor): number => (scores.dtype === "float16" ? -65504 : -3e38);

function visible(query: Tensor, key: Tensor, { attnMask = null, isCausal = false }: AttentionOptions): Tensor | null {
  if (!isCausal) return attnMask;
  if (attnMask !== null) {
    const hint = "Hide later keys in attnMask.";
    throw new DescentError("option", "scaledDotProductAttention", "isCausal is a mask of its own", {}, hint);
  }
  const [queries, keys] = [query, key].map((t) => arange(t.shape.at(-2) as number, { backend: query.backend }));
  return (queries as Tensor).unsqueeze(1).ge(keys as Tensor);
}

/**
 * softmax(query · keyᵀ · scale) · value, of `[…, queries, features]`, `[…, keys, features]` and `[…, keys, width]`
 * (torch.nn.functional.scaled_dot_product_attention). A query that sees no key gives zeros. Vaswani et al. 2017, arXiv:1706.03762.
 *
 * @example
 * scaledDotProductAttention(q, k, v, { isCausal: true }); // each [batch, heads, length, features]
 */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = {},
): Tensor {
  checkOptions("scaledDotProductAttention", options, ["attnMask", "isCausal", "scale", "dropoutP"]);
  checkAxes(query, key, value);
  const mask = visible(query, key, options);
  const { scale = 1 / Math.sqrt(query.shape.at(-1) as number), dropoutP = 0 } = options;
  const scores = query.matmul(key.transpose(-2, -1)).mul(scale);
  return dropout(weights(scores, mask), dropoutP).matmul(value);
}

function weights(scores: Tensor, mask: Tensor | null): Tensor {
  if (mask === null) return scores.softmax(-1);
  if (mask.dtype !== "bool") return scores.add(mask).softmax(-1);
  const unseen = mask.logicalNot();
  return scores.maskedFill(unseen, hidden(scores)).softmax(-1).maskedFill(unseen, 0);
}

function checkAxes(query: Tensor, key: Tensor, value: Tensor): void {
  const fits =
    [query, key, value].every(({ ndim }) => ndim >= 2) &&
    query.shape.at(-1) === key.shape.at(-1) &&
    key.shape.at(-2) === value.shape.at(-2);
  if (fits) return;
  const show = ({ shape }: Tensor) => `[${shape.join(", ")}]`;
  const facts = { query: show(query), key: show(key), value: show(value) };
  const hint = "query is […, queries, features], key […, keys, features], value […, keys, width].";
  throw new DescentError("shape", "scaledDotProductAttention", "the shapes do not go together", facts, hint);
}
