const show = (x: unknown): string => (Array.isArray(x) ? `[${x.map(show).join(", ")}]` : String(x));

/** Name, then per group all options in alphabetical order, laid out as PyTorch prints an optimizer. */
export function printed(name: string, groups: readonly object[]): string {
  const blocks = groups.map((group, i) => {
    const lines = Object.entries(group)
      .filter(([key]) => key !== "params")
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `    ${key}: ${show(value)}\n`);
    return `Parameter Group ${i}\n${lines.join("")}`;
  });
  return `${name} (\n${blocks.join("\n")})`;
}
