import type { Schedulable } from "./schedulable.ts";

const texts = {
  "step-order": "scheduler.step() was called before optimizer.step(): the first lr of the schedule was never used.",
  "epoch-argument":
    "scheduler.step(epoch) is deprecated, as in PyTorch: changes that others made to the lr are lost. " +
    "Call step() or advance(amount).",
} as const;

/** What a warning is about. */
export type WarningCode = keyof typeof texts | "nan-metric";

type Handler = (message: string, code: WarningCode) => void;

const print: Handler = (message) => console.warn(message);
const given = new Set<WarningCode>();
let handler: Handler | undefined = print;

/**
 * Turns this package's warnings off (`false`), on (`true`: console.warn, the default), or over to a function.
 * Each kind of warning is given once; calling this makes them all new again.
 */
export function setWarnings(to: boolean | Handler): void {
  given.clear();
  handler = typeof to === "function" ? to : to ? print : undefined;
}

/** @param text only needed for warnings that one class gives: every bundle has the others. */
export function warnOnce(code: WarningCode, text: string = texts[code as keyof typeof texts]): void {
  if (given.has(code)) return;
  given.add(code);
  handler?.(text, code);
}

/** Whether `step` of an optimizer has run since its first scheduler was made. */
const watched = new WeakMap<Schedulable, { stepped: boolean }>();

/** Starts to look at an optimizer's steps, where it offers a hook. The hook holds no scheduler, so none is kept alive. */
export function watchSteps(optimizer: Schedulable): void {
  if (watched.has(optimizer) || typeof optimizer.registerStepPostHook !== "function") return;
  const record = { stepped: false };
  watched.set(optimizer, record);
  optimizer.registerStepPostHook(() => {
    record.stepped = true;
  });
}

export function warnIfNotStepped(optimizer: Schedulable): void {
  if (watched.get(optimizer)?.stepped === false) warnOnce("step-order");
}
