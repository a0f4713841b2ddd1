import { conformance } from "@descent/backend/conformance";
import { afterAll, describe, it } from "vitest";
import { skip, tolerance } from "./testing/tolerance.ts";
import { webgpu } from "./webgpu.ts";

describe("in a page", () => {
  const test = { describe, it, afterAll };
  conformance({ create: () => webgpu({ tuningCache: false }), test, tolerance, skip, flushesSubnormals: true });
});
