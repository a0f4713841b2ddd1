import { DescentError } from "./error.ts";
import type { ParamGroup } from "./schedulable.ts";

/** Whether momentum means the first of the betas, as for Adam; throws for an optimizer that has neither. */
export function usesBeta1(title: string, groups: readonly ParamGroup[]): boolean {
  const without = groups.findIndex(({ betas, momentum }) => !Array.isArray(betas) && typeof momentum !== "number");
  if (without >= 0) {
    const hint = "Use an optimizer with momentum or betas, or pass cycleMomentum: false.";
    throw new DescentError("option", title, `paramGroups[${without}] has no momentum to cycle`, {}, hint);
  }
  return groups.some(({ betas }) => Array.isArray(betas));
}

export function setMomentum(group: ParamGroup, momentum: number): void {
  if (group.betas) group.betas = [momentum, ...group.betas.slice(1)];
  else group.momentum = momentum;
}
