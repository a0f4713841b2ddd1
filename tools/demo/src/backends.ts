import { cpu } from "@descent/backend-cpu";

/** The backends of this demo, best first. */
export const backends = { cpu };

export type BackendName = keyof typeof backends;

export const bestBackend = Object.keys(backends)[0] as BackendName;
