import { writeFileSync } from "node:fs";
import { backendUnderTest } from "backend-under-test";
import { exchanged, runHere } from "./exchange.ts";

// Writes states for PyTorch to go on from: `node packages/optim/src/testing/save-states.ts saved.json`, then
// `python tools/torch-fixtures/exchange.py saved.json` records how it goes on.
const backend = await backendUnderTest();
const cases = exchanged.map((t) => ({ ...t, snapshots: [], stateDict: {}, saved: runHere(t, backend).saved }));
writeFileSync(process.argv[2]!, JSON.stringify({ cases }));
process.exit(0);
