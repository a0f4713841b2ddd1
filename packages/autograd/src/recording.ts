let enabled = true;

/** Runs `fn` with recording on or off, and restores what was. */
export function withRecording<T>(on: boolean, fn: () => T): T {
  const before = enabled;
  enabled = on;
  try {
    return fn();
  } finally {
    enabled = before;
  }
}

/** Whether operations on differentiable tensors are recorded now. */
export const isGradEnabled = (): boolean => enabled;
