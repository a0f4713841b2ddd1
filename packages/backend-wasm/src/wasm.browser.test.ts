import { conformance } from "@descent/backend/conformance";
import { afterAll, describe, expect, it } from "vitest";
import { wasm } from "./wasm.ts";

it("runs in a page that is cross-origin isolated", () => {
  expect(crossOriginIsolated).toBe(true);
});

describe("in a page, with workers", () => {
  conformance({ create: () => wasm({ threads: 3 }), test: { describe, it, afterAll } });
});

describe("in a page, alone", () => {
  conformance({ create: () => wasm({ threads: 1, relaxedSimd: false }), test: { describe, it, afterAll } });
});
