import { type Backend, DescentError, isDescentError } from "@descent/backend";

/** Makes a backend: `webgpu`, `wasm`, `cpu`, or a function that calls one of them with options. */
export type BackendMaker = () => Backend | Promise<Backend>;

/**
 * The first of several backends that this machine has. Nothing is ever replaced silently: this is how to ask for it, and the
 * backend's `name` says which one it became.
 *
 * @example
 * await use(firstAvailable(webgpu, wasm, cpu));
 * await use(firstAvailable(() => webgpu({ recover: true }), wasm));
 *
 * @throws DescentError `unsupported` when there is none, with the reason of each. Other errors, a misspelt option for example,
 * are thrown as they are.
 */
export async function firstAvailable(...makers: readonly BackendMaker[]): Promise<Backend> {
  const reasons: Record<string, string> = {};
  for (const [i, make] of makers.entries()) {
    try {
      return await make();
    } catch (error) {
      if (!isDescentError(error) || (error.code !== "unsupported" && error.code !== "memory")) throw error;
      reasons[make.name || `backend ${i + 1}`] = error.message.split("\n")[0] as string;
    }
  }
  throw new DescentError(
    "unsupported",
    "firstAvailable",
    makers.length === 0 ? "takes functions that make backends" : "this machine has none of these backends",
    reasons,
    "cpu from @descent/backend-cpu runs everywhere: put it last.",
  );
}
