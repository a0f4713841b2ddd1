import type { Shader } from "../wgsl/shader.ts";
import type { Engine } from "./engine.ts";

/** Work that waits, in order, until every pipeline it needs has been made, side by side and without holding up the page. */
export class Deferred {
  readonly shaders = new Set<Shader>();
  #actions: (() => void)[] = [];

  push(action: () => void): void {
    this.#actions.push(action);
  }

  async settle(engine: Engine): Promise<void> {
    const actions = this.#actions;
    this.#actions = [];
    await engine.stream.pipelines.prepare(this.shaders);
    this.shaders.clear();
    engine.startRow();
    for (const action of actions) action();
  }
}
