import type { Lab } from "./lab.ts";

/** One test: groups and subject are separated by " / " in its name. */
export interface Case {
  readonly name: string;
  readonly run: (lab: Lab) => void | Promise<void>;
}

/** Puts a group in front of the names of cases. */
export const group = (name: string, cases: readonly Case[]): Case[] =>
  cases.map((one) => ({ ...one, name: `${name} / ${one.name}` }));
