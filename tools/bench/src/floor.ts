import { Worker } from "node:worker_threads";
import { measure } from "./measure.ts";
import type { Task } from "./task.ts";

/** What the machine can do, with as many threads as the backend has; or what its GPU can. */
export interface Floor {
  readonly threads: number;
  /** Floating-point operations a second, in fused multiply-adds of 128-bit vectors that touch no memory; nobody knows a GPU's. */
  readonly flops?: number;
  /** Bytes read and written a second by a sweep over four streams, of which three are updated in place; on a GPU by a copy. */
  readonly bandwidth: number;
}

const accumulators = 12;
const unroll = 4;
/** Of memory for every thread: more than fits the caches of a core. */
const sweepBytes = 1 << 26;

const number = (value: number): number[] => {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    bytes.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) return bytes;
  }
};
const section = (id: number, body: readonly number[]): number[] => [id, ...number(body.length), ...body];
const vector = (opcode: number): number[] => [0xfd, ...number(opcode)];

/** Two functions of a count: `peak` multiplies and adds in registers, `sweep` adds one quarter of the memory to the three others. */
function machineCode(relaxed: boolean): Uint8Array<ArrayBuffer> {
  const get = (local: number) => [0x20, local];
  const set = (local: number) => [0x21, local];
  const loop = (body: readonly number[], step: number) => [
    ...[0x03, 0x40, ...body],
    ...[...get(0), 0x41, step, 0x6b, 0x22, 0, 0x0d, 0, 0x0b],
  ];
  const x = accumulators + 1;
  const multiplyAdd = (a: number) =>
    relaxed
      ? [...get(x), ...get(x), ...get(a), ...vector(0x105), ...set(a)]
      : [...get(x), ...get(x), ...vector(0xe6), ...get(a), ...vector(0xe4), ...set(a)];
  const once = Array.from({ length: accumulators }, (_, a) => multiplyAdd(a + 1)).flat();
  const sum = Array.from({ length: accumulators }, (_, a) => [...get(a + 1), ...(a ? vector(0xe4) : [])]).flat();
  const peak = [
    ...loop(Array.from({ length: unroll }, () => once).flat(), 1),
    ...[0x41, 0, ...sum, ...vector(11), 4, 0, 0x0b],
  ];
  // Four streams, as an optimizer has them: one is read, three are updated. Local 0 is the place in them, from the end down.
  const stream = (n: number) => number((n * sweepBytes) / 4);
  const update = (n: number) => [
    ...get(0),
    ...get(0),
    ...vector(0),
    4,
    ...stream(n),
    ...get(1),
    ...vector(0xe4),
    ...vector(11),
    4,
    ...stream(n),
  ];
  const first = [...get(0), 0x41, 16, 0x6b, 0x22, 0, ...vector(0), 4, 0, ...set(1)];
  const sweep = [0x03, 0x40, ...first, ...[1, 2, 3].flatMap(update), ...get(0), 0x0d, 0, 0x0b, 0x0b];
  const body = (vectors: number, code: readonly number[]) => {
    const bytes = [1, vectors, 0x7b, ...code];
    return [...number(bytes.length), ...bytes];
  };
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, 0x7f, 0]),
    ...section(3, [2, 0, 0]),
    ...section(5, [1, 0, ...number(sweepBytes >> 16)]),
    ...section(7, [2, 4, ...Buffer.from("peak"), 0, 0, 5, ...Buffer.from("sweep"), 0, 1]),
    ...section(10, [2, ...body(accumulators + 1, peak), ...body(1, sweep)]),
  ]);
}

/** Runs in every thread: the median rate of both over a while, once all have warmed up. */
const source = `
const { parentPort, workerData } = require("node:worker_threads");
const { peak, sweep } = new WebAssembly.Instance(new WebAssembly.Module(workerData.code)).exports;
const rate = (run, work, seconds) => {
  const rates = [];
  for (const end = performance.now() + 1000 * seconds; performance.now() < end; ) {
    const start = performance.now();
    run();
    rates.push((work * 1000) / (performance.now() - start));
  }
  return rates.sort((a, b) => a - b)[rates.length >> 1];
};
const tasks = { peak: [() => peak(20000), workerData.flops * 20000], sweep: [() => sweep(workerData.bytes / 4), (7 / 4) * workerData.bytes] };
parentPort.on("message", ({ name, seconds }) => parentPort.postMessage(rate(...tasks[name], seconds)));
`;

/** Measures the floor with `threads` threads at once. */
export async function measureFloor(threads: number): Promise<Floor> {
  const relaxed = WebAssembly.validate(machineCode(true));
  const workerData = { code: machineCode(relaxed), flops: accumulators * unroll * 8, bytes: sweepBytes };
  const workers = Array.from({ length: threads }, () => new Worker(source, { eval: true, workerData }));
  const together = (name: string, seconds: number): Promise<number> =>
    Promise.all(
      workers.map(
        (worker) =>
          new Promise<number>((resolve, reject) => {
            worker.once("message", resolve);
            worker.once("error", reject);
            worker.postMessage({ name, seconds });
          }),
      ),
    ).then((rates) => rates.reduce((a, b) => a + b));
  const settled = async (name: string) => {
    await together(name, 0.2);
    return together(name, 0.4);
  };
  const floor = { threads, flops: await settled("peak"), bandwidth: await settled("sweep") };
  await Promise.all(workers.map((worker) => worker.terminate()));
  return floor;
}

/** The floor of a GPU: the bytes that a plain copy moves, at its best. */
export async function measureCopy(copy: Task): Promise<Floor> {
  const prepared = await copy.descent();
  const [timing] = await measure([prepared]);
  prepared.dispose?.();
  return { threads: 1, bandwidth: copy.bytes! / timing!.best };
}
