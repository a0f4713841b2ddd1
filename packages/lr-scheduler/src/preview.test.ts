import { beforeAll, describe, expect, test } from "vitest";
import {
  ConstantLR,
  CosineAnnealingLR,
  LinearLR,
  OneCycleLR,
  plot,
  preview,
  ReduceLROnPlateau,
  setWarnings,
  warmup,
} from "./index.ts";
import { sgd } from "./testing/optimizer.ts";

beforeAll(() => setWarnings(false));

describe("preview", () => {
  test("gives the lrs of the next steps, per group", () => {
    const scheduler = new LinearLR(sgd(), { startFactor: 0.5, totalIters: 2 });
    expect(preview(scheduler, 3)).toEqual([
      [0.037500000000000006, 0.375],
      [0.05, 0.5],
      [0.05, 0.5],
    ]);
    expect(preview(scheduler, 0)).toEqual([]);
  });

  test("leaves optimizer, scheduler and children as they are", () => {
    const optimizer = sgd();
    const scheduler = warmup(new OneCycleLR(optimizer, { maxLr: 0.1, totalSteps: 50 }), { steps: 3 });
    for (let epoch = 0; epoch < 5; epoch++) scheduler.step();
    const before = JSON.stringify([optimizer, scheduler.stateDict()]);
    const groups = [...optimizer.paramGroups];
    preview(scheduler, 20);
    expect(JSON.stringify([optimizer, scheduler.stateDict()])).toBe(before);
    expect(optimizer.paramGroups.every((group, i) => group === groups[i])).toBe(true);
  });

  test("takes the metric that a plateau needs", () => {
    const scheduler = new ReduceLROnPlateau(sgd([1]), { patience: 1 });
    expect(preview(scheduler, 4, { metric: (step) => Math.max(1, 2 - step) }).flat()).toEqual([1, 1, 1, 0.1]);
  });

  test("advances by any amount", () => {
    const scheduler = new CosineAnnealingLR(sgd([1]), { tMax: 4096 * 4 });
    expect(preview(scheduler, 4, { by: 4096 }).map(([lr]) => lr!.toFixed(4))).toEqual([
      "0.8536",
      "0.5000",
      "0.1464",
      "0.0000",
    ]);
  });
});

test("plot draws the curve from now on", () => {
  const scheduler = new OneCycleLR(sgd([1]), { maxLr: 0.1, totalSteps: 40, annealStrategy: "linear" });
  expect(`\n${plot(scheduler, 39, { width: 40, height: 6 })}\n`).toMatchInlineSnapshot(`
    "
         0.100 ┤          ••••
               ┤        ••    ••••••
               ┤      ••            ••••••
               ┤   •••                    •••••
               ┤ ••                            ••••••
       4.00e-7 ┤•                                    •••
               └────────────────────────────────────────
                0                                     39
    "
  `);
  expect(`\n${plot(new ConstantLR(sgd([1]), { factor: 1 }), 3, { width: 4, height: 2 })}\n`).toMatchInlineSnapshot(`
    "
          1.00 ┤
          1.00 ┤••••
               └────
                0  3
    "
  `);
});
