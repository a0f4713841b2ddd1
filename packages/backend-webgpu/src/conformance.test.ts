import { conformance } from "@descent/backend/conformance";
import { afterAll, describe, it } from "vitest";
import { webgpu } from "./webgpu.ts";

describe("Dawn", () => {
  conformance({ create: () => webgpu(), test: { describe, it, afterAll } });
});
