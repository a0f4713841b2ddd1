import type { Launch, Program } from "@descent/backend";
import { describe, expect, test } from "vitest";
import type { Compiled, Prepare, Queue } from "./entry.ts";
import { remembering } from "./remember.ts";

const program = { kind: "map", uniforms: ["f32"], bindings: [{}, {}] } as unknown as Program;
const compiled = { slot: -1 } as Compiled;

/** A queue that keeps what it is told: parameters as words, and the work with the parameters it was given. */
function makeQueue() {
  const memory: number[] = [];
  const told: unknown[] = [];
  const queue: Queue = {
    threads: 2,
    parameters(bytes, _, { uniforms }) {
      const at = 4 * memory.length;
      for (let k = 0; k < bytes / 4; k++) memory.push(-1);
      memory[at / 4] = uniforms[0] as number;
      return at;
    },
    addresses: (at, { args }) => {
      for (const [b, { offset }] of args.entries()) memory[at / 4 + b] = offset;
    },
    words: (at, values, scale) => {
      for (const [k, x] of values.entries()) memory[at / 4 + k] = x * scale;
    },
    copyWords: (at, count) => memory.slice(at / 4, at / 4 + count),
    temporary: () => 0,
    add: (_, params, units, cost, grain = 1) => told.push([memory.slice(params / 4), units, cost, grain]),
    barrier: () => told.push("barrier"),
    check: () => told.push("check"),
  };
  return { queue, told };
}

/** Two words of uniforms, two of addresses, one stride per argument. */
const usual: Prepare = (launch, queue) => {
  const p = queue.parameters(32, program, launch);
  queue.addresses(p + 8, launch, [4, 4]);
  queue.words(
    p + 16,
    launch.args.map(({ strides }) => strides[0] as number),
    4,
  );
  queue.add(compiled, p, launch.shape[0] as number, 2, 3);
  queue.barrier();
};

const launch = (n: number, stride: number, offset = 0, uniform = 0): Launch => ({
  kernel: { program },
  args: [stride, 1].map((own, b) => ({ buffer: { dtype: "float32", length: 9 }, offset: offset + b, strides: [own] })),
  shape: [n],
  uniforms: [uniform],
  label: "test",
});

function counting(prepare: Prepare) {
  const count = { prepared: 0 };
  const counted: Prepare = (launch, queue) => {
    count.prepared++;
    prepare(launch, queue);
  };
  return Object.assign(count, { prepare: remembering(counted) });
}

describe("a launch like one before", () => {
  test("is not prepared again, and comes to the same but for addresses and uniforms", () => {
    const { queue, told } = makeQueue();
    const counted = counting(usual);
    counted.prepare(launch(5, 2, 10, 7), queue);
    counted.prepare(launch(5, 2, 20, 8), queue);
    expect(counted.prepared).toBe(1);
    expect(told).toEqual([
      [[7, -1, 10, 11, 8, 4, -1, -1], 5, 2, 3],
      "barrier",
      [[8, -1, 20, 21, 8, 4, -1, -1], 5, 2, 3],
      "barrier",
    ]);
  });

  test.each<[string, Launch]>([
    ["of another shape", launch(6, 2)],
    ["of other strides", launch(5, 3)],
  ])("but %s is prepared", (_, other) => {
    const counted = counting(usual);
    for (const one of [launch(5, 2), other, launch(5, 2), other]) counted.prepare(one, makeQueue().queue);
    expect(counted.prepared).toBe(2);
  });

  test("that nobody has asked for in a while is forgotten", () => {
    const counted = counting(usual);
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) counted.prepare(launch(n, 1), makeQueue().queue);
    expect(counted.prepared).toBe(10);
  });

  test.each<[string, Prepare]>([
    ["took temporary memory", (_, queue) => void queue.temporary(4, "test")],
    ["checks what it found", (_, queue) => queue.check(0, () => new Error())],
    ["was a launch made of it", (one, queue) => usual({ ...one }, queue)],
    ["works with parameters of its own", (_, queue) => queue.add(compiled, 4, 1, 1)],
  ])("that %s is prepared each time", (_, prepare) => {
    const counted = counting(prepare);
    for (let k = 0; k < 3; k++) counted.prepare(launch(5, 2), makeQueue().queue);
    expect(counted.prepared).toBe(3);
  });
});
