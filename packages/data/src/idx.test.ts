import { expect, test } from "vitest";
import { readIdx } from "./idx.ts";
import { message } from "./testing/message.ts";

const file = (...bytes: number[]) => new Uint8Array(bytes);
const header = (code: number, ...extents: number[]) => [
  0,
  0,
  code,
  extents.length,
  ...extents.flatMap((n) => [0, 0, 0, n]),
];

const table: [string, Uint8Array, object][] = [
  [
    "unsigned bytes",
    file(...header(8, 2, 3), 1, 2, 3, 4, 5, 255),
    { shape: [2, 3], data: new Uint8Array([1, 2, 3, 4, 5, 255]) },
  ],
  ["signed bytes", file(...header(9, 2), 1, 255), { shape: [2], data: new Int32Array([1, -1]) }],
  ["shorts", file(...header(11, 2), 1, 2, 255, 254), { shape: [2], data: new Int32Array([258, -2]) }],
  ["ints", file(...header(12, 1), 255, 255, 255, 0), { shape: [1], data: new Int32Array([-256]) }],
  ["floats", file(...header(13, 1), 0x3f, 0xc0, 0, 0), { shape: [1], data: new Float32Array([1.5]) }],
  ["doubles", file(...header(14, 1), 0xc0, 4, 0, 0, 0, 0, 0, 0), { shape: [1], data: new Float64Array([-2.5]) }],
  ["nothing", file(...header(8, 0, 28, 28)), { shape: [0, 28, 28], data: new Uint8Array() }],
  ["a number", file(...header(8), 7), { shape: [], data: new Uint8Array([7]) }],
];

test.each(table)("reads %s", (_name, bytes, expected) => {
  expect(readIdx(bytes)).toEqual(expected);
  expect(readIdx(bytes.slice().buffer)).toEqual(expected);
});

test("reads bytes that lie within a larger buffer", () => {
  const padded = file(9, ...header(12, 1), 0, 0, 1, 0, 9);
  expect(readIdx(padded.subarray(1, padded.length - 1))).toEqual({ shape: [1], data: new Int32Array([256]) });
});

test("says what is wrong with a file", () => {
  expect(message(() => readIdx(file(...header(8, 2, 3), 1, 2, 3)))).toMatchInlineSnapshot(`
    "readIdx: the file is truncated
      shape    [2, 3]
      bytes    15
      expected 18
    Download it again."
  `);
  expect(message(() => readIdx(file(...header(12, 1), 1, 2, 3, 4, 5)))).toMatchInlineSnapshot(`
    "readIdx: the file is longer than its header says
      shape    [1]
      bytes    13
      expected 12
    Download it again."
  `);
  expect(message(() => readIdx(file(0x89, 0x50, 0x4e, 0x47)))).toMatchInlineSnapshot(`
    "readIdx: the magic number is wrong
      start 89 50 4e 47
    An IDX file starts with two zero bytes."
  `);
  expect(message(() => readIdx(file(0x1f, 0x8b, 8, 0)))).toMatchInlineSnapshot(`
    "readIdx: the file is compressed
      start 1f 8b 08 00
    Decompress it with gunzip first."
  `);
  expect(message(() => readIdx(file(0, 0, 10, 1, 0, 0, 0, 0)))).toMatchInlineSnapshot(`
    "readIdx: unknown element type
      code 10
    Known are 8 (uint8), 9 (int8), 11 (int16), 12 (int32), 13 (float32) and 14 (float64)."
  `);
  expect(message(() => readIdx(file(0, 0, 8, 3, 0, 0)))).toMatchInlineSnapshot(`
    "readIdx: the file ends within its header
      bytes  6
      needed 16"
  `);
  expect(message(() => readIdx(file(0, 0)))).toMatchInlineSnapshot(`
    "readIdx: the file is too short for a header
      bytes  2
      needed 4"
  `);
  expect(message(() => readIdx("train-images" as unknown as Uint8Array))).toMatchInlineSnapshot(`
    "readIdx: takes the bytes of a file
      got string"
  `);
});
