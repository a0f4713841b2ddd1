import { beforeAll, expect, test, vi } from "vitest";
import type { Backend } from "../backend.ts";
import { reference } from "../reference.ts";
import { type ConformanceOptions, cases, conformance } from "./index.ts";

interface Registered {
  readonly name: string;
  readonly skipped: boolean;
  readonly body: (context?: unknown) => unknown;
}

/** Registers the kit with a runner of its own. */
function registered(options: Omit<ConformanceOptions, "test">): Registered[] {
  const list: Registered[] = [];
  const it = (name: string, body: Registered["body"]) => list.push({ name, body, skipped: false });
  it.skip = (name: string, body: Registered["body"]) => list.push({ name, body, skipped: true });
  conformance({ ...options, test: { describe: (_name, body) => body(), it } });
  return list;
}

/** Runs the tests whose names match and gives what each came to. */
async function outcomes(options: Omit<ConformanceOptions, "test">, names: RegExp): Promise<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const { name, body } of registered(options).filter((one) => names.test(one.name))) {
    let note = "passes";
    try {
      await body({
        skip: (reason: string) => {
          note = `skips: ${reason}`;
        },
      });
    } catch (error) {
      note = (error as Error).message.split("\n")[0] as string;
    }
    result[name] = note;
  }
  return result;
}

const warn = vi.spyOn(console, "warn");
beforeAll(() => warn.mockImplementation(() => {}));

/** The interpreter with one fault. */
const broken = (change: (backend: Backend) => Partial<Backend>) => () => {
  const backend = reference();
  return { ...backend, ...change(backend) };
};

test("names are unique, in groups, and many", () => {
  const names = cases.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.every((name) => name.includes(" / "))).toBe(true);
  expect(names.length).toBeGreaterThan(1000);
});

test("what the limits leave out is skipped by itself", async () => {
  const create = broken((backend) => ({
    limits: { ...backend.limits, dtypes: backend.limits.dtypes.filter((dtype) => dtype !== "float64") },
  }));
  expect(await outcomes({ create }, /^ops \/ add \/ f(32|64) \/ ordinary/)).toEqual({
    "ops / add / f32 / ordinary": "passes",
    "ops / add / f64 / ordinary": "skips: reference has no float64",
  });
});

test("declared skips are skipped, print their reasons, and must name something", async () => {
  warn.mockClear();
  const skip = [
    { test: "ops / sin", reason: "no sine here" },
    { test: "ops / * / subnormal", reason: "flushed to zero" },
    { test: "ops / sine", reason: "a slip" },
  ];
  const skipped = registered({ create: reference, skip }).filter((one) => one.skipped);
  expect(skipped.map(({ name }) => name)).toContain("ops / sin / f32 / nan (skipped: no sine here)");
  expect(skipped.map(({ name }) => name)).toContain("ops / exp / f32 / subnormal (skipped: flushed to zero)");
  expect(warn).toHaveBeenCalledWith('conformance: skips "ops / sin": no sine here');
  const verdict = await outcomes({ create: reference, skip }, /^every declared skip/);
  expect(Object.values(verdict)).toEqual(['the skip "ops / sine" names no test']);
});

test("a declared tolerance widens that of the table", async () => {
  const create = broken((backend) => ({
    // One unit in the last place off, on every read.
    read: async (...args) => {
      const array = await backend.read(...args);
      const bits = new Int32Array(array.buffer);
      if (array instanceof Float32Array)
        for (let i = 0; i < array.length; i++) if (Math.abs(array[i] as number) < 9) bits[i] = (bits[i] as number) + 1;
      return array;
    },
  }));
  const name = "ops / add / f32 / ordinary";
  expect((await outcomes({ create }, new RegExp(`^${name}`)))[name]).toMatch(/^buffer 0/); // inputs were changed too
  expect((await outcomes({ create, tolerance: { add: 2 } }, new RegExp(`^${name}`)))[name]).toBe("passes");
});

const faults: Readonly<Record<string, { create: () => Backend; caught: RegExp }>> = {
  "offsets are ignored": {
    create: broken((backend) => ({
      launch: (launch) => backend.launch({ ...launch, args: launch.args.map((arg) => ({ ...arg, offset: 0 })) }),
    })),
    caught: /^map \/ flat \/ offsets of 3/,
  },
  "uniforms are those of an earlier launch": {
    create: broken((backend) => {
      let first: readonly number[] | null = null;
      return {
        launch: (launch) => {
          if (launch.uniforms.length > 0) first ??= launch.uniforms;
          backend.launch({ ...launch, uniforms: launch.uniforms.length > 0 ? (first as readonly number[]) : [] });
        },
      };
    }),
    caught: /^order \/ one kernel with several/,
  },
  "one element too many is written": {
    create: broken((backend) => ({
      launch: (launch) => {
        const size =
          launch.shape.length === 1 && launch.kernel.program.kind === "map"
            ? [(launch.shape[0] as number) + 1]
            : launch.shape;
        backend.launch({ ...launch, shape: size });
      },
    })),
    caught: /^map \/ flat \/ length 3$/,
  },
  "freed buffers live on": {
    create: broken(() => ({ free: () => {} })),
    caught: /^misuse \/ a buffer freed twice/,
  },
  "writes keep the caller's array": {
    create: broken((backend) => {
      const late: (() => void)[] = [];
      return {
        write: (...args) => void late.push(() => backend.write(...args)),
        launch: (launch) => {
          for (const write of late.splice(0)) write();
          backend.launch(launch);
        },
        read: async (...args) => {
          for (const write of late.splice(0)) write();
          return backend.read(...args);
        },
      };
    }),
    caught: /^storage \/ int32 \/ written and read/,
  },
};

test.each(Object.entries(faults))("a backend is found out when %s", async (_name, { create, caught }) => {
  const verdict = Object.values(await outcomes({ create }, caught));
  expect(verdict).toHaveLength(1);
  expect(verdict[0]).not.toBe("passes");
});
