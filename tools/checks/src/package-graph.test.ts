import { posix } from "node:path";
import { describe, expect, test } from "vitest";
import { importsOf, type Package, packages, type Source } from "./workspace.ts";

/** Who may import whom, as ARCHITECTURE.md draws it. A folder missing here fails; a row without a folder is for later. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  backend: [],
  "backend-cpu": ["backend"],
  "backend-wasm": ["backend"],
  "backend-webgpu": ["backend"],
  tensor: ["backend"],
  autograd: ["tensor"],
  checkpoint: ["tensor"],
  data: ["tensor"],
  optim: ["tensor"],
  nn: ["autograd", "tensor"],
  distributed: ["optim", "tensor"],
  "lr-scheduler": [],
};

/** Optional peers from outside, each with its reason. */
const peers: Readonly<Record<string, readonly string[]>> = {
  "backend-webgpu": ["webgpu"], // Dawn, for WebGPU in Node; browsers have their own.
};

const scope = "@descent/";

/** What is wrong with an import, or null. */
function complaint({ manifest }: Package, source: Source, specifier: string, isStatic: boolean): string | null {
  if (specifier.startsWith(".")) {
    const target = posix.join(posix.dirname(source.path), specifier);
    if (!target.startsWith("src/")) return "leaves the package's src folder";
    return target.endsWith(".ts") ? null : 'needs its ".ts" ending, so that Node runs the source as it is';
  }
  if (specifier.startsWith("node:")) {
    return isStatic && !source.isTest ? "would break browsers: use import() where Node has been detected" : null;
  }
  const name = specifier.startsWith("@") ? specifier.split("/", 2).join("/") : (specifier.split("/", 1)[0] as string);
  const own = { ...manifest.dependencies, ...manifest.peerDependencies };
  const declared = source.isTest ? { ...own, ...manifest.devDependencies, vitest: "", [manifest.name]: "" } : own;
  if (!(name in declared)) return `is not a dependency of ${manifest.name}`;
  const target = packages.find((candidate) => candidate.manifest.name === name);
  const entry = `.${specifier.slice(name.length)}`;
  return target && !(entry in target.manifest.exports) ? `reaches into ${name}, which exports no "${entry}"` : null;
}

describe("the graph", () => {
  test("has a row for every package", () => {
    expect(packages.map(({ id }) => id).filter((id) => !(id in arrows))).toEqual([]);
  });

  test("has no cycle", () => {
    const visit = (id: string, path: readonly string[]): void => {
      expect(path, [...path, id].join(" → ")).not.toContain(id);
      for (const next of arrows[id] ?? []) visit(next, [...path, id]);
    };
    for (const id of Object.keys(arrows)) visit(id, []);
  });
});

describe.each(packages)("$id", (pkg) => {
  test("depends on exactly what the graph says", () => {
    const expected = Object.fromEntries((arrows[pkg.id] ?? []).map((id) => [scope + id, "workspace:^"]));
    expect(pkg.manifest.dependencies ?? {}).toEqual(expected);
    expect(Object.keys(pkg.manifest.peerDependencies ?? {})).toEqual(peers[pkg.id] ?? []);
    for (const name of peers[pkg.id] ?? []) expect(pkg.manifest.peerDependenciesMeta?.[name]?.optional).toBe(true);
  });

  test("imports only what it declares, and only through exports", () => {
    const complaints = pkg.sources.flatMap((source) =>
      importsOf(source).flatMap(({ specifier, isStatic }) => {
        const reason = complaint(pkg, source, specifier, isStatic);
        return reason === null ? [] : [`${pkg.id}/${source.path}: "${specifier}" ${reason}`];
      }),
    );
    expect(complaints).toEqual([]);
  });
});
