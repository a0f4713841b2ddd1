import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vulkanEnvironment } from "browser";
import { afterAll, describe, expect, test } from "vitest";

const main = join(import.meta.dirname, "main.ts");
const folder = mkdtempSync(join(tmpdir(), "demo-"));
const plot = join(folder, "training.svg");
const env: NodeJS.ProcessEnv = { ...process.env, INIT_CWD: folder };

afterAll(() => rmSync(folder, { recursive: true }));

interface Outcome {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

const demo = (...args: string[]): Promise<Outcome> => demoIn(env, ...args);
const demoIn = (env: NodeJS.ProcessEnv, ...args: string[]): Promise<Outcome> =>
  new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env }, (error, output, errors) =>
      resolve({ code: error ? Number(error.code) : 0, output, errors }),
    );
  });

/** What is the same in every run with the same seed. */
const result = ({ output }: Outcome) => output.split("\n").find((line) => line.startsWith("test accuracy:"));

describe("a quick run", () => {
  test("learns, draws what happened, and repeats itself with the same seed on any backend", {
    timeout: 120_000,
  }, async () => {
    const first = await demo("--quick", "--seed", "5", "--backend", "wasm");
    expect([first.code, first.output]).toEqual([
      0,
      expect.stringMatching(/^Training the mlp on 6,000 digits, 1 epoch/),
    ]);
    expect(result(first)).toMatch(/^test accuracy: 0\.\d{4} \(10,000 digits, seed 5\)$/);
    expect(Number(/0\.\d+/.exec(result(first) as string))).toBeGreaterThan(0.88); // usually 0.92
    const svg = readFileSync(plot, "utf8");
    for (const title of ["loss", "accuracy in training", "learning rate"]) expect(svg).toContain(`>${title}</text>`);
    expect(result(await demo("--quick", "--seed", "5"))).toBe(result(first)); // wasm is the default
    expect(result(await demo("--quick", "--seed", "6"))).not.toBe(result(first));
  });
});

const driver = await vulkanEnvironment();

test.skipIf(!driver)("on WebGPU, where the user has set up nothing", { timeout: 180_000 }, async () => {
  const { VK_ICD_FILENAMES: _, LD_LIBRARY_PATH: __, ...bare } = env;
  const found = await demoIn(bare, "--backend", "webgpu", "--quick", "--samples", "128");
  expect([found.code, found.output]).toEqual([
    0,
    expect.stringContaining("Training the mlp on 128 digits, 1 epoch, backend webgpu."),
  ]);
  expect(found.output).toMatch(/^test accuracy: 0\.\d{4} /m);
});

test("Ctrl-C ends it cleanly and says what was saved", { timeout: 60_000 }, async () => {
  rmSync(plot, { force: true });
  const child = spawn(process.execPath, [main, "--backend", "cpu", "--epochs", "100"], { env });
  let [output, errors] = ["", ""];
  child.stdout.on("data", (text) => {
    output += text;
  });
  child.stderr.on("data", (text) => {
    if (errors === "") child.kill("SIGINT"); // the bar is there: training has begun
    errors += text;
  });
  const code = await new Promise((resolve) => child.on("exit", resolve));
  expect([code, output.split("\n")[1]]).toEqual([
    130,
    expect.stringMatching(/^Stopped after step \d+ of 46800\. Saved: loss, accuracy and learning rate so far, in /),
  ]);
  expect(existsSync(plot)).toBe(true);
});
