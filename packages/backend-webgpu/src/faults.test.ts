import { expect, test } from "vitest";
import { Faults } from "./gpu/faults.ts";

/** A device whose scopes report, in the order in which they are asked: internal, memory, validation. */
function reporting(reports: readonly (string | null)[]): { device: GPUDevice; scopes: () => number } {
  let [open, next] = [0, 0];
  const device = {
    pushErrorScope: () => open++,
    popErrorScope: () => {
      open--;
      const message = reports[next++ % reports.length];
      return Promise.resolve(message === null ? null : { message });
    },
  } as unknown as GPUDevice;
  return { device, scopes: () => open };
}

test("out of memory names the operation, what it asked for and what lives, once", async () => {
  const { device, scopes } = reporting([null, "Failed to allocate", null]);
  const faults = new Faults(device);
  faults.noteMemory(4096);
  faults.noteMemory(1024);
  expect(scopes()).toBe(3); // one scope of each kind for the whole batch
  faults.noteOperation("add");
  faults.noteOperation("matmul");
  faults.close(10_000);
  expect(scopes()).toBe(0);
  const fault = await faults.settled();
  expect(fault?.code).toBe("memory");
  expect(fault?.message).toMatchInlineSnapshot(`
    "matmul: the GPU has no memory of this size left
      largest request 4096
      live bytes      10000
      operations      add, matmul
      reason          Failed to allocate
    Free tensors, use smaller batches, or a smaller dtype."
  `);
  expect(await faults.settled()).toBeNull();
});

test("refused commands are a defect of ours", async () => {
  const faults = new Faults(reporting([null, null, "Binding size too small\nmore"]).device);
  faults.open();
  faults.noteOperation("sum");
  faults.close(0);
  const fault = await faults.settled();
  expect([fault?.code, fault?.operation, fault?.facts.reason]).toEqual(["internal", "sum", "Binding size too small"]);
});

test("a batch without complaints leaves none", async () => {
  const faults = new Faults(reporting([null]).device);
  faults.open();
  faults.close(0);
  faults.close(0);
  expect(await faults.settled()).toBeNull();
});
