import { beforeEach } from "vitest";
import { excuse } from "./excuse.ts";

// What the runner does in Node: in a page Vitest takes no runner but its own.
beforeEach(({ task, onTestFailed }) => {
  onTestFailed(() => excuse(task));
});
