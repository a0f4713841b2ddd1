import type { Tape } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { refuse, watched, watcher } from "../watch.ts";
import { type Complaint, freshNumbers, sameStructure } from "./compare.ts";
import { Recorder } from "./recorder.ts";
import type { Recording } from "./recording.ts";
import { Replay } from "./replay.ts";
import { mapTensors, signature } from "./values.ts";

/** A function that was captured: it takes and returns what the original does. */
export interface Captured<A extends readonly unknown[], R> extends Disposable {
  (...args: A): R;
  /** How often the function itself ran, and how often a recording of it did. */
  readonly counts: { readonly recordings: number; readonly replays: number };
  /** Gives back the memory kept for replays; the function may still be called, and is then recorded anew. */
  dispose(): void;
}

/** What is known of the step for one signature of its arguments. */
interface Entry {
  last: Recording | null;
  replay: Replay | null;
  /** Runs in a row in which numbers changed. */
  changes: number;
}

type Entries = Map<string, Entry>;

/** Signatures remembered at a time. */
const capacity = 8;

function disposeAll(entries: Entries): void {
  for (const { replay } of entries.values()) replay?.dispose();
  entries.clear();
}

class Capture {
  readonly counts = { recordings: 0, replays: 0 };
  readonly #step: (...args: readonly unknown[]) => unknown;
  readonly entries: Entries = new Map();
  readonly #tapes = new Set<Tape>();

  constructor(step: (...args: readonly unknown[]) => unknown) {
    this.#step = step;
  }

  call(args: readonly unknown[]): unknown {
    if (watcher) return this.#step(...args); // part of a larger step that is being recorded
    const inputs: Tensor[] = [];
    const entry = this.#entry(signature(args, inputs));
    if (!entry.replay?.fits()) return this.#record(entry, args);
    this.counts.replays++;
    return entry.replay.run(inputs.map((x) => this.#readable(x, entry.replay as Replay)));
  }

  /** What is known for a signature, made when it is new; the one used longest ago makes room. */
  #entry(ofArguments: string): Entry {
    let key = ofArguments;
    for (const { recording } of this.#tapes) key += recording ? "+" : "-";
    const entry = this.entries.get(key) ?? { last: null, replay: null, changes: 0 };
    this.entries.delete(key);
    this.entries.set(key, entry);
    if (this.entries.size > capacity) {
      const [oldest, { replay }] = this.entries.entries().next().value as [string, Entry];
      replay?.dispose();
      this.entries.delete(oldest);
    }
    return entry;
  }

  /** An input as launches expect it: row-major, and apart from what the step itself changes. */
  #readable(x: Tensor, { recording }: Replay): Tensor {
    const apart = !recording.kept.some(({ storage }) => storage === x.storage);
    return x.isContiguous && apart ? x : x.copy();
  }

  /** Runs the step itself, and records it; two runs that do the same make a replay. */
  #record(entry: Entry, args: readonly unknown[]): unknown {
    const inputs: Tensor[] = [];
    // Copies tell an input from anything else that shares its memory.
    const given = mapTensors(args, (x) => {
      if (x.requiresGrad) return x;
      inputs.push(x.copy());
      return inputs.at(-1) as Tensor;
    }) as readonly unknown[];
    const recorder = new Recorder(inputs);
    let recording: Recording;
    try {
      const value = watched(recorder, () => this.#step(...given));
      if (typeof (value as Promise<unknown> | null)?.then === "function")
        throw refuse("the step is asynchronous", {}, "Await outside of it: what it returns can be read afterwards.");
      recording = recorder.finish(mapTensors(value, (x) => x.detach()));
    } catch (error) {
      recorder.drop();
      throw error;
    }
    this.counts.recordings++;
    for (const tape of recording.tapes) this.#tapes.add(tape);
    this.#learn(entry, recording, inputs.length, recorder);
    return recording.value;
  }

  #learn(entry: Entry, recording: Recording, inputs: number, recorder: Recorder): void {
    const { replay, last } = entry;
    const before = replay?.recording ?? last;
    entry.last = recording;
    const found =
      before && recording.runtime && sameStructure(before, recording) ? freshNumbers(before, recording) : null;
    if (found && "complaint" in found) {
      recorder.drop();
      entry.replay = null;
      replay?.dispose();
      if (++entry.changes > 1) throw (found as Complaint).complaint;
      return;
    }
    entry.changes = 0;
    if (found && replay) {
      replay.confirm(recording);
      recorder.drop();
    } else if (found) entry.replay = new Replay(recording, found.uses, inputs);
    else {
      entry.replay = null;
      replay?.dispose();
      recorder.drop();
    }
  }

  dispose(): void {
    disposeAll(this.entries);
  }
}

/** Gives back the memory of steps that nobody can call any more. It knows no step itself: that might lead back to who calls it. */
const net = new FinalizationRegistry<Entries>(disposeAll);

/**
 * Records a training step and from then on replays it: all launches with one hand-over to the backend, no memory asked for, nothing
 * compiled, and of the step's own code nothing but the host part of the optimizer. The first calls run the step as it is, until
 * two in a row do the same; their results, and all that follow, are those of the step itself.
 *
 * Tensors among the arguments, hyperparameters (`lr` and its like), step counts and random numbers may change from call to call.
 * Another shape, dtype or other value among the arguments, `train()`, `eval()` and `noGrad` are noticed, and recorded anew. What the step
 * closes over otherwise counts as it was when it was recorded. Results stay for one more call; `keep` those needed for longer.
 *
 * Throws code "unsupported" for a step that reads values, is asynchronous, changes its arguments in place, or in which a number
 * changes from call to call that no argument explains.
 *
 * @example
 * const step = capture((x: Tensor, y: Tensor) => {
 *   optimizer.zeroGrad();
 *   const loss = nn.crossEntropy(model.forward(x), y);
 *   loss.backward();
 *   optimizer.step();
 *   return loss;
 * });
 * for (const { x, y } of loader) step(x, y);
 */
export function capture<A extends readonly unknown[], R>(step: (...args: A) => R): Captured<A, R> {
  const own = new Capture(step as (...args: readonly unknown[]) => unknown);
  const captured = (...args: A): R => own.call(args) as R;
  net.register(captured, own.entries);
  const dispose = (): void => own.dispose();
  return Object.assign(captured, { counts: own.counts, dispose, [Symbol.dispose]: dispose });
}
