import type { Tensor } from "@descent/tensor";
import * as ops from "@descent/tensor";
import { type Case, wave } from "./values.ts";

type Row = readonly [name: string, fn: (...x: readonly Tensor[]) => Tensor, shapes: readonly (readonly number[])[]];
const wide = { padding: 1, stride: 2, dilation: 2 };

const rows: readonly Row[] = [
  [
    "matmul",
    (a, b) => ops.matmul(a!, b!),
    [
      [2, 1, 2, 3],
      [2, 3, 2],
    ],
  ],
  ["matmul of a vector", (a, b) => ops.matmul(a!, b!), [[3], [2, 3, 2]]],
  ["dot", (a, b) => ops.dot(a!, b!), [[4], [4]]],
  [
    "addmm",
    (c, a, b) => ops.addmm(c!, a!, b!, { alpha: 0.5, beta: -2 }),
    [
      [1, 3],
      [2, 2],
      [2, 3],
    ],
  ],
  [
    "baddbmm",
    (c, a, b) => ops.baddbmm(c!, a!, b!, { alpha: 2 }),
    [
      [2, 1],
      [2, 2, 3],
      [2, 3, 2],
    ],
  ],
  ["addmv", (c, a, b) => ops.addmv(c!, a!, b!, { beta: 3 }), [[2], [2, 3], [3]]],
  ["outer", (a, b) => ops.outer(a!, b!), [[2], [3]]],
  [
    "tensordot",
    (a, b) => ops.tensordot(a!, b!),
    [
      [2, 2, 3],
      [2, 3, 2],
    ],
  ],
  [
    "einsum, a diagonal",
    (a, b) => ops.einsum("ii,ij->j", a!, b!),
    [
      [3, 3],
      [3, 2],
    ],
  ],
  ["einsum, a stretched axis", (a, b) => ops.einsum("ij,j->ij", a!, b!), [[2, 3], [1]]],
  ["einsum, a sum of one side", (a, b) => ops.einsum("ij,k->k", a!, b!), [[2, 3], [2]]],
  [
    "einsum, three operands",
    (a, b, c) => ops.einsum("bn,anm,bm->ba", a!, b!, c!),
    [
      [2, 2],
      [2, 2, 3],
      [2, 3],
    ],
  ],
  ["einsum, one operand", (a) => ops.einsum("iji->j", a!), [[2, 3, 2]]],
  ["linear", (x, w, b) => ops.linear(x!, w!, b!), [[2, 2, 3], [2, 3], [2]]],
  ["linear, sigmoid", (x, w, b) => ops.linear(x!, w!, b!, { activation: "sigmoid" }), [[2, 3], [2, 3], [2]]],
  ["linear, tanh", (x, w, b) => ops.linear(x!, w!, b!, { activation: "tanh" }), [[2, 3], [2, 3], [2]]],
  ["linear, gelu", (x, w, b) => ops.linear(x!, w!, b!, { activation: "gelu" }), [[2, 3], [2, 3], [2]]],
  ["linear, silu", (x, w, b) => ops.linear(x!, w!, b!, { activation: "silu" }), [[2, 3], [2, 3], [2]]],
  ["linear, relu", (x, w, b) => ops.linear(x!, w!, b!, { activation: "relu" }), [[2, 3], [2, 3], [2]]],
  ["conv1d", (x, w, b) => ops.conv1d(x!, w!, b!, wide), [[1, 2, 7], [2, 2, 2], [2]]],
  [
    "conv1d, crops",
    (x, w) => ops.conv1d(x!, w!, null, { padding: 2, stride: 2 }),
    [
      [1, 1, 4],
      [1, 1, 2],
    ],
  ],
  [
    "conv2d, groups, silu",
    (x, w, b) => ops.conv2d(x!, w!, b!, { groups: 2, padding: "same", activation: "silu" }),
    [[1, 2, 3, 2], [2, 1, 2, 2], [2]],
  ],
  [
    "conv3d",
    (x, w) => ops.conv3d(x!, w!, null, { padding: [0, 1, 0] }),
    [
      [1, 1, 2, 1, 3],
      [1, 1, 2, 2, 2],
    ],
  ],
  [
    "convTranspose1d",
    (x, w, b) => ops.convTranspose1d(x!, w!, b!, { ...wide, outputPadding: 1 }),
    [[1, 2, 3], [2, 2, 2], [2]],
  ],
  ["maxPool2d", (x) => ops.maxPool2d(x!, 2), [[2, 4, 5]]],
  ["maxPool2d, tiling", (x) => ops.maxPool2d(x!, 2), [[2, 2, 4]]],
  ["maxPool1d, overlapping", (x) => ops.maxPool1d(x!, 3, { stride: 1, padding: 1 }), [[2, 5]]],
  ["avgPool2d, tiling", (x) => ops.avgPool2d(x!, 2), [[1, 2, 4]]],
  [
    "avgPool2d, uneven",
    (x) => ops.avgPool2d(x!, 2, { padding: 1, ceilMode: true, countIncludePad: false }),
    [[1, 3, 4]],
  ],
  ["adaptiveAvgPool2d", (x) => ops.adaptiveAvgPool2d(x!, [2, null]), [[1, 3, 2]]],
  [
    "mm",
    (a, b) => ops.mm(a!, b!),
    [
      [2, 3],
      [3, 2],
    ],
  ],
  [
    "bmm",
    (a, b) => ops.bmm(a!, b!),
    [
      [2, 2, 3],
      [2, 3, 2],
    ],
  ],
  ["mv", (a, b) => ops.mv(a!, b!), [[2, 3], [3]]],
  ["vdot", (a, b) => ops.vdot(a!, b!), [[4], [4]]],
  [
    "convTranspose2d",
    (x, w, b) => ops.convTranspose2d(x!, w!, b!, { stride: 2, groups: 2 }),
    [[1, 2, 2, 2], [2, 1, 2, 1], [2]],
  ],
  [
    "convTranspose3d",
    (x, w) => ops.convTranspose3d(x!, w!, null, { padding: [0, 1, 0] }),
    [
      [1, 1, 2, 2, 2],
      [1, 2, 1, 2, 1],
    ],
  ],
  ["maxPool3d", (x) => ops.maxPool3d(x!, [1, 2, 2]), [[1, 2, 2, 4]]],
  ["avgPool1d", (x) => ops.avgPool1d(x!, 2, { stride: 1 }), [[1, 5]]],
  ["avgPool3d", (x) => ops.avgPool3d(x!, [1, 2, 2]), [[1, 2, 2, 2]]],
  ["adaptiveAvgPool1d", (x) => ops.adaptiveAvgPool1d(x!, 2), [[1, 5]]],
];

/** Products, convolutions and pooling. */
export const linearCases = (): Case[] =>
  rows.map(([name, fn, shapes]) => [
    name,
    fn as Case[1],
    shapes.map((shape, i) => wave(shape, [37, 23, 51][i] as number)),
  ]);
