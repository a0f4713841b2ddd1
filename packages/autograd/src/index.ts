export { edgeOf, isGradEnabled } from "./graph.ts";
export { enableGrad, type GradOptions, grad, markLeaf, noGrad, variable } from "./variable.ts";
