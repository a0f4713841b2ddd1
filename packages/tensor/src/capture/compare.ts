import { isDescentError, type Launch } from "@descent/backend";
import { refuse } from "../watch.ts";
import type { CallStep, Drawn, LaunchStep, Place, Recording } from "./recording.ts";

const equal = (a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean => {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
};

const samePlace = (a: Place | null, b: Place | null): boolean => {
  if (a === null || b === null) return a === b;
  if (a.kind === "kept") return b.kind === "kept" && a.storage === b.storage;
  return b.kind === a.kind && a.index === b.index;
};

const sameLaunch = (a: LaunchStep, b: LaunchStep): boolean =>
  a.launch.kernel === b.launch.kernel &&
  equal(a.launch.shape, b.launch.shape) &&
  a.places.every((place, i) => samePlace(place, b.places[i] as Place)) &&
  a.launch.args.every(({ offset, strides }, i) => {
    const other = b.launch.args[i] as Launch["args"][number];
    return offset === other.offset && equal(strides, other.strides);
  });

function sameCall(a: CallStep, b: CallStep, one: Recording, other: Recording): boolean {
  return (
    a.grads.length === b.grads.length &&
    a.grads.every(([tensor, grad], i) => {
      const [otherTensor, otherGrad] = b.grads[i] as CallStep["grads"][number];
      if (tensor !== otherTensor || (grad === null) !== (otherGrad === null)) return false;
      return grad === null || samePlace(one.placeOf(grad), other.placeOf(otherGrad as NonNullable<typeof grad>));
    })
  );
}

/** Whether two runs did the same on the same memory, whatever the numbers. */
export function sameStructure(a: Recording, b: Recording): boolean {
  return (
    a.runtime === b.runtime &&
    a.steps.length === b.steps.length &&
    a.temporaries.length === b.temporaries.length &&
    a.draws.length === b.draws.length &&
    a.results.length === b.results.length &&
    a.grads.size === b.grads.size &&
    a.results.every(({ place }, i) => samePlace(place, (b.results[i] as (typeof b.results)[number]).place)) &&
    a.temporaries.every(({ data }, i) => (data === null) === (b.temporaries[i]?.data === null)) &&
    a.draws.every((draw, i) => {
      const other = b.draws[i] as Drawn;
      return draw.generator === other.generator && draw.delta === other.delta;
    }) &&
    a.steps.every((step, i) => {
      const other = b.steps[i] as (typeof b.steps)[number];
      if (step.kind === "launch") return other.kind === "launch" && sameLaunch(step, other);
      return other.kind === "call" && sameCall(step, other, a, b);
    })
  );
}

/** Where a launch takes its random key: from host number `at` on, that of draw `draw`. */
export interface KeyUse {
  readonly at: number;
  readonly draw: number;
}

/** Which of a launch's host numbers are the key of a draw. */
function keysIn(hyper: readonly number[], draws: readonly Drawn[]): KeyUse[] {
  const found: KeyUse[] = [];
  for (let at = 0; at + 4 <= hyper.length; at++) {
    const draw = draws.findIndex(({ key }) => key.every((word, k) => hyper[at + k] === word));
    if (draw >= 0) found.push({ at, draw });
  }
  return found;
}

/** What a replay could not know the next value of. */
export interface Complaint {
  readonly complaint: Error;
}

/**
 * Tells which numbers are fresh at every run: keys of random draws, found where they agree with a draw in two runs. Complains where
 * another number changed, since a replay could not know its next value. Per step of `b`; both have the same structure.
 */
export function freshNumbers(
  a: Recording,
  b: Recording,
): Complaint | { readonly uses: readonly (readonly KeyUse[])[] } {
  try {
    return { uses: keyUses(a, b) };
  } catch (complaint) {
    if (!isDescentError(complaint)) throw complaint;
    return { complaint };
  }
}

function keyUses(a: Recording, b: Recording): readonly (readonly KeyUse[])[] {
  const changing = b.draws.map(({ key }, i) => !equal(key, (a.draws[i] as Drawn).key));
  const used = new Set<number>();
  const uses = b.steps.map((step, i): readonly KeyUse[] => {
    const before = a.steps[i];
    if (step.kind !== "launch" || before?.kind !== "launch") return [];
    const { host, launch } = step;
    if (host === null || before.host === null) {
      if (!equal(launch.uniforms, before.launch.uniforms)) throw changed(step, before.launch.uniforms, launch.uniforms);
      return [];
    }
    const earlier = keysIn(before.host.hyper, a.draws);
    const keys = keysIn(host.hyper, b.draws).filter(({ at, draw }) =>
      earlier.some((other) => other.at === at && other.draw === draw && changing[draw]),
    );
    for (const { draw } of keys) used.add(draw);
    const isKey = (slot: number) => keys.some(({ at }) => slot >= at && slot < at + 4);
    const rest = ({ hyper }: { hyper: readonly number[] }) => hyper.map((x, slot) => (isKey(slot) ? 0 : x));
    if (!equal(rest(host), rest(before.host))) throw changed(step, rest(before.host), rest(host));
    return keys;
  });
  const hint = "Draw before the step and pass the numbers in as a tensor.";
  changing.forEach((changes, draw) => {
    if (changes && !used.has(draw))
      throw refuse("random numbers are drawn on the host", { draw, of: b.draws.length }, hint);
  });
  b.temporaries.forEach(({ data, storage }, i) => {
    const before = a.temporaries[i]?.data;
    if (!data || !before || equal(data, before)) return;
    const facts = { operation: storage.block.site, elements: data.length };
    throw refuse("data from the host changes from step to step", facts, "Pass it to the captured step as a tensor.");
  });
  return uses;
}

function changed({ launch }: LaunchStep, before: readonly number[], now: readonly number[]): Error {
  const at = now.findIndex((x, i) => !Object.is(x, before[i]));
  const facts = { operation: launch.label, before: before[at], now: now[at] };
  const hint =
    "Pass it to the captured step as a tensor, for example tensor(x); a plain number is fixed when the step is recorded.";
  return refuse("a number changes from step to step", facts, hint);
}
