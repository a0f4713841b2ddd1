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

/** Elements between two entries of a loop that is cut in strips. */
const strip = 1024;

/**
 * Loops around `body`, outermost first; inside, every cursor is a variable of its own name. With several bodies, the innermost
 * loop runs them in turn, one per element, and the first one for what is left over: a sum then has several running parts.
 *
 * With `strips`, a single loop is cut in two. V8 enters optimised code in the middle of a loop that has run for long, and then
 * boxes the loop's numbers; only when the loop is entered anew are they kept in registers.
 */
export function nest(
  levels: readonly Level[],
  cursors: readonly Cursor[],
  bodies: string | readonly string[],
  strips = false,
): string {
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
    if (level < levels.length - 1 || (others.length === 0 && !strips)) {
      const inside = level < levels.length - 1 ? make(level + 1) : first!;
      const head = [`${index} < ${extent}; ${index}++`, ...advance(level)].join(", ");
      return block([...start, `for (let ${index} = 0; ${head}) {`, inside, "}"]);
    }
    const turn = (code: string) => `{\n${code}\n}\n${[`${index}++`, ...advance(level)].join(", ")};`;
    const less = others.length > 0 ? ` - ${others.length}` : "";
    const cut = strips && levels.length === 1;
    return block([
      ...start,
      `let ${index} = 0;`,
      cut ? `while (${index} < ${extent}${less}) {` : "{",
      `const last = ${cut ? `Math.min(${extent}, ${index} + ${strip})` : extent}${less};`,
      `while (${index} < last) {`,
      ...[first!, ...others].map(turn),
      "}",
      "}",
      ...(others.length > 0 ? [`while (${index} < ${extent}) {`, turn(first!), "}"] : []),
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
