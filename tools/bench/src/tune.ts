import type { WebgpuBackend } from "@descent/backend-webgpu";
import { markdownTable } from "markdown-table";
import { showTime } from "./report.ts";
import type { Task } from "./task.ts";

/**
 * Lets the backend find out how it computes the products of tasks fastest, for so many seconds at most, and prints what it chose and
 * what every candidate took. What is measured afterwards is computed that way.
 */
export async function tuneFor(backend: WebgpuBackend, tasks: readonly Task[], seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1e3;
  const left = new Set<string>();
  for (const task of tasks) {
    const prepared = await task.descent();
    const result = await backend.tune(() => prepared.run(), { budget: Math.max(0, end - performance.now()) });
    await prepared.settle?.();
    prepared.dispose?.();
    for (const products of result.left) left.add(products);
    for (const { products, chosen, rule, seconds } of result.tuned) {
      const rows = Object.entries(seconds)
        .sort(([, a], [, b]) => a - b)
        .map(([name, time]) => [
          name,
          showTime(time),
          (seconds[rule]! / time).toFixed(2),
          ...[[name === chosen && "chosen", name === rule && "rule"].filter((note) => note).join(", ")],
        ]);
      console.log(`\n${task.name}, as products of the kind ${products}:`);
      console.log(markdownTable([["", "time", "× rule", ""], ...rows], { align: ["l", "r", "r", "l"] }));
    }
  }
  if (left.size > 0) console.log(`\nNo time was left to tune ${[...left].join("; ")}.`);
}
