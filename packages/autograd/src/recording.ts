/** The settings in force, innermost last: asynchronous ones may end in any order. */
const settings: { readonly on: boolean }[] = [];

function leave(setting: { readonly on: boolean }): void {
  if (settings.at(-1) === setting) settings.pop();
  else settings.splice(settings.indexOf(setting), 1);
}

/** Runs `fn` with recording on or off, until it returns or, where it returns a promise, until that settles. */
export function withRecording<T>(on: boolean, fn: () => T): T {
  const setting = { on };
  settings.push(setting);
  let pending = false;
  try {
    const value = fn();
    if (!(value instanceof Promise)) return value;
    pending = true;
    return value.finally(() => leave(setting)) as T;
  } finally {
    if (!pending) leave(setting);
  }
}

/** Whether operations on differentiable tensors are recorded now. */
export const isGradEnabled = (): boolean => settings.at(-1)?.on ?? true;
