import type { DType } from "@descent/tensor";
import { choice, flag, type OptionTable } from "./options.ts";
import type { Rounding } from "./rounding.ts";

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
  /**
   * How parameters of float16 and bfloat16 are stored: "nearest"; "stochastic": up or down by chance, so that small updates count on
   * average; "kahan": what was rounded off is kept in one more buffer, `compensation`, and added to the next update. Others are not
   * concerned. Default: "nearest".
   */
  rounding: Rounding;
}

export const common = (): OptionTable<Common> => ({
  maximize: flag(false),
  differentiable: flag(false),
  stateDtype: choice<DType | null>(null, [null, "float32", "float64", "float16", "bfloat16"]),
  rounding: choice<Rounding>("nearest", ["nearest", "stochastic", "kahan"]),
});
