import { type Buffer, buildContract, DescentError, isDescentError, type Launch, Trace } from "@descent/backend";
import type { WebgpuBackend, WebgpuKernel } from "../backend.ts";
import type { Engine } from "../gpu/engine.ts";
import { byRule, type Choice, nameOf, type Sizes } from "../kernels/contract-plan.ts";
import type { Shader } from "../wgsl/shader.ts";
import { heldBytes } from "../wgsl/storage.ts";
import { remember } from "./cache.ts";
import { layoutsFor, variantsFor } from "./candidates.ts";
import { type Seen, workOf } from "./choices.ts";
import { fastest } from "./fastest.ts";

export interface TuneOptions {
  /** Milliseconds after which no further measurement begins. Default 5000. */
  readonly budget?: number;
  /** Whether products that were measured before, in this run or an earlier one, are measured again. Default false. */
  readonly again?: boolean;
}

/** Products of a kind, and how they are computed from now on. */
export interface Tuned {
  /** How both operands are held, then batches, rows, columns and inner elements up to which products are of this kind. */
  readonly products: string;
  readonly chosen: string;
  /** What the rules would have chosen. */
  readonly rule: string;
  /** Seconds of the heaviest product of the kind, by candidate. */
  readonly seconds: Readonly<Record<string, number>>;
}

export interface TuneResult {
  readonly tuned: readonly Tuned[];
  /** Products for which there was no time left, or not the memory to compute them a second time. */
  readonly left: readonly string[];
  /** Where the choices are kept for later runs; null: nowhere, or nothing is new. */
  readonly kept: string | null;
}

/** Seconds that the device takes for one of `count` launches of a candidate; `wait` waits for them. */
export type Stopwatch = (
  launch: () => void,
  count: number,
  wait: () => Promise<unknown>,
  candidate: string,
) => Promise<number>;

/** Seconds that a measurement should take at least: clocks of browsers tell a tenth of a millisecond. */
const worthMeasuring = 5e-3;
const mostLaunches = 500;
/** Pipelines that are made at a time: making one may take long, and none is begun when time is up. */
const sideBySide = 4;
/** A product is measured over memory of its own: at most this much. */
const mostBytes = 2 ** 30;

/** What tests put in the place of real clocks. */
export interface Clocks {
  readonly stopwatch?: Stopwatch;
  /** Milliseconds. */
  readonly now?: () => number;
}

/** By timestamps of the device where there are any, else by the host's clock. */
function deviceTime(backend: WebgpuBackend): Stopwatch {
  return async (launch, count, wait) => {
    const run = () => {
      for (let i = 0; i < count; i++) launch();
    };
    if (backend.device.features.has("timestamp-query")) {
      const { events } = await backend.profile(run);
      const last = events.at(-1);
      const span = last ? last.start + last.duration - events[0]!.start : 0;
      if (span > 0) return span / 1e6 / count;
    }
    await wait();
    const start = performance.now();
    run();
    await wait();
    return (performance.now() - start) / 1e3 / count;
  };
}

/** Measures the products that `work` launches, or some usual ones, and takes the fastest way of computing each from then on. */
export async function tune(
  backend: WebgpuBackend,
  engine: Engine,
  work: (() => unknown) | undefined,
  options: TuneOptions & Clocks,
): Promise<TuneResult> {
  const { budget = 5000, again = false, stopwatch = deviceTime(backend), now = () => performance.now() } = options;
  if (!(budget >= 0))
    throw new DescentError("option", "tune", "the budget is no time", { budget }, "Give milliseconds from 0 on.");
  const { choices, enoughGroups, features } = engine;
  const { limits } = backend.device;
  const seen = new Map<string, Seen>();
  choices.noticed = seen;
  try {
    if (work) await work();
    else noticeUsual(backend, engine);
  } finally {
    choices.noticed = null;
  }
  const end = now() + budget;
  const left = () => end - now();
  const tuned: Tuned[] = [];
  const skipped: string[] = [];
  // From light to heavy: what has been measured says how long the next one takes, at most; nothing stops a dispatch that has begun.
  const classes = [...seen].sort(([, a], [, b]) => workOf(a.sizes) - workOf(b.sizes));
  let pace = 0;
  for (const [products, { launch, sizes, half }] of classes) {
    if (!again && choices.chosen.has(products)) continue;
    const layouts = layoutsFor(sizes, enoughGroups, limits);
    const expected = 1e3 * workOf(sizes) * pace;
    const bytes = launch.args.reduce((sum, { buffer }) => sum + buffer.length * heldBytes(buffer.dtype, features), 0);
    if (left() <= 0 || expected > left() || bytes > mostBytes) {
      skipped.push(products);
      continue;
    }
    const bench = new Bench(backend, engine, launch, stopwatch);
    try {
      const race = async (candidates: Choice[]) => {
        for (let i = 0; i < candidates.length && left() > 0; i += sideBySide)
          await bench.prepare(candidates.slice(i, i + sideBySide));
        return fastest(candidates, (one) => bench.time(one), left);
      };
      const first = await race(layouts);
      if (!first.best) {
        skipped.push(products);
        continue;
      }
      const second = await race(variantsFor(first.best, sizes, enoughGroups, half, limits));
      const best = second.best ?? first.best;
      const [chosen, rule] = [best, byRule(sizes, enoughGroups)].map(nameOf) as [string, string];
      choices.chosen.set(products, chosen === rule ? null : best);
      const seconds = Object.fromEntries([...first.times, ...second.times].map(([one, time]) => [nameOf(one), time]));
      tuned.push({ products, chosen, rule, seconds });
      pace = Math.min(...Object.values(seconds)) / workOf(sizes);
    } finally {
      bench.dispose();
    }
  }
  const kept = tuned.length > 0 ? await remember(backend.device, choices) : null;
  return { tuned, left: skipped, kept };
}

