import { variable } from "@descent/autograd";
import { conformance, type TestFunctions } from "@descent/backend/conformance";
import { wasm } from "@descent/backend-wasm";
import { Adam } from "@descent/optim";
import { use } from "@descent/tensor";

/** What an engine that runs this file reports: how many tests ran, and what went wrong. */
export interface Report {
  readonly tests: number;
  readonly failures: readonly string[];
}

// The smallest runner the kit accepts: it collects, then runs in order.
const tests: [name: string, body: () => unknown][] = [];
const last: (() => unknown)[] = [];
const test: TestFunctions = {
  describe: (_name, body) => body(),
  it: Object.assign((name: string, body: () => unknown) => tests.push([name, body]), { skip: () => undefined }),
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

// Workers and memory are left behind on purpose: they must not keep the process alive.
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
console.log(JSON.stringify({ tests: tests.length, failures } satisfies Report));
