/** Resolves in a later turn of the event loop, after whatever waits there already. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") {
      setImmediate(resolve);
      return;
    }
    // Timers of pages wait 4 ms at least, messages do not.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
}

type WaitAsync = (
  words: Int32Array,
  index: number,
  value: number,
  timeout: number,
) => { readonly async: boolean; readonly value: unknown };

/** Milliseconds after which to look again, whatever has happened: a worker may have ended. */
const patience = 250;

/** Resolves when a thread says that the word has changed, soon after, or at once if it holds another value already. */
export async function untilChanged(words: Int32Array, index: number, value: number): Promise<void> {
  const { waitAsync } = Atomics as { waitAsync?: WaitAsync };
  if (!waitAsync) return nextTurn();
  // Such a wait alone would not keep Node's process alive.
  const awake = setTimeout(() => {}, 2 * patience);
  await waitAsync(words, index, value, patience).value;
  clearTimeout(awake);
}
