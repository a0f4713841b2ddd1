import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { nearest } from "@descent/backend";
import { backends } from "./backends.ts";
import { Bench, type Family } from "./bench.ts";
import { contract } from "./families/contract.ts";
import { fold } from "./families/fold.ts";
import { map } from "./families/map.ts";
import { small } from "./families/small.ts";
import { training } from "./families/training.ts";
import { type Finding, heading, line } from "./report.ts";

const families: Readonly<Record<string, Family>> = { small, map, fold, contract, training };

const usage = `Measures a backend. Figures are medians of fifteen samples; the least one stands beside them.

  npm run bench -- [--backend ${Object.keys(backends).join("|")}] [--only ${Object.keys(families).join(",")}] [--json file]
`;

const { values } = parseArgs({
  options: {
    backend: { type: "string", default: "cpu" },
    only: { type: "string", default: Object.keys(families).join(",") },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

/** The entry of a table, or an exit with the nearest name there is. */
function pick<T>(table: Readonly<Record<string, T>>, what: string, name: string): T {
  const found = table[name];
  if (found) return found;
  console.error(`There is no ${what} "${name}". Did you mean "${nearest(name, Object.keys(table))}"?\n\n${usage}`);
  process.exit(2);
}

if (values.help) {
  console.log(usage);
} else {
  const chosen = values.only.split(",").map((name) => [name, pick(families, "family", name)] as const);
  const backend = await pick(backends, "backend", values.backend)();
  const machine = { cpu: cpus()[0]?.model ?? "unknown", cores: cpus().length, node: process.version };
  console.log(`${backend.name} on ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}`);
  const findings: Finding[] = [];
  for (const [name, family] of chosen) {
    console.log(heading(name));
    const bench = new Bench(backend, name, (finding) => console.log(line(finding)));
    await family(bench);
    findings.push(...bench.findings);
  }
  if (values.json)
    writeFileSync(values.json, `${JSON.stringify({ backend: backend.name, machine, findings }, null, 2)}\n`);
  await backend.close();
}
