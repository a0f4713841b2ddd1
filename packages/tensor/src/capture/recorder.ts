import { type Buffer, DescentError, type HostArray, type Launch } from "@descent/backend";
import type { Generator, RngState } from "../generator.ts";
import type { RandomKey } from "../random-stream.ts";
import type { Runtime } from "../runtime.ts";
import { tensorsIn } from "../scope.ts";
import type { Storage } from "../storage.ts";
import type { Tape } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { type HostCall, type HostPart, refuse, type Watcher, watched } from "../watch.ts";
import type { CallStep, Drawn, GradUse, Kept, LaunchStep, Place, Recording, Temporary } from "./recording.ts";

const position = ([, , low, high]: RandomKey): number => low + high * 2 ** 32;

/** Notes everything one run of a step does, while it runs as always. */
export class Recorder implements Watcher {
  #runtime: Runtime | null = null;
  readonly #steps: (LaunchStep | CallStep)[] = [];
  readonly #temporaries: Temporary[] = [];
  readonly #kept: Kept[] = [];
  readonly #draws: Drawn[] = [];
  /** Where each generator stood at its first draw. */
  readonly #origins = new Map<Generator, number>();
  readonly #grads = new Map<Tensor, GradUse>();
  readonly #tapes = new Set<Tape>();
  /** By storage for tensors; by buffer for launches, since a buffer that was given back may come again. */
  readonly #places = new Map<Storage, Place>();
  readonly #buffers = new Map<Buffer, Place>();
  readonly #held: Storage[] = [];
  /** Whether host code is running that will run again. */
  #hosting = false;

  constructor(inputs: readonly Tensor[]) {
    inputs.forEach(({ storage }, index) => {
      this.#place(storage, { kind: "input", index });
    });
  }

  #place(storage: Storage, place: Place): void {
    this.#places.set(storage, place);
    this.#buffers.set(storage.block.buffer, place);
  }

  allocated(storage: Storage): void {
    if (this.#hosting) return;
    const index = this.#temporaries.length;
    const none = { first: -1, last: -1, data: null, overwritten: false, fixed: false };
    const temporary: Temporary = { kind: "temporary", index, storage, ...none };
    this.#temporaries.push(temporary);
    this.#place(storage, temporary);
  }

  used(storage: Storage): void {
    const place = this.#places.get(storage);
    if (!place) {
      if (this.#hosting) return; // its launches name their memory themselves, at every replay
      const kept: Kept = { kind: "kept", storage, version: storage.version };
      this.#kept.push(kept);
      this.#place(storage, kept);
    }
  }

  launched(runtime: Runtime, launch: Launch, host: HostPart | null): void {
    if (this.#hosting) return;
    this.#runtime ??= runtime;
    if (this.#runtime !== runtime) {
      const facts = { first: this.#runtime.backend.name, other: runtime.backend.name };
      throw refuse("the step works on two backends", facts, "Capture the part on each of them by itself.");
    }
    const at = this.#steps.length;
    const { bindings } = launch.kernel.program;
    const places = launch.args.map(({ buffer }, i) => {
      const place = this.#buffers.get(buffer);
      if (!place)
        throw new DescentError("internal", "capture", "a launch works on unknown memory", { launch: launch.label });
      const writes = bindings[i]?.mode !== "read";
      if (place.kind === "temporary") {
        if (place.first < 0) place.first = at;
        place.last = at;
        if (writes) place.overwritten = true;
      }
      if (writes && place.kind === "input") {
        const facts = { operation: launch.label, argument: place.index };
        throw refuse("the step changes a tensor it was given in place", facts, "Use the form without underscore.");
      }
      return place;
    });
    this.#steps.push({ kind: "launch", launch, places, host });
  }

  takes(): boolean {
    return false;
  }

  wrote(storage: Storage, data: HostArray): void {
    const place = this.#places.get(storage);
    if (this.#hosting || place?.kind !== "temporary") return;
    place.data = data.slice();
  }

  reads(operation: string): never {
    const hint = "Return the tensor and read it after the step: a replay runs no code in between.";
    throw refuse("the step reads values while it runs", { operation }, hint);
  }

  drew(generator: Generator, key: RandomKey): void {
    if (this.#hosting) return;
    if (!this.#origins.has(generator)) this.#origins.set(generator, position(key));
    this.#draws.push({ generator, key, delta: position(key) - (this.#origins.get(generator) as number) });
  }

  gradRead(tensor: Tensor, grad: Tensor | null): void {
    if (!this.#hosting && !this.#grads.has(tensor))
      this.#grads.set(tensor, { looked: true, initial: grad, final: grad });
  }

  gradSet(tensor: Tensor, grad: Tensor | null): void {
    const use = this.#grads.get(tensor);
    if (use) use.final = grad;
    else this.#grads.set(tensor, { looked: false, initial: null, final: grad });
  }

  metTape(tape: Tape): void {
    this.#tapes.add(tape);
  }

  hosts(call: HostCall): void {
    const grads = [...this.#grads].map(([tensor, { final }]) => [tensor, final] as const);
    const draws = new Map([...this.#origins].map(([one, origin]) => [one, one.getState().offset - origin] as const));
    this.#steps.push({ kind: "call", call, grads, draws });
    this.#hosting = true;
    try {
      call.run();
      watched(null, () => call.after());
    } finally {
      this.#hosting = false;
    }
    // Gradients that host code was given have to be there when it runs again.
    for (const [, grad] of grads) {
      const place = grad && this.#places.get(grad.storage);
      if (place?.kind !== "temporary" || this.#held.includes(place.storage)) continue;
      place.fixed = true;
      place.storage.memory.hold(place.storage.block);
      this.#held.push(place.storage);
    }
  }

  /** Lets go of what was held, when the recording is of no use. */
  drop(): void {
    for (const { memory, block } of this.#held.splice(0)) memory.unhold(block);
  }

  /** What was recorded, once the step has returned `value`. */
  finish(value: unknown): Recording {
    const placeOf = (tensor: Tensor) => this.#places.get(tensor.storage) ?? null;
    const results = tensorsIn(value).map((tensor) => {
      const place =
        placeOf(tensor) ?? ({ kind: "kept", storage: tensor.storage, version: tensor.storage.version } as const);
      return { tensor, place };
    });
    const advances = new Map<Generator, { by: number; end: RngState }>();
    for (const [generator, origin] of this.#origins) {
      const end = generator.getState();
      advances.set(generator, { by: end.offset - origin, end });
    }
    return {
      runtime: this.#runtime,
      steps: this.#steps,
      temporaries: this.#temporaries,
      kept: this.#kept,
      draws: this.#draws,
      advances,
      grads: this.#grads,
      tapes: this.#tapes,
      placeOf,
      value,
      results,
      held: this.#held,
    };
  }
}
