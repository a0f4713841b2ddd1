import { cpSync, existsSync, globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./registry.ts";

/**
 * Copies what a release works on, so that versions are raised and changelogs written there and not here: the
 * workspace's own files, every package.json, and the built files. Gives the names of the packages to be released.
 */
export function copyWorkspace(into: string): string[] {
  const manifests = globSync("{packages,tools}/*/package.json", { cwd: root }).map((path) =>
    path.replaceAll("\\", "/"),
  );
  const shared = ["package.json", "pnpm-workspace.yaml", "pnpm-lock.yaml", ".changeset", "LICENSE"];
  for (const path of [...shared, ...manifests]) {
    mkdirSync(join(into, dirname(path)), { recursive: true });
    cpSync(join(root, path), join(into, path), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(into, "node_modules"));
  const names: string[] = [];
  for (const path of manifests) {
    const { name, private: isPrivate } = JSON.parse(readFileSync(join(root, path), "utf8"));
    if (isPrivate) continue;
    const dist = join(dirname(path), "dist");
    if (!existsSync(join(root, dist))) throw new Error(`${dist} is missing: npm run build comes first`);
    cpSync(join(root, dist), join(into, dist), { recursive: true });
    names.push(name);
  }
  // A release of everything, whatever changesets are waiting: one of them at least is always there.
  const frontMatter = names.map((name) => `"${name}": minor`).join("\n");
  writeFileSync(
    join(into, ".changeset/release-test.md"),
    `---\n${frontMatter}\n---\n\nA release, to see that it works.\n`,
  );
  return names.sort();
}
