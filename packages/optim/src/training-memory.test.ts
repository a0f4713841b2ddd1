import { noGrad, variable } from "@descent/autograd";
import { counted } from "@descent/backend";
import { DataLoader, TensorDataset } from "@descent/data";
import * as nn from "@descent/nn";
import { isDescentError, keep, memory, randn, scope, steps, type Tensor, tensor, unkeep, use } from "@descent/tensor";
import { backendUnderTest, leavesNothing, under } from "backend-under-test";
import { describe, expect, test } from "vitest";
import { Adam, SGD } from "./index.ts";

const backend = counted(await backendUnderTest());
await use(backend);
leavesNothing(memory);

/** What the allocator itself counts as live. */
const live = () => backend.counts.live;

function tiny() {
  const model = new nn.Linear(2, 1);
  const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
  const [x, y] = [keep(randn([4, 2])), keep(randn([4, 1]))];
  return { model, optimizer, x, y };
}
type Tiny = ReturnType<typeof tiny>;

function trainStep({ model, optimizer, x, y }: Tiny, input: Tensor = x): Tensor {
  optimizer.zeroGrad();
  const loss = nn.mseLoss(model.forward(input), y);
  loss.backward();
  optimizer.step();
  return loss;
}

/** The most live buffers seen in each tenth of a loop. */
class Peaks {
  readonly #tenth: number;
  readonly peaks = new Array<number>(10).fill(0);
  #at = 0;
  constructor(count: number) {
    this.#tenth = count / 10;
  }
  note(): void {
    const k = Math.floor(this.#at++ / this.#tenth);
    this.peaks[k] = Math.max(this.peaks[k] as number, live());
  }
}

const count = under.speed ? 10_000 : 500;
/** Every sample is its own batch: an epoch of few steps. */
const loaderOf = ({ x, y }: Tiny, batchSize = 1) =>
  new DataLoader(new TensorDataset({ x, y }), { batchSize, shuffle: true });

/** Loops whose iterations are known: each has ended before the next but one begins, so memory is the same in all of them. */
const exact: readonly (readonly [string, (t: Tiny, note: () => void) => void | Promise<void>])[] = [
  [
    "steps(n)",
    (t, note) => {
      for (const _ of steps(count)) {
        trainStep(t);
        note();
      }
    },
  ],
  [
    "steps(n), awaiting the loss",
    async (t, note) => {
      for await (const _ of steps(count)) {
        await trainStep(t).item();
        note();
      }
    },
  ],
  [
    "a DataLoader, epoch after epoch",
    (t, note) => {
      const loader = loaderOf(t);
      for (let epoch = 0; epoch < count / 4; epoch++) {
        for (const { x } of loader) {
          trainStep(t, x);
          note();
        }
      }
    },
  ],
  [
    "a DataLoader, awaiting",
    async (t, note) => {
      const loader = loaderOf(t, 4);
      for (let epoch = 0; epoch < count / 10; epoch++) {
        for await (const { x } of loader) {
          trainStep(t, x);
          note();
        }
      }
    },
  ],
  [
    "a loop in a function, around a loop in a function",
    (t, note) => {
      const epoch = () => {
        for (const _ of steps(5)) {
          trainStep(t);
          note();
        }
      };
      for (const _ of steps(count / 10)) epoch();
    },
  ],
  [
    "an evaluation without an optimizer",
    (t, note) => {
      for (const { x } of loaderOf(t)) void x;
      for (const _ of steps(count / 10)) {
        noGrad(() => t.model.forward(t.x).sub(t.y).abs().mean());
        note();
      }
    },
  ],
  [
    "an evaluation in a scope, in a bare loop",
    (t, note) => {
      for (let i = 0; i < count / 10; i++) {
        scope(() =>
          noGrad(() =>
            scope(() => t.model.forward(t.x))
              .sub(t.y)
              .abs()
              .mean(),
          ),
        );
        note();
      }
    },
  ],
  [
    "using a scope",
    (t, note) => {
      for (let i = 0; i < count / 10; i++) {
        using _ = scope("step");
        trainStep(t);
        note();
      }
    },
  ],
  [
    "loops that are left early",
    (t, note) => {
      for (let i = 0; i < count / 10; i++) {
        for (const { x } of loaderOf(t)) {
          trainStep(t, x);
          break;
        }
        note();
      }
    },
  ],
  [
    "iterations that throw",
    (t, note) => {
      for (let i = 0; i < count / 10; i++) {
        expect(() => {
          for (const _ of steps(3)) {
            trainStep(t).add(1);
            throw new Error("mine");
          }
        }).toThrow("mine");
        expect(() =>
          scope(() =>
            trainStep(t)
              .add(tensor([1, 2, 3]))
              .add(tensor([1, 2])),
          ),
        ).toThrow("add");
        note();
      }
    },
  ],
];

describe("memory is constant, without a dispose call", { timeout: 60_000 }, () => {
  test.each(exact)("%s", async (_, loop) => {
    const t = tiny();
    const peaks = new Peaks(count);
    await loop(t, () => peaks.note());
    const [first, ...later] = peaks.peaks.filter((peak) => peak > 0);
    // The first tenth makes the optimizer's state; after it nothing more is ever live at once. (When an awaiting loop lets the garbage
    // collector in, less is.)
    expect(Math.max(...later, 0)).toBeLessThanOrEqual(first as number);
  });

  const bare: typeof exact = [
    [
      "a bare loop with optimizer.step()",
      (t, note) => {
        for (let i = 0; i < count; i++) {
          trainStep(t, t.x.add(i));
          note();
        }
      },
    ],
    [
      "a bare loop that awaits",
      async (t, note) => {
        for (let i = 0; i < count; i++) {
          await trainStep(t, t.x.add(i)).item();
          note();
        }
      },
    ],
  ];
  // Without iterations to go by, what nobody kept stays until 64 MiB have come together, a small buffer counting as 1 KiB.
  test.each(bare)("%s: bounded", async (_, loop) => {
    const t = tiny();
    const peaks = new Peaks(count);
    const before = live();
    await loop(t, () => peaks.note());
    expect(Math.max(...peaks.peaks) - before).toBeLessThan(64 * 1024 + 100);
  });

  test("a bare loop over large tensors: a few steps' worth", () => {
    const w = variable(new Float32Array(2 ** 20));
    const optimizer = new SGD([w], { lr: 0.1 });
    let most = 0;
    for (let i = 0; i < 60; i++) {
      optimizer.zeroGrad();
      w.mul(2).sum().backward();
      optimizer.step();
      most = Math.max(most, backend.counts.liveBytes);
    }
    // 4 MiB each: the parameter, its gradient, and 64 MiB or three steps of what nobody kept.
    expect(most / 2 ** 20).toBeLessThan(64 + 5 * 4 + 1);
  });
});

test("what a user keeps stays, and goes when it is let go", async () => {
  const t = tiny();
  const kept: Tensor[] = [];
  for (const i of steps(50)) {
    const loss = trainStep(t);
    if (i % 10 === 0) kept.push(keep(loss.detach()));
  }
  expect(new Set(await Promise.all(kept.map((x) => x.item()))).size).toBe(5);
  const before = live();
  for (const _ of steps(3)) for (const x of kept.splice(0)) unkeep(x);
  for (const _ of steps(1)) trainStep(t);
  for (const _ of steps(1)) trainStep(t);
  expect(live()).toBeLessThanOrEqual(before - 5);
});

describe("using what was given back tells what happened", () => {
  const message = (f: () => unknown): string => {
    try {
      f();
    } catch (error) {
      if (isDescentError(error)) return error.message;
    }
    return "no error";
  };

  test("after a scope", () => {
    let lost: Tensor | null = null;
    {
      using _ = scope("evaluation");
      lost = tensor([1, 2]).mul(3);
    }
    expect(message(() => lost?.add(1))).toBe(
      [
        "add: uses a tensor whose memory was given back",
        '  made by       mul, in scope "evaluation"',
        '  given back by the end of scope "evaluation"',
        "Keep it with keep(t), or read it in time with await t.item() or await t.data().",
      ].join("\n"),
    );
  });

  test("after an iteration", () => {
    let lost: Tensor | null = null;
    for (const i of steps(4)) if (i === 0) lost = tensor([1, 2]).exp();
    expect(message(() => lost?.add(1))).toMatch(/made by +exp\n +given back by the end of an iteration.*\nKeep it/);
    expect(message(() => lost?.itemSync?.())).toMatch(/item: takes a tensor of one element/);
  });
});

test("memory() counts live bytes by the operation that made them", () => {
  using _ = scope();
  const before = new Map(memory().sites.map(({ site, bytes }) => [site, bytes]));
  const x = tensor([1, 2, 3, 4]);
  const y = [x.exp(), x.exp(), x.sum()];
  const { sites } = memory();
  const grown = sites.map(({ site, bytes }) => [site, bytes - (before.get(site) ?? 0)]).filter(([, more]) => more);
  expect(Object.fromEntries(grown)).toEqual({ exp: 32, tensor: 16, sum: 4 });
  expect(sites.every(({ bytes }, i) => i === 0 || bytes <= sites[i - 1]!.bytes)).toBe(true);
  expect(y).toHaveLength(3);
});
