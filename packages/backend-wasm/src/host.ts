import { erf, erfc, pow } from "@descent/backend";

/** Functions of doubles that generated code may call: the engine's own, and what it lacks. */
export const hostFunctions: WebAssembly.ModuleImports = Object.assign(Object.create(Math) as object, {
  fmod: (a: number, b: number) => a % b,
  pow,
  erf,
  erfc,
});

/** Those that workers have too; see `worker-source.ts`. */
export const everywhere = (name: string): boolean => name !== "erf" && name !== "erfc";
