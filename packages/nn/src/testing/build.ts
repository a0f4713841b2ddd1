import { decode, type RawTensor } from "torch-fixtures";
import type { AnyModule } from "../any-module.ts";
import { fromFixture } from "./fixture.ts";

/** Gives the parameters of a module their recorded values. */
export function setParameters(module: AnyModule, parameters: Readonly<Record<string, RawTensor>>): void {
  const state = Object.fromEntries(Object.entries(parameters).map(([name, raw]) => [name, fromFixture(raw)]));
  const { unexpectedKeys } = module.loadStateDict(state, { strict: false });
  if (unexpectedKeys.length > 0) throw new Error(`no such parameters: ${unexpectedKeys}`);
}

/** The number that a recorded tensor without axes holds. */
export const numberOf = (raw: RawTensor): number => decode(raw).data[0] as number;
