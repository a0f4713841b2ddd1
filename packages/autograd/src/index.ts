export { type CheckpointOptions, checkpoint } from "./checkpoint.ts";
export { customFunction, customFunctions, FunctionContext, type FunctionDefinition } from "./function.ts";
export { type GradOptions, grad, valueAndGrad } from "./grad.ts";
export { type Checked, type GradcheckOptions, gradcheck, gradgradcheck } from "./gradcheck.ts";
export type { GradHook } from "./graph.ts";
export { isGradEnabled } from "./recording.ts";
export { enableGrad, markLeaf, noGrad, variable } from "./variable.ts";
