import type { Launch, Program } from "@descent/backend";
import type { Block } from "../gpu/memory.ts";
import type { Choices } from "../tuning/choices.ts";
import type { Frame } from "../wgsl/frame.ts";
import type { Aliases, Shader } from "../wgsl/shader.ts";
import type { Features } from "../wgsl/storage.ts";
import type { Fused } from "./map-fused.ts";

/** Codes for several launches at once. */
export interface Together {
  /** For many, all of whose memory is parts of pages. */
  readonly fused: Fused | null;
  /** For as many as have room, each with bindings of its own. */
  readonly joined: Shader | null;
}

/** What a kernel asks of the device while it turns a launch into dispatches. */
export interface Recorder {
  readonly features: Features;
  /** Whether sums have to come out the same in every run. */
  readonly deterministic: boolean;
  /** Workgroups that keep the device busy. */
  readonly enoughGroups: number;
  /** How products are computed where that was measured. */
  readonly choices: Choices;
  /** Storage bindings that a shader can have. */
  readonly bindings: number;
  /** Which bindings of a launch share memory; null: none, as nearly always. */
  aliases(program: Program, launch: Launch): Aliases | null;
  /** Memory of every slot of a launch. */
  blocks(launch: Launch, aliases: Aliases | null): Block[];
  /** Memory for the launch at hand; given back when the launch has been recorded. */
  scratch(bytes: number): Block;
  /**
   * Records one dispatch of `groups` workgroups, which moves roughly `work` bytes. `extras` are the kernel's own words, in the order in which
   * its frame met them.
   */
  run(
    shader: Shader,
    frame: Frame,
    launch: Launch,
    blocks: readonly Block[],
    groups: number,
    extras: readonly number[],
    work?: number,
  ): void;
  /** Records a dispatch that may share one with the launches after it: those of the same code over other memory. */
  join(
    one: Shader,
    together: Together,
    frame: Frame,
    launch: Launch,
    blocks: readonly Block[],
    groups: number,
    extras: readonly number[],
  ): void;
}

/** Turns launches of one program into dispatches. */
export type Prepare = (launch: Launch, recorder: Recorder) => void;

/** The forms that the code of one program takes, made on first use. */
export class Variants<T> {
  readonly #made = new Map<string, T>();

  get(key: string, make: () => T): T {
    let found = this.#made.get(key);
    if (found === undefined) {
      found = make();
      this.#made.set(key, found);
    }
    return found;
  }
}
