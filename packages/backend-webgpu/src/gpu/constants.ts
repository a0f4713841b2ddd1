/** Numbers that the WebGPU specification fixes; Node has no globals for them. */
export const usage = {
  mapRead: 0x1,
  copySource: 0x4,
  copyTarget: 0x8,
  uniform: 0x40,
  storage: 0x80,
  queryResolve: 0x200,
} as const;

export const mapForReading = 0x1;
export const computeStage = 0x4;

/** Bytes between two launches' parameters: the alignment that every adapter accepts. */
const parameterStep = 256;
/** Bytes that so many words of parameters take, in whole steps. */
export const parameterBytesOf = (words: number): number => Math.ceil((words * 4) / parameterStep) * parameterStep;

/** Most workgroups along one axis of a dispatch; larger ones are folded into two axes. */
export const mostGroups = 65535;
/** Threads of a workgroup: what every adapter allows. */
export const groupSize = 256;
