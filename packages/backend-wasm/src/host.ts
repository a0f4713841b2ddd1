import { pow } from "@descent/backend";

/** Functions of doubles that generated code may call: the engine's own, and what it lacks. Workers have them too: see `worker-source.ts`. */
export const hostFunctions: WebAssembly.ModuleImports = Object.assign(Object.create(Math) as object, {
  fmod: (a: number, b: number) => a % b,
  pow,
});
