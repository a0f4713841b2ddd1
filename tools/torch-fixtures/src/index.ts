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
export { baseOf } from "./layout.ts";
export {
  gradientAt,
  gradientValues,
  type Options,
  type RawStateDict,
  type Snapshot,
  type StepSpan,
  stream,
  TRAJECTORY_STEPS,
  type Trajectory,
} from "./trajectory.ts";
