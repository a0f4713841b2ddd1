import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./workspace.ts";

/** A fenced ts or js block of a document, ready to run. */
export interface CodeBlock {
  /** As in `README.md:12`: the line of the fence. */
  readonly title: string;
  readonly language: "ts" | "js";
  /** False for a block marked `no-run`, which is only type-checked. */
  readonly runs: boolean;
  /** The module to run: what came before it, its hidden lines, and its own lines. */
  readonly code: string;
  /** Lines that the block promises to print, in this order: its `// → text` comments. */
  readonly prints: readonly string[];
  /** Where a line of `code` stands in the document; null for what another block or a hidden comment brought. */
  lineOf(codeLine: number): number | null;
}

const documents = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "packages/*/README.md", "tools/docs/**/*.md"];

// A hidden comment gives the block after it what readers need not see: <!-- before: const loader = ... -->
const pattern =
  /(?:<!--\s*before:(?<hidden>[\s\S]*?)-->\s*)?^(?<fence>`{3,})(?<info>[^\n`]*)\n(?<body>[\s\S]*?)^\k<fence>\s*$/gm;

const flags = ["no-run", "continue"];

export function codeBlocksOf(path: string, text: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let before = "";
  for (const match of text.matchAll(pattern)) {
    const { hidden = "", info = "", body = "" } = match.groups as Record<string, string | undefined>;
    const [word = "", ...words] = info.trim().split(/\s+/);
    if (!/^(ts|typescript|js|javascript)$/.test(word)) continue;
    const bodyLine =
      text.slice(0, match.index + match[0].indexOf(info, match[0].indexOf("```"))).split("\n").length + 1;
    const title = `${path}:${bodyLine - 1}`;
    const unknown = words.find((flag) => !flags.includes(flag));
    if (unknown) throw new Error(`${title}: unknown flag "${unknown}"; known are ${flags.join(", ")}`);

    const prefix = `${words.includes("continue") ? before : ""}${hidden.trim()}\n`;
    before = `${prefix}${body}`;
    const skip = prefix.split("\n").length - 1;
    blocks.push({
      title,
      language: word.startsWith("t") ? "ts" : "js",
      runs: !words.includes("no-run"),
      code: before,
      prints: [...body.matchAll(/\/\/ → (.*)$/gm)].map(([, line]) => (line as string).trim()),
      lineOf: (codeLine) => (codeLine > skip ? bodyLine + codeLine - skip - 1 : null),
    });
  }
  return blocks;
}

export const codeBlocks = globSync(documents, { cwd: root, exclude: ["**/node_modules/**", "**/.vitepress/**"] })
  .sort()
  .flatMap((path) => codeBlocksOf(path, readFileSync(join(root, path), "utf8")));
