import { spawn } from "node:child_process";
import { vulkanEnvironment } from "browser";

/**
 * Runs this program again where WebGPU needs another environment: on a machine without a Vulkan driver, with the software driver that
 * comes with Chromium. The system looks for drivers when a process starts, so it has to be another one. Its exit code; null: not needed.
 */
export async function runWithDriver(): Promise<number | null> {
  const environment = await vulkanEnvironment();
  if (!environment || Object.keys(environment).length === 0) return null;
  console.log("This machine has no Vulkan driver: WebGPU runs on the software driver that comes with Chromium.");
  const ignore = () => {}; // Ctrl-C reaches the other process too, which ends as it sees fit
  process.on("SIGINT", ignore);
  const child = spawn(process.execPath, process.argv.slice(1), {
    env: { ...process.env, ...environment },
    stdio: "inherit",
  });
  const code = await new Promise<number | null>((resolve, reject) => child.on("exit", resolve).on("error", reject));
  process.off("SIGINT", ignore);
  return code ?? 1;
}
