import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { cpu } from "./cpu.ts";
import { canGenerate } from "./probe.ts";

/** Runs a whole fused step where `new Function` throws, and prints what came out. */
const script = `
import { buildMap, Trace } from "@descent/backend";
import { cpu } from ${JSON.stringify(fileURLToPath(new URL("./index.ts", import.meta.url)))};
const trace = new Trace({ kind: "map", rank: 1 });
const p = trace.update("float32");
trace.store(p.binding, p.value.sub(trace.input("float32").mul(trace.hyper(0))));
const { program, uniforms } = buildMap(trace);
const backend = cpu();
const [a, b] = [[1, 2, 3], [10, 20, 30]].map((data) => {
  const buffer = backend.alloc("float32", 3);
  backend.write(buffer, Float32Array.from(data));
  return { buffer, offset: 0, strides: [] };
});
const kernel = backend.compile(program);
backend.launch({ kernel, args: [a, b], shape: [3], uniforms: uniforms([0.5]), label: "step" });
console.log(JSON.stringify({ source: kernel.source ?? null, result: [...backend.readSync(a.buffer)] }));
`;

const run = (...flags: string[]): { source: string | null; result: number[] } =>
  JSON.parse(
    execFileSync(process.execPath, [...flags, "--input-type=module", "--eval", script], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      encoding: "utf8",
    }),
  );

test("programs are interpreted where code generation is forbidden", () => {
  expect(run("--disallow-code-generation-from-strings")).toEqual({ source: null, result: [-4, -8, -12] });
});

test("and compiled elsewhere, with the same result", () => {
  expect(canGenerate()).toBe(true);
  const { source, result } = run();
  expect(source).toContain("function run(args, shape, uniforms, label)");
  expect(result).toEqual([-4, -8, -12]);
  expect(cpu().name).toBe("cpu");
});
