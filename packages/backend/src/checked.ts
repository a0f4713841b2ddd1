import type { Backend, Launch } from "./backend.ts";
import { decorate } from "./decorate.ts";
import { type HostArray, isFloat } from "./dtype.ts";
import { decode } from "./element.ts";
import { DescentError } from "./error.ts";
import { checkLaunch, forEachPosition, reachOf } from "./reach.ts";

export interface CheckedOptions {
  /** Whether infinities count too; masks of attention and empty extrema make some on purpose. Default true. */
  readonly infinity?: boolean;
}

/**
 * Finds the operation that made the first NaN or infinity, and launches that leave their buffers. Where the backend can read at
 * once, the launch itself throws; elsewhere the next read does. Slow: for looking for a fault.
 *
 * @example
 * await use(checked(cpu()));
 */
export function checked(backend: Backend, { infinity = true }: CheckedOptions = {}): Backend {
  const { readSync } = backend;
  const bad = (x: number) => (infinity ? !Number.isFinite(x) : Number.isNaN(x));
  /** Finds of launches whose results are still to come, in order. */
  let pending: Promise<DescentError | null>[] = [];

  /** Bindings of floats that a launch writes, or reads. */
  const floats = ({ kernel: { program } }: Launch, written: boolean): number[] =>
    program.bindings.flatMap(({ dtype, mode }, k) =>
      isFloat(dtype) && (written ? mode !== "read" : mode !== "write") ? [k] : [],
    );
  const firstBad = (launch: Launch, k: number, array: HostArray): { position: number; value: number } | null => {
    let found: { position: number; value: number } | null = null;
    const { dtype } = launch.kernel.program.bindings[k]!;
    forEachPosition(reachOf(launch, k), (position) => {
      const value = decode(dtype, array[position]!);
      if (found === null && bad(value)) found = { position, value };
    });
    return found;
  };
  const judge = (launch: Launch, inputs: readonly HostArray[], outputs: readonly HostArray[]): DescentError | null => {
    const { label, shape, kernel } = launch;
    const [read, written] = [floats(launch, false), floats(launch, true)];
    for (const [i, k] of written.entries()) {
      const found = firstBad(launch, k, outputs[i]!);
      if (found === null) continue;
      const from = read.filter((binding, j) => firstBad(launch, binding, inputs[j]!) !== null);
      const facts = { value: found.value, binding: k, element: found.position, kind: kernel.program.kind, shape };
      return from.length > 0
        ? new DescentError("numeric", label, "passes on a number that is not finite", {
            ...facts,
            "from binding": from,
          })
        : new DescentError(
            "numeric",
            label,
            "makes a number that is not finite out of finite ones",
            facts,
            "Look for a division by zero, a logarithm of zero, or a step that is too large.",
          );
    }
    return null;
  };
  const launch = (one: Launch): void => {
    checkLaunch(one);
    const buffers = (written: boolean) => floats(one, written).map((k) => one.args[k]!.buffer);
    if (readSync) {
      const read = (written: boolean) => buffers(written).map((buffer) => readSync.call(backend, buffer));
      const inputs = read(false);
      backend.launch(one);
      const error = judge(one, inputs, read(true));
      if (error) throw error;
      return;
    }
    const read = (written: boolean) => Promise.all(buffers(written).map((buffer) => backend.read(buffer)));
    const inputs = read(false);
    backend.launch(one);
    const outputs = read(true);
    pending.push(Promise.all([inputs, outputs]).then(([before, after]) => judge(one, before, after)));
  };
  return decorate(backend, {
    launch,
    ...(backend.submit && { submit: (launches) => launches.forEach(launch) }),
    async read(buffer, offset, length) {
      const reading = backend.read(buffer, offset, length);
      reading.catch(() => {}); // where a find is thrown instead, nobody waits for it
      const own = pending;
      pending = [];
      for (const error of await Promise.all(own)) if (error) throw error;
      return reading;
    },
  });
}
