import { DescentError, Tensor } from "@descent/tensor";
import { overwrite } from "../core/overwrite.ts";
import type { Averageable } from "./averageable.ts";
import { AveragedModel } from "./averaged-model.ts";

/** What `updateBn` needs of a model; `nn.Module` has it. */
export interface WithBatchNorm<X> extends Averageable {
  forward(x: X): unknown;
  modules(): Iterable<object>;
}

export interface UpdateBnOptions<Batch, X> {
  /** The model's input in a batch. Default: the batch itself if it is a tensor, its first entry if it is a list, else its `x`. */
  readonly input?: (batch: Batch) => X;
}

/** A batch norm, as seen from here. */
interface BatchNorm {
  training: boolean;
  momentum: number | null;
  readonly runningMean: Tensor | null;
  readonly runningVar: Tensor | null;
  readonly numBatchesTracked: Tensor | null;
}

const isBatchNorm = (module: object): module is BatchNorm =>
  "runningMean" in module && "runningVar" in module && "momentum" in module;

function inputOf(batch: unknown): unknown {
  if (batch instanceof Tensor) return batch;
  if (Array.isArray(batch)) return batch[0];
  if (typeof batch === "object" && batch !== null && "x" in batch) return batch.x;
  const hint = "Pass { input: (batch) => … }.";
  throw new DescentError("argument", "updateBn", "the batch is no tensor, no list and has no x", {}, hint);
}

/** Runs `fn` with the parameters off their tapes: nothing that it computes with them is recorded. */
function unrecorded<R>(parameters: readonly Tensor[], fn: () => R): R {
  const before = parameters.map(({ tape, node }) => ({ tape, node }));
  for (const p of parameters) Object.assign(p, { tape: null, node: null });
  try {
    return fn();
  } finally {
    for (const [i, p] of parameters.entries()) Object.assign(p, before[i]);
  }
}

/**
 * Recomputes the running statistics of every batch norm with one pass over `loader`, all batches counting the same
 * (torch.optim.swa_utils.update_bn): averaged weights need their own. Give it the AveragedModel, or a model. Nothing is recorded;
 * modes and momenta are put back.
 *
 * @example
 * await updateBn(loader, averaged);
 */
export async function updateBn<Batch, X>(
  loader: Iterable<Batch> | AsyncIterable<Batch>,
  model: WithBatchNorm<X> | AveragedModel<WithBatchNorm<X>>,
  options: UpdateBnOptions<Batch, X> = {},
): Promise<void> {
  if (model instanceof AveragedModel) return model.evaluate((module) => updateBn(loader, module, options));
  const modules = [...model.modules()] as { training: boolean }[];
  const norms = modules.filter(isBatchNorm);
  if (norms.length === 0) return;
  const parameters = [...model.parameters()];
  const modes = modules.map((module) => module.training);
  const momenta = norms.map(({ momentum }) => momentum);
  for (const { runningMean, runningVar, numBatchesTracked } of norms) {
    if (runningMean) overwrite(runningMean.detach(), 0);
    if (runningVar) overwrite(runningVar.detach(), 1);
    if (numBatchesTracked) overwrite(numBatchesTracked.detach(), 0);
  }
  for (const norm of norms) norm.momentum = null;
  for (const module of modules) module.training = true;
  const input = options.input ?? (inputOf as (batch: Batch) => X);
  try {
    for await (const batch of loader) await unrecorded(parameters, () => model.forward(input(batch)));
  } finally {
    for (const [i, norm] of norms.entries()) norm.momentum = momenta[i] as number | null;
    for (const [i, module] of modules.entries()) module.training = modes[i] as boolean;
  }
}
