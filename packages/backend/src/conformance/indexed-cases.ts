import { buildGather, buildScatter } from "../build.ts";
import { dtypes } from "../dtype.ts";
import type { Case } from "./case.ts";
import { assertNumbers, assertThrows, blank, type Lab } from "./lab.ts";
import { plain, randomIntegers, randoms } from "./values.ts";

const gatherCases: Case[] = [
  ...dtypes.map((dtype) => ({
    name: `gather / ${dtype}`,
    run: (lab: Lab) =>
      lab.check({
        program: buildGather(2, dtype, "int64"),
        // source[index[i, j], j] over a 6 × 5 source
        operands: [
          { dtype, data: plain(dtype, 30), strides: [0, 1] },
          { dtype: "int64", data: randomIntegers(45, 0, 6), strides: [5, 1] },
          { dtype, data: blank(45) },
        ],
        shape: [9, 5],
        uniforms: [5, 6],
        signs: true,
      }),
  })),
  {
    name: "gather / int32 indices, rows of an embedding",
    run: (lab) =>
      lab.check({
        program: buildGather(2, "float32", "int32"),
        operands: [
          { dtype: "float32", data: randoms(340), offset: 10, strides: [0, 1] },
          { dtype: "int32", data: randomIntegers(40, 0, 10), offset: 1, strides: [1, 0] },
          { dtype: "float32", data: blank(39 * 33 + 2), offset: 2 },
        ],
        shape: [39, 33],
        uniforms: [33, 10],
      }),
  },
  {
    name: "gather / permuted and backwards",
    run: (lab) =>
      lab.check({
        program: buildGather(3, "float32", "int64"),
        operands: [
          { dtype: "float32", data: randoms(120), offset: 2, strides: [24, 0, -1] },
          { dtype: "int64", data: randomIntegers(60, 0, 5, 2), strides: [1, 15, 5] },
          { dtype: "float32", data: blank(60) },
        ],
        shape: [5, 4, 3],
        uniforms: [3, 5],
      }),
  },
  {
    name: "gather / nothing",
    run: (lab) =>
      lab.check({
        program: buildGather(1, "float32", "int64"),
        operands: [
          { dtype: "float32", data: [1, 2], strides: [0] },
          { dtype: "int64", data: [], strides: [1] },
          { dtype: "float32", data: [] },
        ],
        shape: [0],
        uniforms: [1, 2],
      }),
  },
];

const scatterCases: Case[] = (["set", "sum"] as const).flatMap((mode) => [
  ...dtypes
    .filter((dtype) => dtype !== "bool" || mode === "set")
    .map((dtype) => ({
      name: `scatter ${mode} / ${dtype}`,
      run: (lab: Lab) =>
        lab.check({
          program: buildScatter(2, mode, dtype, "int64"),
          operands: [
            { dtype, data: plain(dtype, 35), strides: [0, 1] },
            { dtype: "int64", data: mode === "sum" ? randomIntegers(20, 0, 7) : distinct, strides: [5, 1] },
            { dtype, data: plain(dtype, 20, 2), strides: [5, 1] },
          ],
          shape: [4, 5],
          uniforms: [5, 7],
        }),
    })),
  {
    name: `scatter ${mode} / many into few`,
    run: (lab) =>
      lab.check({
        program: buildScatter(1, mode, "float32", "int32"),
        operands: [
          { dtype: "float32", data: plain("float32", 8), offset: 1, strides: [0] },
          {
            dtype: "int32",
            data: mode === "sum" ? randomIntegers(1003, 0, 3) : new Array<number>(1003).fill(1),
            strides: [1],
          },
          {
            dtype: "float32",
            data: mode === "sum" ? plain("float32", 1003, 3) : new Array<number>(1003).fill(5),
            strides: [1],
          },
        ],
        shape: [1003],
        uniforms: [2, 3],
      }),
  },
  {
    name: `scatter ${mode} / strided source`,
    run: (lab) =>
      lab.check({
        program: buildScatter(2, mode, "float32", "int64"),
        operands: [
          { dtype: "float32", data: randoms(60), strides: [0, 10] },
          { dtype: "int64", data: [3, 1, 4, 0, 5, 9], strides: [1, 0] },
          { dtype: "float32", data: randoms(40, -1, 1, 2), offset: 35, strides: [-6, -1] },
        ],
        shape: [6, 5],
        uniforms: [1, 10],
      }),
  },
]);

/** Distinct indices per column: which of two equal ones wins is not what the case is about. */
const distinct = [0, 1, 2, 3, 4, 6, 5, 4, 2, 0, 1, 0, 3, 4, 5, 3, 6, 0, 1, 2];

/**
 * A wrong index: an error, from the launch or from the next read, before anything is written; or, where a device cannot tell,
 * nothing read and nothing written.
 */
async function wrongIndex(lab: Lab, kind: "gather" | "scatter", index: number): Promise<void> {
  lab.needs("float32", "int64");
  const table = lab.buffer({ dtype: "float32", data: [1, 2, 3] });
  const indices = lab.buffer({ dtype: "int64", data: [0, index, 1] });
  const values = lab.buffer({ dtype: "float32", data: [7, 8, 9] });
  const arg = (buffer: typeof table, strides: readonly number[]) => ({ buffer, offset: 0, strides });
  const launch = () => {
    const program = kind === "gather" ? buildGather(1, "float32", "int64") : buildScatter(1, "set", "float32", "int64");
    const args = [arg(table, [0]), arg(indices, [1]), arg(values, kind === "gather" ? [] : [1])];
    lab.backend.launch({
      kernel: lab.backend.compile(program),
      args,
      shape: [3],
      uniforms: [1, 3],
      label: "conformance",
    });
  };
  let thrown: unknown;
  try {
    launch();
    await lab.numbers(table, 0, 3);
  } catch (error) {
    thrown = error;
  }
  const [t, v] = [await lab.numbers(table, 0, 3), await lab.numbers(values, 0, 3)];
  if (thrown !== undefined) {
    await assertThrows(["argument"], () => {
      throw thrown;
    });
    assertNumbers(t, [1, 2, 3]);
    assertNumbers(v, [7, 8, 9]);
  } else if (kind === "gather") assertNumbers(v, [1, 0, 2]);
  else assertNumbers(t, [7, 9, 3]);
  for (const buffer of [table, indices, values]) lab.backend.free(buffer);
}

const wrongCases: Case[] = (["gather", "scatter"] as const).flatMap((kind) =>
  [3, -1, 2 ** 31 - 1, -(2 ** 31)].map((index) => ({
    name: `${kind} / the wrong index ${index}`,
    run: (lab: Lab) => wrongIndex(lab, kind, index),
  })),
);

export const indexedCaseList: readonly Case[] = [...gatherCases, ...scatterCases, ...wrongCases];