/** Runs one launch in different ways, over memory of its own. */
class Bench {
  readonly #backend: WebgpuBackend;
  readonly #engine: Engine;
  readonly #stopwatch: Stopwatch;
  readonly #buffers = new Map<Buffer, Buffer>();
  readonly #launch: Launch;
  /** Launches of a measurement, by candidate. */
  readonly #counts = new Map<string, number>();

  constructor(backend: WebgpuBackend, engine: Engine, launch: Launch, stopwatch: Stopwatch) {
    this.#backend = backend;
    this.#engine = engine;
    this.#stopwatch = stopwatch;
    for (const { buffer } of launch.args)
      if (!this.#buffers.has(buffer)) this.#buffers.set(buffer, backend.alloc(buffer.dtype, buffer.length));
    const args = launch.args.map((arg) => ({ ...arg, buffer: this.#buffers.get(arg.buffer) as Buffer }));
    this.#launch = { ...launch, args, label: "tune" };
  }

  /** Makes the pipelines of several candidates side by side. */
  async prepare(candidates: readonly Choice[]): Promise<void> {
    const { choices, stream } = this.#engine;
    const shaders = new Set<Shader>();
    this.#engine.collecting = shaders;
    for (const choice of candidates) {
      choices.forced = choice;
      (this.#launch.kernel as WebgpuKernel).prepare(this.#launch, this.#engine);
      this.#engine.release();
    }
    choices.forced = null;
    this.#engine.collecting = null;
    // A pipeline that the device refuses is one that cannot be timed.
    await stream.pipelines.prepare(shaders).catch(() => {});
  }

  /** Seconds of one launch; infinitely many where the device refuses the candidate. */
  async time(choice: Choice): Promise<number> {
    const name = nameOf(choice);
    const { choices } = this.#engine;
    choices.forced = choice;
    try {
      let count = this.#counts.get(name);
      if (count === undefined) {
        const once = await this.#measure(1, name);
        if (once >= worthMeasuring) return once;
        count = Math.min(mostLaunches, Math.ceil(worthMeasuring / Math.max(once, 1e-9)));
        this.#counts.set(name, count);
      }
      return await this.#measure(count, name);
    } catch (error) {
      if (isDescentError(error) && error.code === "device") throw error;
      return Number.POSITIVE_INFINITY;
    } finally {
      choices.forced = null;
    }
  }

  #measure(count: number, name: string): Promise<number> {
    const { args } = this.#launch;
    const wait = () => this.#backend.read(args.at(-1)!.buffer, 0, 1);
    return this.#stopwatch(() => this.#backend.launch(this.#launch), count, wait, name);
  }

  dispose(): void {
    for (const buffer of this.#buffers.values()) this.#backend.free(buffer);
  }
}

/** Products of the usual kinds: batches, rows, columns, inner elements. */
const usual: readonly Sizes[] = [
  [1, 256, 256, 256],
  [1, 64, 1024, 1024],
  [1, 1024, 64, 1024],
  [1, 64, 64, 65536],
  [16, 256, 256, 64],
  [1, 1024, 1024, 1024],
  [1, 4096, 4096, 4096],
].map(([batches = 1, m = 1, n = 1, k = 1]) => ({ batches, m, n, k }));

function noticeUsual(backend: WebgpuBackend, { choices, features }: Engine): void {
  for (const dtype of features.f16 ? (["float32", "float16"] as const) : (["float32"] as const)) {
    const trace = new Trace({ kind: "contract", rank: 3 });
    trace.bind(dtype, "strided", "read");
    trace.bind(dtype, "strided", "read");
    trace.output(dtype, "flat", trace.accumulator("f32"));
    const { program } = buildContract(trace, { batch: 1, rows: 1, cols: 1, inner: 1 });
    const kernel = backend.compile(program);
    for (const sizes of usual) {
      const { batches, m, n, k } = sizes;
      const arg = (length: number, strides: readonly number[]) => ({
        ...{ buffer: { dtype, length: batches * length }, offset: 0, strides },
      });
      const args = [arg(m * k, [m * k, k, 0, 1]), arg(k * n, [k * n, 0, 1, n]), arg(m * n, [])];
      const launch = { kernel, args, shape: [batches, m, n, k], uniforms: [], label: "tune" };
      choices.of(program, launch, sizes, features);
    }
  }
}
