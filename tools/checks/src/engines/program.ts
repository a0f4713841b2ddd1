import { variable } from "@descent/autograd";
import { conformance, type TestFunctions } from "@descent/backend/conformance";
import { wasm } from "@descent/backend-wasm";
import { Adam } from "@descent/optim";
import { use } from "@descent/tensor";

/** What an engine reports: how many tests ran, and what went wrong. */
export interface Report {
  readonly tests: number;
  readonly failures: readonly string[];
  /** Whether the place allows code from strings. */
  readonly evaluates: boolean;
}

/** Runs the conformance kit, or those of its tests whose names match `only`, then trains. */
export async function report(only = /^/): Promise<Report> {
  // The smallest runner the kit accepts: it collects, then runs in order.
  const tests: [name: string, body: () => unknown][] = [];
  const last: (() => unknown)[] = [];
  const it = (name: string, body: () => unknown) => only.test(name) && tests.push([name, body]);
  const test: TestFunctions = {
    describe: (_name, body) => body(),
    it: Object.assign(it, { skip: () => undefined }),
    afterAll: (body) => last.push(body),
  };
  conformance({ create: () => wasm({ threads: 2 }), test });
  const failures: string[] = [];
  for (const [name, body] of tests) {
    try {
      await body();
    } catch (error) {
      failures.push(`${name}: ${error}`);
    }
  }
  for (const body of last) await body();

  // Workers and memory are left behind on purpose: they must not keep a process alive.
  await use(wasm({ threads: 2 }));
  const x = variable(new Float32Array(200_000).fill(1));
  const optimizer = new Adam([x], { lr: 0.1 });
  for (let step = 0; step < 50; step++) {
    optimizer.zeroGrad();
    x.mul(x).sum().backward();
    optimizer.step();
  }
  const largest = await x.abs().max().item();
  if (!(largest < 0.2)) failures.push(`training ends at ${largest}`);
  return { tests: tests.length, failures, evaluates: evaluates() };
}

function evaluates(): boolean {
  try {
    new Function("");
    return true;
  } catch {
    return false;
  }
}
