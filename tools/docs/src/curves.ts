import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setWarnings } from "@descent/lr-scheduler";
import { draw } from "./draw.ts";
import { pages } from "./schedules.ts";

// Draws one SVG for every page of schedulers/: `pnpm --dir tools/docs curves`.
setWarnings(false);
const folder = join(import.meta.dirname, "../schedulers/curves");
mkdirSync(folder, { recursive: true });
for (const [page, figure] of Object.entries(pages)) writeFileSync(join(folder, `${page}.svg`), draw(figure));
console.log(`${Object.keys(pages).length} curves in ${folder}`);
