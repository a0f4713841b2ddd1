import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { packages, root } from "./workspace.ts";

/** The top level: the layout, and what a tool insists on finding there. Dotfiles are free. */
const topLevel = [
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "LICENSE",
  "README.md",
  "biome.json",
  "package.json",
  "packages",
  "pnpm-lock.yaml",
  "pnpm-workspace.yaml",
  "tools",
  "turbo.json",
  "vitest.config.ts",
];

/** Where each entry of `exports` is found once built: the same shape for every package. */
function published(exports: Readonly<Record<string, string>>) {
  const entries = Object.entries(exports).map(([entry, path]) => {
    const built = path.replace("./src/", "./dist/").replace(/\.ts$/, "");
    return [
      entry,
      {
        import: { types: `${built}.d.ts`, default: `${built}.js` },
        require: { types: `${built}.d.cts`, default: `${built}.cjs` },
      },
    ];
  });
  return { ...Object.fromEntries(entries), "./package.json": "./package.json" };
}

/** Entries below the main one, for TypeScript's "node10" resolution, which does not read `exports`. */
function typesVersions(exports: Readonly<Record<string, string>>) {
  const below = Object.keys(exports).filter((entry) => entry !== ".");
  if (below.length === 0) return {};
  const types = below.map((entry) => [entry.slice(2), [`./dist/${entry.slice(2)}/index.d.ts`]]);
  return { typesVersions: { "*": Object.fromEntries(types) } };
}

test("the top level holds the layout and nothing else", () => {
  const ignored = ["node_modules", "coverage", "training.svg"]; // the last is what the demo draws
  const found = readdirSync(root).filter((name) => !name.startsWith(".") && !ignored.includes(name));
  expect(found.filter((name) => !topLevel.includes(name))).toEqual([]);
});

test("all packages carry one version", () => {
  expect(new Set(packages.map(({ manifest }) => manifest.version)).size).toBe(1);
});

test("tools/checks depends on every package, so that documents and bundles find them", () => {
  const { devDependencies } = JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8"));
  expect(packages.map(({ manifest }) => manifest.name).filter((name) => !(name in devDependencies))).toEqual([]);
});

describe.each(packages)("$id", ({ id, folder, manifest }) => {
  test("package.json says what every package says", () => {
    expect(manifest).toMatchObject({
      name: `@descent/${id}`,
      description: expect.stringMatching(/\.$/),
      keywords: expect.arrayContaining(["descent"]),
      license: "MIT",
      type: "module",
      sideEffects: false,
      engines: { node: ">=20" },
      files: ["dist"],
      scripts: { build: "tsup --config ../../tools/config/tsup.config.ts", typecheck: "tsc" },
    });
  });

  test("exports sources here and the built files once published", () => {
    for (const path of Object.values(manifest.exports)) expect(existsSync(join(folder, path)), path).toBe(true);
    expect(manifest.publishConfig).toEqual({
      access: "public",
      main: "./dist/index.cjs",
      module: "./dist/index.js",
      types: "./dist/index.d.ts",
      exports: published(manifest.exports),
      ...typesVersions(manifest.exports),
    });
  });
});
