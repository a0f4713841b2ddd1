import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { format } from "node:util";
import * as api from "@descent/lr-scheduler";
import { beforeAll, describe, expect, test } from "vitest";
import { draw } from "./draw.ts";
import { pages } from "./schedules.ts";

const folder = join(import.meta.dirname, "../schedulers");
const read = (name: string): string => readFileSync(join(folder, name), "utf8");
const documents = readdirSync(folder).filter((name) => name.endsWith(".md"));

beforeAll(() => api.setWarnings(false));

/** Class names in the curve's markup count on from figure to figure. */
const plain = (svg: string): string => svg.replaceAll(/zr\d+-/g, "zr-").replaceAll(/cls-\d+/g, "cls");

test.each(Object.entries(pages))("the curve of %s is today's", (page, figure) => {
  expect(plain(read(`curves/${page}.svg`)) === plain(draw(figure)), "run: pnpm --dir tools/docs curves").toBe(true);
  expect(read(`${page}.md`)).toContain(`(./curves/${page}.svg)`);
});

test("every scheduler has a page", () => {
  const base = ["LRScheduler", "CurveScheduler", "FactorScheduler", "CompositeScheduler"];
  const { LRScheduler } = api;
  const schedulers = Object.entries(api)
    .filter(
      ([name, value]) => !base.includes(name) && (value as { prototype?: unknown }).prototype instanceof LRScheduler,
    )
    .map(([name]) => name);
  const titles = documents.map((name) => /^# (.*)$/m.exec(read(name))?.[1]);
  expect(schedulers.filter((name) => !titles.includes(name))).toEqual([]);
});

/** What a page prints, against what it says it prints: `console.log(x); // like this`. */
const examples = documents.flatMap((name) =>
  [...read(name).matchAll(/```ts\n([\s\S]*?)```/g)]
    .map(([, code]) => code!)
    .filter((code) => /console\.log\(.*\); \/\/ /.test(code) && !code.includes("type "))
    .map((code, i) => ({ name: `${name} ${i}`, code })),
);

describe("examples print what they say", () => {
  test.each(examples)("$name", ({ code }) => {
    const printed: string[] = [];
    const body = code.replaceAll(/import (\{[^}]*\}) from "@descent\/lr-scheduler";/g, "const $1 = api;");
    new Function("api", "console", body)(api, { log: (...values: unknown[]) => printed.push(format(...values)) });
    const said = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, text]) => text!);
    expect(printed.length).toBe(said.length);
    for (const [i, text] of said.entries()) {
      const shape = text.split("…").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
      expect(printed[i]!.replaceAll(/\s+/g, " ")).toMatch(new RegExp(`^${shape.join(".*")}$`));
    }
  });
});
