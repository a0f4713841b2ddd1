import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pictures } from "./draw-paths.ts";

// Draws the pictures of optimizers/: `pnpm --dir tools/docs paths`.
const folder = join(import.meta.dirname, "../optimizers/paths");
mkdirSync(folder, { recursive: true });
for (const [name, picture] of Object.entries(pictures)) writeFileSync(join(folder, `${name}.svg`), picture());
console.log(`${Object.keys(pictures).length} pictures in ${folder}`);
