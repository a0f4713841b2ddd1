/** What registering a hook gives back. */
export interface HookHandle {
  /** Takes the hook out again; a second call does nothing. */
  remove(): void;
}

/** Hooks in the order they run. */
export class Hooks<F> {
  #list: { readonly hook: F }[] = [];

  /** Adds `hook` at the end, or with `prepend` in front. */
  add(hook: F, { prepend = false }: { prepend?: boolean } = {}): HookHandle {
    const entry = { hook };
    this.#list = prepend ? [entry, ...this.#list] : [...this.#list, entry];
    return {
      remove: () => {
        this.#list = this.#list.filter((other) => other !== entry);
      },
    };
  }

  get all(): readonly F[] {
    return this.#list.map(({ hook }) => hook);
  }

  get empty(): boolean {
    return this.#list.length === 0;
  }
}
