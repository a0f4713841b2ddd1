import type { HostArray, Launch } from "@descent/backend";
import type { Generator, RngState } from "../generator.ts";
import type { RandomKey } from "../random-stream.ts";
import type { Runtime } from "../runtime.ts";
import type { Storage } from "../storage.ts";
import type { Tape } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import type { HostCall, HostPart } from "../watch.ts";

/** Memory that the step itself made. */
export interface Temporary {
  readonly kind: "temporary";
  /** Counts up as the step makes them. */
  readonly index: number;
  readonly storage: Storage;
  /** The first and the last launch that works on it. */
  first: number;
  last: number;
  /** What the host wrote into it, and whether a launch wrote over that. */
  data: HostArray | null;
  overwritten: boolean;
  /** Whether host code looks at it: it stays where it is. */
  fixed: boolean;
}
/** Memory that was there before: parameters, optimizer state, constants. */
export interface Kept {
  readonly kind: "kept";
  readonly storage: Storage;
  /** Its version when the step first used it. */
  readonly version: number;
}
/** Memory of a tensor that the step was given. */
export interface Input {
  readonly kind: "input";
  readonly index: number;
}
export type Place = Temporary | Kept | Input;

/** A draw of random numbers: `delta` draws after the first one of this step. */
export interface Drawn {
  readonly generator: Generator;
  readonly key: RandomKey;
  readonly delta: number;
}

export interface LaunchStep {
  readonly kind: "launch";
  readonly launch: Launch;
  readonly places: readonly Place[];
  readonly host: HostPart | null;
}
/** Host code; the gradients, and how far generators had gone on, when it ran. */
export interface CallStep {
  readonly kind: "call";
  readonly call: HostCall;
  readonly grads: readonly (readonly [Tensor, Tensor | null])[];
  readonly draws: ReadonlyMap<Generator, number>;
}

/** What is known of the gradient of one tensor. */
export interface GradUse {
  /** Whether the step looked at it before setting it, and what it saw then. */
  readonly looked: boolean;
  readonly initial: Tensor | null;
  final: Tensor | null;
}

/** A tensor among the results: where its elements are. */
export interface Result {
  readonly tensor: Tensor;
  readonly place: Place;
}

/** Everything that one run of a step did. */
export interface Recording {
  readonly runtime: Runtime | null;
  readonly steps: readonly (LaunchStep | CallStep)[];
  readonly temporaries: readonly Temporary[];
  readonly kept: readonly Kept[];
  readonly draws: readonly Drawn[];
  /** How many draws each generator went on, and where it ended. */
  readonly advances: ReadonlyMap<Generator, { readonly by: number; readonly end: RngState }>;
  readonly grads: ReadonlyMap<Tensor, GradUse>;
  readonly tapes: ReadonlySet<Tape>;
  readonly placeOf: (tensor: Tensor) => Place | null;
  /** What the step returned, and the tensors in it in order. */
  readonly value: unknown;
  readonly results: readonly Result[];
  /** Memory held until the recording is dropped: what host code will look at again. */
  readonly held: readonly Storage[];
}
