import ts from "typescript";
import { describe, expect, test } from "vitest";
import { packages, type Source } from "./workspace.ts";

/** A file is read in one sitting; but `index.ts`, which is a list of names. */
const maxLines = 260;

/** Longer files, each with the reason why cutting it would make it worse. */
const longer: Readonly<Record<string, string>> = {};

function exportComplaints({ path, text }: Source): string[] {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest).statements.flatMap((statement) => {
    const isDefault =
      ts.isExportAssignment(statement) ||
      (ts.canHaveModifiers(statement) &&
        ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword));
    if (isDefault) return [`${path}: default export`];
    // `export * as init from` is one name; a bare `export *` hides which names a package has.
    const isStar = ts.isExportDeclaration(statement) && !statement.exportClause;
    return isStar ? [`${path}: export *`] : [];
  });
}

describe.each(packages)("$id", ({ id, sources }) => {
  test("exports by name", () => {
    expect(sources.flatMap(exportComplaints)).toEqual([]);
  });

  test(`has no source file above ${maxLines} lines`, () => {
    const long = sources
      .filter(({ path, isTest }) => !isTest && path !== "src/index.ts" && !(`${id}/${path}` in longer))
      .map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }))
      .filter(({ lines }) => lines > maxLines);
    expect(long.map(({ path, lines }) => `${path} has ${lines} lines`)).toEqual([]);
  });

  test("has kebab-case names, at most two folders deep", () => {
    const names = /^src(\/[a-z0-9]+(-[a-z0-9]+)*)?\/[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*\.ts$/;
    expect(sources.map(({ path }) => path).filter((path) => !names.test(path))).toEqual([]);
  });
});

test("the list of longer files names no file that is gone or short", () => {
  const lines = new Map(
    packages.flatMap(({ id, sources }) => sources.map(({ path, text }) => [`${id}/${path}`, text.split("\n").length])),
  );
  expect(Object.keys(longer).filter((path) => (lines.get(path) ?? 0) <= maxLines)).toEqual([]);
});
