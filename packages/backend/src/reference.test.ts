import { afterAll, describe, it } from "vitest";
import { conformance } from "./conformance/index.ts";
import { reference } from "./reference.ts";

conformance({ create: reference, test: { describe, it, afterAll } });
