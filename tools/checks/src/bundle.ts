import { join } from "node:path";
import { build } from "vite";
import { root } from "./workspace.ts";

/**
 * Bundles `code` with Vite as an application would, and gives the minified result: what is loaded at the start. Chunks that are imported
 * when they are needed are not part of it.
 */
export async function bundle(code: string, without: readonly string[] = []): Promise<string> {
  const entry = "\0entry";
  const result = await build({
    root: join(root, "tools/checks"),
    configFile: false,
    logLevel: "error",
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === "entry" ? entry : null),
        load: (id) => (id === entry ? code : null),
      },
      {
        // What Vite adds to load a chunk's style sheets beforehand is Vite's; there are none.
        name: "without-preload",
        enforce: "pre",
        load: (id) => (id.includes("vite/preload-helper") ? "export const __vitePreload = (load) => load();" : null),
      },
    ],
    build: {
      write: false,
      target: "es2022",
      rolldownOptions: { input: "entry", external: [...without], preserveEntrySignatures: "allow-extension" },
    },
  });
  const outputs = Array.isArray(result) ? result : "output" in result ? [result] : [];
  const chunks = outputs.flatMap(({ output }) => output).flatMap((one) => (one.type === "chunk" ? [one] : []));
  const atStart = new Set(chunks.filter(({ isEntry }) => isEntry).map(({ fileName }) => fileName));
  for (const name of atStart)
    for (const needed of chunks.find(({ fileName }) => fileName === name)?.imports ?? []) atStart.add(needed);
  return chunks
    .filter(({ fileName }) => atStart.has(fileName))
    .map((chunk) => chunk.code)
    .join("\n");
}
