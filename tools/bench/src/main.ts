import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { fileURLToPath } from "node:url";
import type { WebgpuBackend } from "@descent/backend-webgpu";
import { manualSeed, use } from "@descent/tensor";
import { Command, Option } from "commander";
import { backends } from "./backends.ts";
import { copy } from "./families/gpu.ts";
import { families, isSoftware, isUsual } from "./families/index.ts";
import { measureCopy, measureFloor } from "./floor.ts";
import { installPeers } from "./peers/install.ts";
import { jax } from "./peers/jax.ts";
import { tfjs } from "./peers/tfjs.ts";
import { timeTorch, torchVersion } from "./peers/torch.ts";
import { setBackend } from "./prepare.ts";
import {
  copyLength,
  type Finding,
  type Machine,
  notes,
  page,
  type Results,
  type Section,
  showFloor,
  table,
} from "./report.ts";
import { runTask } from "./run-task.ts";
import { measureStart } from "./start.ts";
import { tuneFor } from "./tune.ts";

const command = new Command("npm run bench --")
  .description("Measures Descent, and with --peers the libraries beside it.")
  .addOption(new Option("--backend <name>", "what to measure").choices(Object.keys(backends)).default("wasm"))
  .option("--threads <count>", "threads of the backend; default: all cores", Number, cpus().length)
  .option("--only <families>", `some of: ${[...Object.keys(families), "start"].join(",")}`, (text) => text.split(","))
  .option("--match <text>", "only what has this in its name", "")
  .option("--tune <seconds>", "on webgpu, first tune the products of each family, and print every candidate", Number, 0)
  .option("--peers", "also measure TensorFlow.js, jax-js and PyTorch (where Python has it)", false)
  .option("--json <file>", "write the results as JSON")
  .option("--record", "write tools/bench/RESULTS.md and results.json", false)
  .parse();
interface Options {
  readonly backend: string;
  readonly threads: number;
  readonly only?: readonly string[];
  readonly match: string;
  readonly tune: number;
  readonly peers: boolean;
  readonly json?: string;
  readonly record: boolean;
}
const options = command.opts<Options>();
const names = [...Object.keys(families), "start"];
const unknown = options.only?.find((name) => !names.includes(name));
if (unknown) command.error(`There is no family "${unknown}"; there are ${names.join(", ")}.`);
const backend = await backends[options.backend]!(options.threads);
const gpu = backend.name === "webgpu" ? (backend as WebgpuBackend) : null;
const slow = options.backend === "cpu" || isSoftware(gpu);
const chosen = options.only ?? names.filter((name) => isUsual(name, gpu));
const threads = options.backend === "cpu" || gpu ? 1 : options.threads;
await use(backend);
manualSeed(0);
setBackend(backend);

const machine: Machine = {
  processor: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
  system: `${type()} ${release()}`,
  node: process.version,
};
const floor = gpu
  ? await measureCopy(copy(Math.min(copyLength, backend.limits.maxLength)))
  : await measureFloor(threads);
console.log(
  `${backend.name}, ${threads} threads on ${machine.processor}, ${machine.cores} cores, Node ${machine.node}; ` +
    `floor: ${showFloor(floor)}`,
);

if (options.peers) installPeers();
const tf = options.peers && !gpu ? await tfjs(options.backend === "cpu" ? "cpu" : "wasm") : null;
const jaxjs = options.peers && options.backend !== "cpu" ? await jax(gpu ? "webgpu" : "wasm") : null;
const torch = options.peers ? torchVersion() : null;
if (options.peers && !torch) console.log("PyTorch is not installed for $PYTHON or python3: skipped.");

const found: Record<string, Section> = {};
const report = (name: string, findings: readonly Finding[], start: number): void => {
  found[name] = { floor, findings };
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`\n${name}, measured in ${seconds} s\n${table(findings, floor)}\n${notes(findings)}`);
};
for (const name of chosen) {
  const start = performance.now();
  if (name === "start") {
    report(name, measureStart(options.backend, threads), start);
    continue;
  }
  if (name === "scaling" && threads === 1) continue;
  const named = families[name]!().filter((task) => task.name.includes(options.match));
  const wanted = named.filter((task) => !task.heavy || !slow);
  const heavy = named.filter((task) => !wanted.includes(task)).map((task) => task.name);
  if (heavy.length > 0) console.log(`\n${name}: left out as too slow here: ${heavy.join("; ")}`);
  if (wanted.length === 0) continue;
  if (gpu && options.tune > 0) await tuneFor(gpu, wanted, options.tune);
  const findings: Finding[] = [];
  const alone = name === "scaling" ? () => backends[options.backend]!(1) : null;
  for (const task of wanted)
    findings.push(await runTask(task, backend, { tfjs: tf, jax: jaxjs, alone }, options.peers));
  const inTorch = torch ? timeTorch(wanted, threads, gpu !== null) : [];
  report(
    name,
    findings.map((finding, i) => {
      const timing = inTorch[i];
      return timing ? { ...finding, peers: { ...finding.peers, torch: timing } } : finding;
    }),
    start,
  );
}
await backend.close();

const results: Results = {
  backend: backend.name,
  threads,
  date: new Date().toISOString().slice(0, 10),
  machine,
  versions: { ...(tf && { tfjs: tf.version_core }), ...(jaxjs && { jax: "0.1.25" }), ...(torch && { torch }) },
  families: found,
};
const text = `${JSON.stringify(results, null, 2)}\n`;
if (options.json) writeFileSync(options.json, text);
if (options.record) {
  // Families that this run left out stay as they were recorded on the same machine and backend.
  const [markdown, json] = ["RESULTS.md", "results.json"].map((name) =>
    fileURLToPath(new URL(`../${name}`, import.meta.url)),
  );
  const before = existsSync(json!) ? (JSON.parse(readFileSync(json!, "utf8")) as Results) : null;
  const same = before?.backend === results.backend && before.machine.processor === machine.processor;
  const earlier = same ? before.families : {};
  const sections: Record<string, Section> = { ...earlier, ...found };
  if (options.match) {
    for (const [name, { floor, findings }] of Object.entries(found)) {
      const others = (earlier[name]?.findings ?? []).filter((one) => !findings.some((now) => now.name === one.name));
      sections[name] = { floor, findings: [...others, ...findings] };
    }
  }
  const families = Object.fromEntries(names.flatMap((name) => (sections[name] ? [[name, sections[name]]] : [])));
  const all = { ...results, versions: { ...(same ? before.versions : {}), ...results.versions }, families };
  writeFileSync(markdown!, page(all));
  writeFileSync(json!, `${JSON.stringify(all, null, 2)}\n`);
}
process.exit(0);
