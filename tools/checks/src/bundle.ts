import { join } from "node:path";
import { build } from "vite";
import { root } from "./workspace.ts";

/** Bundles `code` with Vite as an application would, and gives the minified result. */
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
    ],
    build: {
      write: false,
      target: "es2022",
      rolldownOptions: { input: "entry", external: [...without], preserveEntrySignatures: "strict" },
    },
  });
  const outputs = Array.isArray(result) ? result : "output" in result ? [result] : [];
  return outputs
    .flatMap(({ output }) => output)
    .map((chunk) => (chunk.type === "chunk" ? chunk.code : ""))
    .join("\n");
}
