import type { Launch } from "@descent/backend";
import { type Generator, keyOf, type RngState } from "../generator.ts";
import type { RandomKey } from "../random-stream.ts";
import type { Runtime } from "../runtime.ts";
import type { Storage } from "../storage.ts";
import type { Tensor } from "../tensor.ts";
import { structureVersion, watched } from "../watch.ts";
import { Collector } from "./collector.ts";
import type { KeyUse } from "./compare.ts";
import type { CallStep, GradUse, Recording, Result } from "./recording.ts";
import { planReplay, type ReplayPlan } from "./replay-plan.ts";
import { mapTensors } from "./values.ts";

const setGrads = (grads: Iterable<readonly [Tensor, Tensor | null]>): void => {
  for (const [tensor, grad] of grads) if (tensor.grad !== grad) tensor.grad = grad;
};

/** A recorded step that runs again without its code: one hand-over to the backend, no memory asked for, nothing compiled. */
export class Replay {
  readonly recording: Recording;
  readonly #runtime: Runtime;
  readonly #plan: ReplayPlan;
  readonly #finals: readonly (readonly [Tensor, Tensor | null])[];
  /** Storages that the step changes in place. */
  readonly #changed: readonly Storage[];
  /** Generators whose draws differ from run to run. */
  readonly #drawing: ReadonlySet<Generator>;
  #grads: ReadonlyMap<Tensor, GradUse>;
  #structure = structureVersion;

  constructor(recording: Recording, uses: readonly (readonly KeyUse[])[], inputCount: number) {
    this.recording = recording;
    this.#runtime = recording.runtime as Runtime;
    this.#plan = planReplay(recording, uses, inputCount);
    this.#grads = recording.grads;
    this.#finals = [...recording.grads].map(([tensor, { final }]) => [tensor, final]);
    this.#changed = recording.kept.flatMap(({ storage, version }) => (storage.version === version ? [] : [storage]));
    this.#drawing = new Set(uses.flat().flatMap(({ draw }) => recording.draws[draw]?.generator ?? []));
  }

  /** Whether all that decides what the step does is as it was when it was recorded. */
  fits(): boolean {
    if (this.#structure !== structureVersion) return false;
    for (const { storage } of this.recording.kept) if (storage.block.freed !== null) return false;
    for (const storage of this.#plan.held) if (storage.block.freed !== null) return false;
    for (const [tensor, { looked, initial }] of this.#grads) {
      if (!looked) continue;
      const { grad } = tensor;
      if ((grad === null) !== (initial === null)) return false;
      // A gradient that launches work on has to be where it was.
      if (grad && initial && this.recording.placeOf(initial) && grad.storage !== initial.storage) return false;
    }
    return true;
  }

  /** The step was recorded again and was the same: from now on, things may be as they are now. */
  confirm({ grads }: Recording): void {
    this.#structure = structureVersion;
    this.#grads = grads;
  }

  run(inputs: readonly Tensor[]): unknown {
    const { lists, calls, results, rewrites } = this.#plan;
    this.#takeInputs(inputs);
    const [starts, ends] = this.#draw();
    for (const { memory, args } of results.values()) {
      const { buffer } = memory.next().block;
      for (const { arg } of args) arg.buffer = buffer;
    }
    for (const { storage, data } of rewrites) this.#runtime.backend.write(storage.block.buffer, data);
    let list: Launch[] = [];
    lists.forEach((launches, i) => {
      for (const launch of launches) list.push(launch);
      const step = calls[i];
      if (!step) return;
      this.#arrange(step, starts);
      if (step.call.planned()) watched(new Collector(this.#runtime, list), () => step.call.run());
      else list = this.#interrupt(step, list);
    });
    this.#runtime.submit(list);
    setGrads(this.#finals);
    for (const storage of this.#changed) storage.version++;
    for (const [generator, state] of ends) generator.setState(state);
    for (const { call } of calls) if (call.planned()) call.after();
    let next = 0;
    return mapTensors(this.recording.value, () => this.#result(this.recording.results[next++] as Result, inputs));
  }

  /** Makes gradients and generators what they were when a host call was recorded. */
  #arrange({ grads, draws }: CallStep, starts: ReadonlyMap<Generator, RngState>): void {
    setGrads(grads);
    for (const [generator, by] of draws) {
      const start = starts.get(generator);
      if (start && this.#drawing.has(generator)) generator.setState({ seed: start.seed, offset: start.offset + by });
    }
  }

  /** Runs what came before a host call, and then the call. */
  #interrupt({ call }: CallStep, list: Launch[]): Launch[] {
    this.#runtime.submit(list);
    call.run();
    call.after();
    return [];
  }

  #takeInputs(inputs: readonly Tensor[]): void {
    inputs.forEach(({ storage, offset: start }, i) => {
      const buffer = storage.buffer("capture");
      for (const { arg, offset } of this.#plan.inputs[i] ?? []) {
        arg.buffer = buffer;
        arg.offset = start + offset;
      }
    });
  }

  /** Draws this run's random keys; returns the state of every generator before and behind the run. */
  #draw(): [starts: Map<Generator, RngState>, ends: Map<Generator, RngState>] {
    const { draws, advances } = this.recording;
    const starts = new Map<Generator, RngState>();
    const ends = new Map<Generator, RngState>();
    for (const [generator, { by, end }] of advances) {
      const start = generator.getState();
      starts.set(generator, start);
      const moves = this.#drawing.has(generator);
      ends.set(generator, moves ? { seed: start.seed, offset: start.offset + by } : end);
    }
    const keys = draws.map(({ generator, delta }): RandomKey => {
      const { seed, offset } = starts.get(generator) as RngState;
      return keyOf({ seed, offset: offset + delta });
    });
    for (const { launch, host, hyper, keys: uses } of this.#plan.drawings) {
      for (const { at, draw } of uses) for (let k = 0; k < 4; k++) hyper[at + k] = keys[draw]?.[k] as number;
      launch.uniforms = host.uniforms(hyper);
    }
    return [starts, ends];
  }

  #result({ tensor, place }: Result, inputs: readonly Tensor[]): Tensor {
    const { shape, strides, offset } = tensor;
    if (place.kind === "kept") return tensor.make(place.storage, shape, strides, offset);
    if (place.kind === "input") {
      const input = inputs[place.index] as Tensor;
      return tensor.make(input.storage, shape, strides, input.offset + offset);
    }
    const storage = this.#plan.results.get(place)?.memory.current ?? (this.#plan.storages.get(place) as Storage);
    return tensor.make(storage, shape, strides, offset);
  }

  /** Gives back everything that was kept for further runs. */
  dispose(): void {
    const { memory } = this.#runtime;
    for (const { block } of this.#plan.owned) memory.release(block, "the end of a captured step");
    for (const { block } of this.#plan.held) if (block.freed === null) memory.unhold(block);
    for (const { memory: own } of this.#plan.results.values()) own.dispose();
  }
}
