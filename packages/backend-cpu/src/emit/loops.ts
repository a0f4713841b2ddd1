/** One loop: its counter and how often it runs, as JavaScript. */
export interface Level {
  readonly index: string;
  readonly extent: string;
}

/** A position that moves along a loop nest: where it starts, and what one turn of each loop adds ("" for nothing). */
export interface Cursor {
  readonly name: string;
  readonly start: string;
  readonly steps: readonly string[];
}

/**
 * Loops around `body`, outermost first; inside, every cursor is a variable of its own name. With several bodies, the innermost
 * loop runs them in turn, one per element, and the first one for what is left over: a sum then has several running parts.
 */
export function nest(levels: readonly Level[], cursors: readonly Cursor[], bodies: string | readonly string[]): string {
  const [first, ...others] = typeof bodies === "string" ? [bodies] : bodies;
  if (levels.length === 0) return block([...cursors.map(({ name, start }) => `const ${name} = ${start};`), first!]);
  const variable = ({ name }: Cursor, level: number) => (level === levels.length - 1 ? name : `${name}_${level}`);
  const advance = (level: number) =>
    cursors.flatMap((cursor) => (cursor.steps[level] ? [`${variable(cursor, level)} += ${cursor.steps[level]}`] : []));
  const make = (level: number): string => {
    const { index, extent } = levels[level]!;
    const start = cursors.map(
      (cursor) => `let ${variable(cursor, level)} = ${level === 0 ? cursor.start : variable(cursor, level - 1)};`,
    );
    if (level < levels.length - 1 || others.length === 0) {
      const inside = level < levels.length - 1 ? make(level + 1) : first!;
      return block([
        ...start,
        `for (let ${index} = 0; ${[`${index} < ${extent}; ${index}++`, ...advance(level)].join(", ")}) {`,
        inside,
        "}",
      ]);
    }
    const turn = (code: string) => `{\n${code}\n}\n${[`${index}++`, ...advance(level)].join(", ")};`;
    return block([
      ...start,
      `let ${index} = 0;`,
      `const last = ${extent} - ${others.length};`,
      `while (${index} < last) {`,
      ...[first!, ...others].map(turn),
      "}",
      `while (${index} < ${extent}) {`,
      turn(first!),
      "}",
    ]);
  };
  return make(0);
}

const block = (lines: readonly string[]): string => `{\n${lines.join("\n")}\n}`;

/** Indents by braces, so that generated code can be read. */
export function indented(code: string): string {
  let depth = 0;
  return code
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const text = line.trim();
      if (text.startsWith("}")) depth--;
      const out = "  ".repeat(Math.max(0, depth)) + text;
      if (text.endsWith("{")) depth++;
      return out;
    })
    .join("\n");
}
