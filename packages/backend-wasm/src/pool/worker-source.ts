import { areas, control, list, mostFunctions } from "./protocol.ts";

/**
 * Milliseconds that a worker looks for the next list before it sleeps. The launches of a training step follow each other within less, and
 * a sleeping thread takes 50 to 150 µs to wake.
 */
const alert = 0.2;

/**
 * What a worker runs, as text: a package that bundlers merge into one file has no second file to point at. Plain JavaScript, the
 * same for Node (`eval` workers are CommonJS) and browsers (a Blob). It waits for a generation, compiles the functions it has
 * not seen, and works on the list; it never returns to its event loop.
 */
export const workerSource = `
const start = ({ memory, driver, at, first, scratch }) => {
  const words = new Int32Array(memory.buffer);
  const word = (offset) => (at + offset) >>> 2;
  const table = new WebAssembly.Table({ initial: ${mostFunctions}, element: "anyfunc" });
  const e = { m: memory, t: table };
  const h = Object.assign(Object.create(Math), {
    fmod: (a, b) => a % b,
    pow: (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b),
  });
  const { work } = new WebAssembly.Instance(driver, { e }).exports;
  const generation = word(${control.generation});
  const asleep = word(${control.asleep});
  const isQuiet = () => Atomics.load(words, generation) === seen;
  const pause = Atomics.pause ?? (() => {});
  let seen = 0;
  let known = 0;
  try {
    for (;;) {
      for (const until = performance.now() + ${alert}; isQuiet() && performance.now() < until; ) {
        for (let look = 0; look < 16 && isQuiet(); look++) pause();
      }
      if (isQuiet()) {
        Atomics.add(words, asleep, 1);
        Atomics.wait(words, generation, seen);
        Atomics.sub(words, asleep, 1);
        // Nothing yet: somebody has it that there soon will be.
        if (isQuiet()) continue;
      }
      seen = Atomics.load(words, generation);
      if (seen === -1) return;
      for (const count = Atomics.load(words, word(${control.functions})); known < count; known++) {
        const entry = word(${control.directory}) + 2 * known;
        const bytes = new Uint8Array(memory.buffer, words[entry] >>> 0, words[entry + 1]).slice();
        table.set(known, new WebAssembly.Instance(new WebAssembly.Module(bytes), { e, h }).exports.run);
      }
      const own = first + (seen % ${areas}) * ${list.bytes};
      Atomics.add(words, (own + ${list.active}) >>> 2, 1);
      if (Atomics.load(words, (own + ${list.open}) >>> 2) === seen) work(own, at, scratch, 1);
      Atomics.sub(words, (own + ${list.active}) >>> 2, 1);
    }
  } catch (error) {
    Atomics.store(words, word(${control.failed}), 1);
    throw error;
  }
};
if (typeof require === "function") start(require("node:worker_threads").workerData);
else onmessage = ({ data }) => start(data);
`;
