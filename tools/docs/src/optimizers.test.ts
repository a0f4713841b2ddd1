import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cpu } from "@descent/backend-cpu";
import * as api from "@descent/optim";
import { tensor } from "@descent/tensor";
import { describe, expect, test } from "vitest";
import { pictures } from "./draw-paths.ts";

const folder = join(import.meta.dirname, "../optimizers");
const read = (name: string): string => readFileSync(join(folder, name), "utf8");
const documents = readdirSync(folder).filter((name) => name.endsWith(".md"));
const titleOf = (name: string) => /^# (.*)$/m.exec(read(name))?.[1];

test.each(Object.entries(pictures))("the picture of %s is today's", (name, picture) => {
  expect(read(`paths/${name}.svg`) === picture(), "run: pnpm --dir tools/docs paths").toBe(true);
  const page = name === "compared" ? "README" : name;
  expect(read(`${page}.md`)).toContain(`(./paths/${name}.svg)`);
});

type Class = new (params: unknown[]) => api.SingleOptimizer<Record<string, unknown>>;
const optimizers = Object.entries(api).flatMap(([name, value]) => {
  const isOptimizer = (value as { prototype?: unknown }).prototype instanceof api.SingleOptimizer;
  return isOptimizer && name !== "ElementwiseOptimizer" ? [[name, value as unknown as Class] as const] : [];
});

describe("every optimizer has a page that names its options and their defaults", () => {
  test.each(optimizers)("%s", (name, Class) => {
    const page = documents.find((file) => titleOf(file) === name)!;
    const { defaults } = new Class([tensor([[1]], { backend: cpu() })]);
    const rows = [...read(page).matchAll(/^\| `(\w+)` +\|.*\| `(.*)` *\|$/gm)].map(([, option, value]) => [
      option!,
      value!,
    ]);
    const forced = name === "AdamW" ? ["decoupledWeightDecay"] : [];
    expect(rows.map(([option]) => option).sort()).toEqual(
      Object.keys(defaults).filter((option) => !forced.includes(option)).sort(), // biome-ignore format: one line
    );
    for (const [option, value] of rows) {
      if (value!.includes("maxIter")) continue; // LBFGS: a formula
      expect([option, JSON.stringify(JSON.parse(value!))]).toEqual([option, JSON.stringify(defaults[option!])]);
    }
    expect(read("README.md")).toContain(`[${name}](./${page})`);
  });
});

test("the list of what PyTorch tests is complete, and names tests that are there", () => {
  const rows = [...read("pytorch-tests.md").matchAll(/^\| (\d+) \| .* \| (.*) \|$/gm)].map(([, number, where]) => [Number(number), where!] as const); // biome-ignore format: one line
  expect(rows.map(([number]) => number)).toEqual(Array.from({ length: 47 }, (_, i) => i + 1));
  const sources = join(import.meta.dirname, "../../../packages/optim/src");
  for (const [, where] of rows) {
    for (const [, file, mark] of where.matchAll(/`([\w/-]+\.test\.ts)`(?: (\[[\d-]+\]))?/g))
      expect(readFileSync(join(sources, file!), "utf8")).toContain(mark ?? "");
  }
});

test("links lead somewhere", () => {
  const there = new Set([...documents, ...readdirSync(join(folder, "paths")).map((name) => `paths/${name}`)]);
  const broken = documents.flatMap((name) =>
    [...read(name).matchAll(/\]\(\.\/([^)#]+)(?:#([^)]+))?\)/g)]
      .filter(([, target, heading]) => {
        if (!there.has(target!)) return true;
        const headings = [...read(target!).matchAll(/^#+ (.*)$/gm)].map(([, text]) => text!.toLowerCase().replaceAll(" ", "-")); // biome-ignore format: one line
        return heading !== undefined && !headings.includes(heading);
      })
      .map(([link]) => `${name}: ${link}`),
  );
  expect(broken).toEqual([]);
});
