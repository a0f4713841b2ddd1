import type { Buffer } from "@descent/backend";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { WebgpuBackend } from "./index.ts";
import { withPages } from "./testing/enough.ts";
import { affine, filled, increment } from "./testing/programs.ts";

// Launches of one map share dispatches, through pages or with bindings of their own: with whatever comes between them, they do
// what they would do one by one.

const ways = [
  ["through pages", 2 ** 19],
  ["with bindings of their own", 0],
] as const;

describe.each(ways)("%s", (_, pagedBytes) => {
  let backend: WebgpuBackend;
  beforeAll(async () => {
    backend = await withPages(pagedBytes);
  });
  afterAll(() => backend.close());
  /** Dispatches, through pages or else. */
  const either = (paged: number, other: number) => (pagedBytes > 0 ? paged : other);

  const buffersOf = (lengths: readonly number[]) =>
    lengths.map((length, k) => filled(backend, new Float32Array(length).fill(k)));
  const lastOf = async (buffer: Buffer) => (await backend.read(buffer)).at(-1);

  async function dispatches(work: () => void): Promise<number> {
    await backend.read(filled(backend, Float32Array.of(0)));
    const before = backend.counts.dispatches;
    work();
    await backend.read(filled(backend, Float32Array.of(0)));
    return backend.counts.dispatches - before;
  }

  test("lengths and numbers of their own", async () => {
    const lengths = [1, 5, 4096, 1023, 1025, 2049, 3, 7];
    const [sources, outs] = [buffersOf(lengths), buffersOf(lengths)];
    const twice = affine(backend);
    const count = await dispatches(() => {
      for (const [k, source] of sources.entries()) backend.launch(twice(source, outs[k]!, k / 4));
    });
    expect(count).toBe(either(1, 2));
    for (const [k, out] of outs.entries())
      expect(await backend.read(out)).toEqual(new Float32Array(lengths[k]!).fill(2 * k + k / 4));
  });

  test.each([
    [
      "one reads what another writes",
      [
        [0, 1],
        [1, 2],
        [2, 3],
        [3, 4],
      ],
      4,
    ],
    [
      "one writes what another reads",
      [
        [1, 0],
        [2, 1],
        [3, 2],
        [4, 3],
      ],
      4,
    ],
    [
      "two write the same",
      [
        [0, 4],
        [1, 4],
        [2, 4],
        [3, 4],
      ],
      4,
    ],
    [
      "all read the same",
      [
        [0, 1],
        [0, 2],
        [0, 3],
        [0, 4],
      ],
      1,
    ],
    [
      "fewer than a dispatch takes",
      [
        [0, 1],
        [2, 3],
      ],
      2,
    ],
  ] as const)("%s", async (name, pairs, expected) => {
    const buffers = buffersOf([6, 6, 6, 6, 6]);
    const values = [0, 1, 2, 3, 4];
    const twice = affine(backend);
    for (const [from, to] of pairs) values[to] = 2 * values[from]! + 1;
    const count = await dispatches(() => {
      for (const [from, to] of pairs) backend.launch(twice(buffers[from]!, buffers[to]!, 1));
    });
    expect(count).toBe(name.startsWith("fewer") ? either(1, 2) : expected);
    expect(await Promise.all(buffers.map(lastOf))).toEqual(values);
  });

  test("writes, frees and other programs come in their turn", async () => {
    const [add, twice] = [increment(backend), affine(backend)];
    const [a, b, c] = buffersOf([4, 4, 4]) as [Buffer, Buffer, Buffer];
    backend.launch(twice(a, b, 1)); // b = 1
    backend.write(a, Float32Array.of(8, 8, 8, 8));
    backend.launch(twice(b, c, 0)); // c = 2
    backend.launch(add(c)); // c = 3
    const gone = filled(backend, Float32Array.of(5, 5, 5, 5));
    backend.launch(twice(gone, b, 0)); // b = 10
    backend.free(gone);
    const next = filled(backend, Float32Array.of(7, 7, 7, 7));
    backend.launch(add(a)); // a = 9
    expect(await Promise.all([a, b, c, next].map(lastOf))).toEqual([9, 10, 3, 7]);
  });

  test("uniforms count as they were when launched", async () => {
    const [a, b] = buffersOf([4, 4]) as [Buffer, Buffer];
    const launch = affine(backend)(a, b, 1);
    const uniforms = [...launch.uniforms];
    backend.launch({ ...launch, uniforms });
    uniforms.fill(100);
    expect(await lastOf(b)).toBe(1);
  });
});
