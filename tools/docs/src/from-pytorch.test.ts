import { readFileSync } from "node:fs";
import * as autograd from "@descent/autograd";
import { cpu } from "@descent/backend-cpu";
import * as data from "@descent/data";
import * as schedulers from "@descent/lr-scheduler";
import * as nn from "@descent/nn";
import * as optim from "@descent/optim";
import * as tensors from "@descent/tensor";
import { beforeAll, describe, expect, test } from "vitest";

beforeAll(() => schedulers.setWarnings(false));
const backend = await tensors.use(cpu());

const page = readFileSync(new URL("../from-pytorch.md", import.meta.url), "utf8");

/** The code in the last column of every table, with what comes before it in the row. */
const cells = page
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| -"))
  .flatMap((line) => {
    const columns = line.split("|").slice(1, -1);
    return [...columns.at(-1)!.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
  })
  // Headings name packages; the rules name words.
  .filter((code) => !code.startsWith("@") && !["indexSelect", "weightDecay"].includes(code));

/** What the page takes for granted: two matrices, two parameters, a model and its optimizer, … */
function surroundings() {
  const { tensor, ones } = tensors;
  const { variable } = autograd;
  const [p, q] = [variable([1, 2]), variable([3])];
  const model = new nn.Sequential(new nn.Linear(2, 2));
  const opt = { paramGroups: [{ lr: 0.1, momentum: 0.9 }] };
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  const averaged = new optim.AveragedModel(model);
  const x = tensor([[1, 2], [3, 4]]); // biome-ignore format: one line
  const loss = model.forward(x).sum();
  for (const parameter of [p, q]) parameter.grad = ones(parameter.shape);
  return {
    ...{ p, q, params: [p, q], matrices: [variable([[1]])], x, y: tensor([[0, 1], [1, 0]]), loss }, // biome-ignore format: one line
    ...{
      mask: x.gt(2),
      index: tensor([0, 1], { dtype: "int64" }),
      image: ones([1, 1, 4, 4]),
      kernel: ones([1, 1, 2, 2]),
    },
    ...{ model, optimizer, averaged, scaler: new optim.GradScaler(), backend, hook: () => undefined, closure: () => 0 },
    ...{ opt, f: () => 1, a: new schedulers.StepLR(opt, { stepSize: 9 }), b: new schedulers.ConstantLR(opt, {}) },
    ...{ scheduler: new schedulers.StepLR(opt, { stepSize: 9 }), plateau: new schedulers.ReduceLROnPlateau(opt) },
  };
}

/** Every export by its name; modules are spelled `nn.Linear`. */
const exported = { ...tensors, ...autograd, ...data, ...schedulers, ...optim, nn };

async function evaluate(code: string): Promise<unknown> {
  const around = surroundings();
  // An update follows a step, and a step a backward pass.
  if (/scaler\.(unscale_|step|update)/.test(code)) around.loss.backward();
  if (code.includes("scaler.update")) around.scaler.step(around.optimizer);
  // Two of the names are words of the language elsewhere.
  const names = Object.entries({ ...exported, ...around }).filter(([name]) => !["var", "eval"].includes(name));
  const run = new Function(...names.map(([name]) => name), `return (async () => (${code}))();`);
  return run(...names.map(([, value]) => value));
}

describe("what the page says, runs", () => {
  test.each(cells)("%s", async (code) => {
    // Some of them rightly return nothing; a misspelt property returns nothing as well.
    const found = await evaluate(code);
    if (/^[\w.[\]]+$/.test(code)) expect(found).not.toBe(undefined);
  });
});

const classes = (module: object, base: abstract new (...args: never[]) => unknown): string[] =>
  Object.entries(module)
    .filter(([, value]) => (value as { prototype?: unknown }).prototype instanceof base)
    .map(([name]) => name);

test("no optimizer and no scheduler of PyTorch is forgotten", () => {
  const own = ["ElementwiseOptimizer", "SingleOptimizer", "CurveScheduler", "FactorScheduler", "CompositeScheduler"];
  const beyond = ["Partition", "WarmupCosine", "WarmupLinear", "WarmupStableDecay", "InverseSqrt", "REX"];
  const wanted = [...classes(optim, optim.Optimizer), ...classes(schedulers, schedulers.LRScheduler)];
  const named = cells.flatMap((code) => [...code.matchAll(/new (\w+)\(/g)].map(([, name]) => name));
  expect(wanted.filter((name) => ![...named, ...own, ...beyond].includes(name))).toEqual([]);
});
