import type { Backend } from "../backend.ts";
import type { Op } from "../ops.ts";
import { type Case, group } from "./case.ts";
import { contractCaseList } from "./contract-cases.ts";
import { epilogueCaseList } from "./epilogue-cases.ts";
import { foldCaseList } from "./fold-cases.ts";
import { fusedCaseList } from "./fused-cases.ts";
import { indexedCaseList } from "./indexed-cases.ts";
import { Lab, NotApplicable } from "./lab.ts";
import { mapCaseList } from "./map-cases.ts";
import { misuseCaseList } from "./misuse-cases.ts";
import { opCaseList } from "./op-cases.ts";
import { orderCaseList } from "./order-cases.ts";
import { orderedCaseList } from "./ordered-cases.ts";
import { storageCaseList } from "./storage-cases.ts";

/** What a test runner gives: `describe`, `it` (or `test`) and, where it has one, `afterAll`. Vitest, Jest and node:test fit. */
export interface TestFunctions {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: {
    (name: string, body: (context?: unknown) => unknown): unknown;
    readonly skip: (name: string, body: () => unknown) => unknown;
  };
  readonly afterAll?: (body: () => unknown) => unknown;
}

/** Tests that a backend does not pass, and why. `test` is a name or the beginning of names; `*` stands for any text. */
export interface Skip {
  readonly test: string;
  readonly reason: string;
}

export interface ConformanceOptions {
  /** Makes the backend under test; called a few times. */
  readonly create: () => Backend | Promise<Backend>;
  readonly test: TestFunctions;
  /** Declared weaknesses. One that names no test fails. */
  readonly skip?: readonly Skip[];
  /** Units in the last place per operation, where the device is less exact than the op table asks. */
  readonly tolerance?: Partial<Record<Op, number>>;
  /** Whether the device may take subnormal numbers for 0, as GPUs do: they are then not tried, and count as 0. Default false. */
  readonly flushesSubnormals?: boolean;
}

/** Every case of the kit, by full name. */
export const cases: readonly Case[] = [
  ...group("ops", opCaseList),
  ...group("map", mapCaseList),
  ...group("fold", foldCaseList),
  ...group("fused", fusedCaseList),
  ...group("contract", contractCaseList),
  ...group("epilogue", epilogueCaseList),
  ...group("indexed", indexedCaseList),
  ...group("ordered", orderedCaseList),
  ...group("storage", storageCaseList),
  ...group("order", orderCaseList),
  ...group("misuse", misuseCaseList),
];

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
const pattern = ({ test }: Skip): RegExp => new RegExp(`^${test.split("*").map(escaped).join(".*")}`);

/**
 * Registers the tests that every backend must pass: each compares the backend with the interpreter. What the backend's limits
 * exclude (float64, say) is skipped by itself; other weaknesses are declared in `skip`, with their reasons.
 *
 * @example
 * import { describe, it } from "vitest";
 * conformance({ create: () => cpu(), test: { describe, it } });
 */
export function conformance(options: ConformanceOptions): void {
  const { create, test, skip = [], tolerance = {}, flushesSubnormals } = options;
  const { describe, it, afterAll } = test;
  const rules = skip.map((one) => ({ ...one, pattern: pattern(one) }));
  let lab: Promise<Lab> | null = null;
  const make = async () => create();
  const ready = (): Promise<Lab> => {
    lab ??= make().then((backend) => new Lab(backend, make, tolerance, flushesSubnormals));
    return lab;
  };
  const register = ({ name, run }: Case): void => {
    const rule = rules.find((one) => one.pattern.test(name));
    if (rule) {
      it.skip(`${name} (skipped: ${rule.reason})`, () => {});
      return;
    }
    it(name, async (context) => {
      try {
        await run(await ready());
      } catch (error) {
        if (!(error instanceof NotApplicable)) throw error;
        (context as { skip?: (note: string) => void } | undefined)?.skip?.(error.message);
      }
    });
  };
  const groups = new Map<string, Case[]>();
  for (const one of cases) {
    const name = one.name.slice(0, one.name.indexOf(" / "));
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  describe("conformance", () => {
    for (const [name, own] of groups) {
      describe(name, () => {
        for (const one of own) register(one);
      });
    }
    it("every declared skip names a test and gives a reason", () => {
      for (const { test: name, reason, pattern: matches } of rules) {
        if (!cases.some((one) => matches.test(one.name))) throw new Error(`the skip "${name}" names no test`);
        if (reason.trim() === "") throw new Error(`the skip "${name}" has no reason`);
      }
    });
    afterAll?.(async () => (await lab)?.backend.close());
  });
  for (const { test: name, reason } of skip) console.warn(`conformance: skips "${name}": ${reason}`);
}
