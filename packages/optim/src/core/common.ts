import type { DType } from "@descent/tensor";
import { choice, flag, type OptionTable } from "./options.ts";

/** Options of every element-wise optimizer. */
export interface Common {
  /** Ascend instead of descend. Default: false. */
  maximize: boolean;
  /**
   * Record the step, so that it can be differentiated: `step()` then puts new tensors into `paramGroups[i].params`, and the old
   * ones keep their values. Default: false.
   */
  differentiable: boolean;
  /** dtype of the state buffers; null: the parameter's. Default: null. */
  stateDtype: DType | null;
}

export const common = (): OptionTable<Common> => ({
  maximize: flag(false),
  differentiable: flag(false),
  stateDtype: choice<DType | null>(null, [null, "float32", "float64", "float16", "bfloat16"]),
});
