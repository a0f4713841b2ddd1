import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import ts from "typescript";
import { beforeAll, describe, expect, test } from "vitest";
import { codeBlocks, codeBlocksOf } from "./code-blocks.ts";

// Every ts and js block of the documents, run the way a reader would: as a file of its own, by Node. The folder lies
// in this package because that is where imports of @descent/* resolve (and to sources, as everywhere in the workspace).
const folder = join(import.meta.dirname, "../.code-blocks");
const files = codeBlocks.map((block, i) =>
  join(folder, `${i}-${block.title.replace(/[^\w.]/g, "-")}.${block.language}`),
);
const typeErrors = new Map<string, string[]>();

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  codeBlocks.forEach((block, i) => {
    // Without an export TypeScript takes a file for a script, and two scripts share their names.
    writeFileSync(files[i] as string, `${block.code}\nexport {};\n`);
  });
  const base = ts.readConfigFile(join(folder, "../../config/tsconfig.base.json"), ts.sys.readFile).config;
  const { options } = ts.parseJsonConfigFileContent({ ...base, include: [], files }, ts.sys, join(folder, ".."));
  const program = ts.createProgram(
    files.filter((file) => file.endsWith(".ts")),
    options,
  );
  for (const diagnostic of ts.getPreEmitDiagnostics(program)) {
    const name = diagnostic.file?.fileName ?? "";
    const block = codeBlocks[files.indexOf(name)];
    // Errors in the packages themselves are the business of the type check.
    if (!block || !diagnostic.file) continue;
    const { line } = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start ?? 0);
    const where = block.lineOf(line + 1);
    const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n");
    typeErrors.set(name, [
      ...(typeErrors.get(name) ?? []),
      `${where === null ? "before the block" : `line ${where}`}: ${text}`,
    ]);
  }
}, 180_000); // TypeScript reads every package

describe("documents", () => {
  test.each(codeBlocks.map((block, i) => ({ ...block, file: files[i] as string })))(
    "$title",
    { timeout: 60_000 },
    async ({ file, runs, prints }) => {
      expect(typeErrors.get(file) ?? []).toEqual([]);
      if (!runs) return;
      const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder });
      const lines = stdout.split("\n").map((line) => line.trim());
      let at = 0;
      for (const line of prints) {
        expect(lines.slice(at), `should print "${line}"`).toContain(line);
        at = lines.indexOf(line, at) + 1;
      }
    },
  );
});

describe("reading blocks", () => {
  const read = (text: string) => codeBlocksOf("x.md", text);

  test("takes ts and js, leaves the rest", () => {
    const blocks = read("```sh\nls\n```\ntext\n```ts no-run\nlet a = 1;\n```\n\n```js\nb();\n```\n");
    expect(blocks.map(({ title, language, runs, code }) => ({ title, language, runs, code: code.trim() }))).toEqual([
      { title: "x.md:5", language: "ts", runs: false, code: "let a = 1;" },
      { title: "x.md:9", language: "js", runs: true, code: "b();" },
    ]);
  });

  test("continues the block before, puts hidden lines first, and knows where lines stand", () => {
    const [, second] = read(
      "```ts\nlet a = 1;\n```\n<!-- before: let b = 2; -->\n\n```ts continue\nlet c = a + b;\nc;\n```\n",
    );
    expect(second?.code).toBe("\nlet a = 1;\nlet b = 2;\nlet c = a + b;\nc;\n");
    expect([2, 3, 4, 5].map((line) => second?.lineOf(line))).toEqual([null, null, 7, 8]);
  });

  test("collects what a block promises to print", () => {
    expect(read('```ts\nconsole.log("x"); // → x\n```\n')[0]?.prints).toEqual(["x"]);
  });

  test("refuses a flag it does not know", () => {
    expect(() => read("```ts norun\n```\n")).toThrow('x.md:1: unknown flag "norun"; known are no-run, continue');
  });
});
