import { conformance } from "@descent/backend/conformance";
import { afterAll, describe, it } from "vitest";
import { cpu } from "./cpu.ts";

conformance({ create: () => cpu(), test: { describe, it, afterAll } });
