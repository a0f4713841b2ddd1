import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { fileURLToPath } from "node:url";
import { manualSeed, use, useSync } from "@descent/tensor";
import { Command, Option } from "commander";
import { backends } from "./backends.ts";
import { copy } from "./families/gpu.ts";
import { families } from "./families/index.ts";
import { measureCopy, measureFloor } from "./floor.ts";
import { measure } from "./measure.ts";
import { installPeers } from "./peers/install.ts";
import { jax } from "./peers/jax.ts";
import { tfjs } from "./peers/tfjs.ts";
import { timeTorch, torchVersion } from "./peers/torch.ts";
import { setBackend } from "./prepare.ts";
import {
  copyLength,
  type Finding,
  type Machine,
  page,
  type Results,
  type Section,
  showFloor,
  table,
} from "./report.ts";
import { measureStart } from "./start.ts";
import type { Prepared, Task } from "./task.ts";

const command = new Command("npm run bench --")
  .description("Measures Descent, and with --peers the libraries beside it.")
  .addOption(new Option("--backend <name>", "what to measure").choices(Object.keys(backends)).default("wasm"))
  .option("--threads <count>", "threads of the backend; default: all cores", Number, cpus().length)
  .option("--only <families>", `some of: ${[...Object.keys(families), "start"].join(",")}`, (text) => text.split(","))
  .option("--match <text>", "only what has this in its name", "")
  .option("--peers", "also measure TensorFlow.js, jax-js and PyTorch (where Python has it)", false)
  .option("--json <file>", "write the results as JSON")
  .option("--record", "write tools/bench/RESULTS.md and results.json", false)
  .parse();
interface Options {
  readonly backend: string;
  readonly threads: number;
  readonly only?: readonly string[];
  readonly match: string;
  readonly peers: boolean;
  readonly json?: string;
  readonly record: boolean;
}
const options = command.opts<Options>();
const names = [...Object.keys(families), "start"];
// The gpu families have sizes of their own: they are measured when asked for.
const chosen = options.only ?? names.filter((name) => !name.startsWith("gpu"));
const unknown = chosen.find((name) => !names.includes(name));
if (unknown) command.error(`There is no family "${unknown}"; there are ${names.join(", ")}.`);
const backend = await backends[options.backend]!(options.threads);
const threads = options.backend === "cpu" ? 1 : options.threads;
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
const floor = backend.name === "webgpu" ? await measureCopy(copy(copyLength)) : await measureFloor(threads);
console.log(
  `${backend.name}, ${threads} threads on ${machine.processor}, ${machine.cores} cores, Node ${machine.node}; ` +
    `floor: ${showFloor(floor)}`,
);

if (options.peers) installPeers();
const tf = options.peers ? await tfjs(options.backend === "cpu" ? "cpu" : "wasm") : null;
const jaxjs = options.peers && options.backend !== "cpu" ? await jax() : null;
const torch = options.peers ? torchVersion() : null;
if (options.peers && !torch) console.log("PyTorch is not installed for $PYTHON or python3: skipped.");

/** Descent on a backend of its own with one thread. */
async function onOneThread(task: Task): Promise<Prepared> {
  const one = await backends[options.backend]!(1);
  await use(one);
  const { run } = await task.descent();
  await use(backend);
  return {
    run() {
      useSync(one);
      run();
      useSync(backend);
    },
    dispose: () => one.close(),
  };
}

/** Measures Descent and what it is compared with in JavaScript, in turns. */
async function run(task: Task, scaling: boolean): Promise<Finding> {
  const subjects: [name: "descent" | "one" | "tfjs" | "jax", prepared: Prepared][] = [
    ["descent", await task.descent()],
  ];
  if (scaling) subjects.push(["one", await onOneThread(task)]);
  if (tf && task.tfjs) subjects.push(["tfjs", await task.tfjs(tf)]);
  if (jaxjs && task.jax) subjects.push(["jax", await task.jax(jaxjs)]);
  const timings = await measure(subjects.map(([, prepared]) => prepared));
  const calls = task.calls ?? 1;
  const each = timings.map(({ median, best }) => ({ median: median / calls, best: best / calls }));
  for (const [, prepared] of subjects) prepared.dispose?.();
  const [descent, ...others] = each;
  return {
    name: task.name,
    ...(task.flops && { flops: task.flops }),
    ...(task.bytes && { bytes: task.bytes }),
    descent: descent!,
    peers: Object.fromEntries(others.map((timing, i) => [subjects[i + 1]![0], timing])),
    missing: options.peers ? { ...task.missing } : {},
  };
}

const found: Record<string, Section> = {};
const report = (name: string, findings: readonly Finding[]): void => {
  found[name] = { floor, findings };
  console.log(`\n${name}\n${table(findings, floor)}`);
};
for (const name of chosen) {
  if (name === "start") {
    report(name, measureStart(options.backend, threads));
    continue;
  }
  if (name === "scaling" && threads === 1) continue;
  const wanted = families[name]!().filter(
    (task) => task.name.includes(options.match) && !(task.heavy && options.backend === "cpu"),
  );
  if (wanted.length === 0) continue;
  const findings: Finding[] = [];
  for (const task of wanted) findings.push(await run(task, name === "scaling"));
  const inTorch = torch ? timeTorch(wanted, threads) : [];
  report(
    name,
    findings.map((finding, i) => {
      const timing = inTorch[i];
      return timing ? { ...finding, peers: { ...finding.peers, torch: timing } } : finding;
    }),
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
