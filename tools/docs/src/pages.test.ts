import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");
const docs = globSync("tools/docs/**/*.md", { cwd: root, exclude: ["**/node_modules/**"] });
const all = [...docs, ...globSync(["*.md", "packages/*/README.md"], { cwd: root })].sort();
const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** A heading's anchor, as GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[`*[\]]|\(.*?\)/g, "")
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .trim()
    .replaceAll(" ", "-");
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading!));

/** Links of a page to files here, as paths from the root, with their anchors. */
const linksOf = (page: string): { path: string; anchor: string | undefined }[] =>
  [
    ...read(page)
      .replaceAll(/```[\s\S]*?```/g, "")
      .matchAll(/\]\(([^)\s]+)\)/g),
  ]
    .map(([, target]) => target!)
    .filter((target) => !/^\w+:/.test(target))
    .map((target) => {
      const [path, anchor] = target.split("#") as [string, string | undefined];
      return { path: path ? relative(root, join(root, dirname(page), path)) : page, anchor };
    });

describe("links lead somewhere", () => {
  test.each(all)("%s", (page) => {
    const broken = linksOf(page).filter(({ path, anchor }) => {
      if (!existsSync(join(root, path))) return true;
      return anchor !== undefined && !anchorsOf(read(path)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});

test("every page is reached from the first one", () => {
  const reached = new Set<string>();
  const visit = (page: string): void => {
    if (reached.has(page) || !page.endsWith(".md") || !existsSync(join(root, page))) return;
    reached.add(page);
    for (const { path } of linksOf(page)) visit(path);
  };
  visit("tools/docs/README.md");
  expect(docs.filter((page) => !reached.has(page))).toEqual([]);
});
