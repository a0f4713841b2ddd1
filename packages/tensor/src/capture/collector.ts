import type { Launch } from "@descent/backend";
import type { Runtime } from "../runtime.ts";
import type { Watcher } from "../watch.ts";

/** Takes the launches that host code hands over, to be run later with the others. */
export class Collector implements Watcher {
  readonly #runtime: Runtime;
  readonly #launches: Launch[];

  constructor(runtime: Runtime, launches: Launch[]) {
    this.#runtime = runtime;
    this.#launches = launches;
  }

  takes(runtime: Runtime, launches: readonly Launch[]): boolean {
    if (runtime !== this.#runtime) return false;
    for (const launch of launches) this.#launches.push(launch);
    return true;
  }
  allocated(): void {}
  used(): void {}
  launched(): void {}
  wrote(): void {}
  reads(): void {}
  drew(): void {}
  gradRead(): void {}
  gradSet(): void {}
  metTape(): void {}
  hosts(): void {}
}
