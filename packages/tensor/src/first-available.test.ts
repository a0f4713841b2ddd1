import { type Backend, DescentError, reference } from "@descent/backend";
import { expect, test } from "vitest";
import { firstAvailable } from "./index.ts";

const absent = (): Backend => {
  throw new DescentError("unsupported", "absent", "no such device", {}, "Buy one.");
};

test("the first that there is", async () => {
  expect((await firstAvailable(absent, () => reference(), absent)).name).toBe("reference");
  expect((await firstAvailable(reference)).name).toBe("reference");
});

test("none: the reason of each", async () => {
  await expect(firstAvailable(absent, () => absent())).rejects.toThrowErrorMatchingInlineSnapshot(`
    [DescentError: firstAvailable: this machine has none of these backends
      absent    absent: no such device
      backend 2 absent: no such device
    cpu from @descent/backend-cpu runs everywhere: put it last.]
  `);
  await expect(firstAvailable()).rejects.toThrow("takes functions that make backends");
});

test("what is wrong for another reason is not passed over", async () => {
  const misused = () => {
    throw new DescentError("option", "webgpu", "unknown option", { option: "adaptor" });
  };
  await expect(firstAvailable(misused, reference)).rejects.toThrow("unknown option");
});
