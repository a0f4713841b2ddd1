export { expectClose, type Tolerance, ulpDiff } from "./compare.ts";
export {
  type DtypeName,
  decode,
  decodeData,
  decodeNumber,
  type FixtureTensor,
  isRawTensor,
  type Layout,
  loadFixtureFile,
  loadFixtures,
  type OpCase,
  type RawInput,
  type RawNumber,
  type RawTensor,
  type TypedArray,
} from "./fixtures.ts";
export { type TestFunction, testFunctions } from "./functions.ts";
export { baseOf } from "./layout.ts";
export {
  gradientAt,
  gradientValues,
  type LbfgsTrace,
  type Options,
  type RawSparse,
  type RawStateDict,
  type Snapshot,
  type SparseValues,
  type StepSpan,
  sparseGradientValues,
  stream,
  TRAJECTORY_STEPS,
  type Trajectory,
} from "./trajectory.ts";
