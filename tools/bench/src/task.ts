import type { JaxModule } from "./peers/jax.ts";
import type { TfModule } from "./peers/tfjs.ts";

/** Something to time over and over. */
export interface Prepared {
  /** Does the work once, or begins it. */
  run(): unknown;
  /** Waits until all that was begun is done; absent where `run` returns only then. */
  settle?(): Promise<unknown>;
  /** Gives back what it holds. */
  dispose?(): void;
}

type Prepare<Library extends unknown[]> = (...library: Library) => Prepared | Promise<Prepared>;

/** One thing to measure, written once for every library that can do it. */
export interface Task {
  readonly name: string;
  /** How often `run` does the thing; for what is too short to time. Default: 1. */
  readonly calls?: number;
  /** Floating-point operations of one, or bytes read and written: they give the rate, and the floor under the time. */
  readonly flops?: number;
  readonly bytes?: number;
  readonly descent: Prepare<[]>;
  readonly tfjs?: Prepare<[TfModule]>;
  readonly jax?: Prepare<[JaxModule]>;
  /** Python with `torch` imported: statements to run once, and the one to time. */
  readonly torch?: { readonly setup: string; readonly run: string };
  /** Why a peer is missing, where that says something. */
  readonly missing?: Partial<Record<"tfjs" | "jax" | "torch", string>>;
  /** Too slow for the cpu backend and for software adapters. */
  readonly heavy?: boolean;
}

/** A benchmark family: one file in `families/`. */
export type Family = () => readonly Task[];
