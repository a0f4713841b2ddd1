import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { build, type Rolldown } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assertLoopback, type Registry, run, startRegistry } from "./registry.ts";
import { copyWorkspace } from "./workspace-copy.ts";

const training = `
  await use(cpu());
  const x = tensor([5, -3]);
  const optimizer = new SGD([x], { lr: 0.1 });
  for (let i = 0; i < 100; i++) {
    x.grad = x.mul(2); // the gradient of x², by hand: nobody asked for autograd
    optimizer.step();
  }
  const largest = Math.max(...(await x.data()).map(Math.abs));
  console.log(largest < 1e-6 ? "trained" : "x is still " + largest);
`;

const esm = `
  import { use, tensor } from "@descent/tensor";
  import { cpu } from "@descent/backend-cpu";
  import { SGD } from "@descent/optim";
  ${training}`;

const cjs = `
  const { use, tensor } = require("@descent/tensor");
  const { cpu } = require("@descent/backend-cpu");
  const { SGD } = require("@descent/optim");
  (async () => { ${training} })();`;

/** The Node of the lockfile, and the machine's own where that is another one. */
const own = (process.env.PATH ?? "")
  .split(delimiter)
  .filter((path) => !path.includes("node_modules"))
  .map((path) => join(path, "node"))
  .find((path) => existsSync(path));
const nodes = [process.execPath, ...(own ? [own] : [])];

let registry: Registry;
const folder = mkdtempSync(join(tmpdir(), "descent-release-"));
const workspace = join(folder, "workspace");
const app = join(folder, "app");
const inApp = (command: string, ...args: string[]) => run(app, registry.env, command, ...args);

beforeAll(async () => {
  registry = await startRegistry(folder);
  mkdirSync(app);
});

afterAll(async () => {
  await registry?.close();
  rmSync(folder, { recursive: true, force: true });
});

test.for(["https://registry.example.com/", "http://10.0.0.1:4873/", "http://127.0.0.1.example.com/"])(
  "refuses %s",
  (url) => {
    expect(() => assertLoopback(url)).toThrow("nothing is published");
  },
);

describe("a release", { timeout: 120_000 }, () => {
  test("is versioned, published, and all of it arrives", async () => {
    const names = copyWorkspace(workspace);
    const inWorkspace = (command: string, ...args: string[]) => run(workspace, registry.env, command, ...args);
    await inWorkspace("git", "init", "--quiet");
    await inWorkspace("changeset", "version");
    for (const tool of ["npm", "pnpm"]) assertLoopback(await inWorkspace(tool, "config", "get", "registry"));
    await inWorkspace("changeset", "publish", "--no-git-tag");

    const versions = await Promise.all(names.map((name) => inWorkspace("npm", "view", name, "version")));
    expect(new Set(versions).size, "one version for all").toBe(1);
  });

  test("installs optim and backend-cpu with what they need, and nothing else", async () => {
    writeFileSync(join(app, "package.json"), `{ "private": true }`);
    await inApp("npm", "install", "--no-audit", "--no-fund", "@descent/optim", "@descent/backend-cpu");
    const installed = readdirSync(join(app, "node_modules")).filter((name) => !name.startsWith("."));
    expect(installed).toEqual(["@descent"]);
    expect(readdirSync(join(app, "node_modules/@descent")).sort()).toEqual([
      "backend",
      "backend-cpu",
      "optim",
      "tensor",
    ]);
  });

  test.for([
    ["train.mjs", esm],
    ["train.cjs", cjs],
  ] as const)("trains a parameter: %s", async ([file, code]) => {
    writeFileSync(join(app, file), code);
    for (const node of nodes) expect(await inApp(node, file), node).toBe("trained\n");
  });

  test("bundles with Vite, and the bundle trains", async () => {
    const chunk = await bundle("bundled", esm);
    expect([...packagesIn(chunk)].sort()).toEqual(["backend", "backend-cpu", "optim", "tensor"]);
    writeFileSync(join(app, "bundle.mjs"), chunk.code);
    expect(await inApp(process.execPath, "bundle.mjs")).toBe("trained\n");
  });

  test("bundles nothing of what is not used", async () => {
    const one = await bundle("one", `export { SGD } from "@descent/optim"; import "@descent/backend-cpu";`);
    expect(packagesIn(one)).not.toContain("backend-cpu");
    expect(one.code, "SGD brings Adam along").not.toContain("exp_avg");
    const none = await bundle("none", `import "@descent/optim"; import "@descent/backend-cpu"; export const x = 1;`);
    expect([...packagesIn(none)]).toEqual([]);
  });
});

/** Bundles an application that stands in the folder where the packages are installed. */
async function bundle(name: string, code: string): Promise<Rolldown.OutputChunk> {
  const entry = join(app, `${name}.entry.mjs`);
  writeFileSync(entry, code);
  const result = await build({
    root: app,
    configFile: false,
    logLevel: "error",
    build: { write: false, target: "es2022", lib: { entry, formats: ["es"] } },
  });
  const [output] = (Array.isArray(result) ? result : [result]) as Rolldown.RolldownOutput[];
  const chunks = output?.output.filter((chunk) => chunk.type === "chunk") ?? [];
  expect(chunks.length).toBe(1);
  return chunks[0] as Rolldown.OutputChunk;
}

/** Packages of which any code is left in a bundle. */
function packagesIn({ modules }: Rolldown.OutputChunk): Set<string> {
  const used = Object.entries(modules).filter(([, { renderedLength }]) => renderedLength > 0);
  return new Set(used.flatMap(([id]) => /node_modules\/@descent\/([\w-]+)/.exec(id)?.[1] ?? []));
}
