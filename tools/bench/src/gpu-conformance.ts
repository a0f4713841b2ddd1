import { after, describe, it } from "node:test";
import { conformance } from "@descent/backend/conformance";
import { webgpu } from "@descent/backend-webgpu";
import { skip, tolerance } from "../../../packages/backend-webgpu/src/testing/tolerance.ts";

// The conformance kit on the adapter of the machine it is run on; CI runs it on a software adapter.
const test = {
  describe,
  // node:test hands a context that can skip, and waits for what a body returns.
  it: Object.assign(
    (name: string, body: (context?: unknown) => unknown) => void it(name, async (t) => void (await body(t))),
    {
      skip: (name: string, body: () => unknown) => void it.skip(name, () => void body()),
    },
  ),
  afterAll: after,
};
conformance({ create: () => webgpu({ tuningCache: false }), test, tolerance, skip, flushesSubnormals: true });
