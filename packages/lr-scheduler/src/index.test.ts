import { expect, test } from "vitest";
import * as api from "./index.ts";

test("exports", () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "ChainedScheduler",
      "CompositeScheduler",
      "ConstantLR",
      "CosineAnnealingLR",
      "CosineAnnealingWarmRestarts",
      "CurveScheduler",
      "CyclicLR",
      "DescentError",
      "ExponentialLR",
      "FactorScheduler",
      "InverseSqrt",
      "LRScheduler",
      "LambdaLR",
      "LinearLR",
      "MultiStepLR",
      "MultiplicativeLR",
      "OneCycleLR",
      "PolynomialLR",
      "REX",
      "ReduceLROnPlateau",
      "SWALR",
      "SequentialLR",
      "StepLR",
      "WarmupCosine",
      "WarmupLinear",
      "WarmupStableDecay",
      "hyperparameter",
      "isDescentError",
      "plot",
      "preview",
      "setWarnings",
      "warmup",
    ]
  `);
});
