import type { Memory } from "../memory.ts";
import type { Storage } from "../storage.ts";

const stale = "a later run of the captured step that made it (results stay for one more run)";

/**
 * The memory of one result: two places in turn, so that what a run returned is still there while the next one is under way. What
 * somebody keeps is left to them, and another place takes over.
 */
export class ResultMemory {
  readonly #memory: Memory;
  readonly #model: Storage;
  readonly #places: (Storage | null)[] = [null, null];
  #turn = 0;

  constructor(model: Storage) {
    this.#memory = model.memory;
    this.#model = model;
  }

  /** Where the last run put the result. */
  get current(): Storage {
    return this.#places[this.#turn] as Storage;
  }

  /** Memory for the next run. */
  next(): Storage {
    this.#turn = 1 - this.#turn;
    const last = this.#places[this.#turn];
    const usable = last && last.block.holds === 0 && last.block.freed === null;
    const storage = usable ? this.#memory.renew(last, stale) : this.#make();
    this.#places[this.#turn] = storage;
    return storage;
  }

  #make(): Storage {
    const { buffer, site } = this.#model.block;
    const storage = this.#memory.alloc(buffer.dtype, buffer.length, site);
    this.#memory.withdraw(storage.block);
    return storage;
  }

  /** Makes both places now, so that no run has to. */
  prepare(): void {
    this.#places.forEach((place, i) => {
      if (place === null) this.#places[i] = this.#make();
    });
  }

  dispose(): void {
    for (const place of this.#places.splice(0)) {
      if (place && place.block.holds === 0) this.#memory.adopt(place.block); // as if it was computed now
    }
  }
}
