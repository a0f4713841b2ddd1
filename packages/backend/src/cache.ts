/** A map that holds at most `capacity` entries and forgets the one not used for longest. */
export class Cache<K, V> {
  readonly capacity: number;
  readonly #entries = new Map<K, V>();

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The entry for `key`, made by `make` when absent. */
  get(key: K, make: () => V): V {
    const found = this.#entries.get(key);
    if (found !== undefined) {
      // Reordering on every hit would cost more than it saves: only a cache under pressure needs an order of use.
      if (this.#entries.size * 2 > this.capacity) {
        this.#entries.delete(key);
        this.#entries.set(key, found);
      }
      return found;
    }
    const made = make();
    this.#entries.set(key, made);
    if (this.#entries.size > this.capacity) this.#entries.delete(this.#entries.keys().next().value as K);
    return made;
  }

  clear(): void {
    this.#entries.clear();
  }
}
