import type { Program } from "./program.ts";

/** A program as text, one instruction a line: for people, snapshots and bug reports. */
export function print(program: Program): string {
  const shape = Object.entries(program)
    .filter(([name, value]) => typeof value !== "object" && name !== "key" && name !== "kind")
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
  const lines = [`${program.kind} (${shape})`];
  program.bindings.forEach(({ dtype, access, mode }, i) => {
    lines.push(`  @${i} ${mode} ${access} ${dtype}`);
  });
  if ("body" in program) {
    program.body.forEach(({ op, type, args, imm }, id) => {
      const operands = [
        ...args.map((arg) => `%${arg}`),
        ...(imm === undefined ? [] : [op === "load" ? `@${imm}` : String(imm)]),
      ];
      lines.push(`  %${id} = ${op} ${operands.join(" ")}: ${type}`);
    });
    for (const { binding, value } of program.stores) lines.push(`  @${binding} <- %${value}`);
  }
  return lines.join("\n");
}
