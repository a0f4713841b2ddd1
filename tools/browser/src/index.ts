import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { unpackChromium } from "./unpack.ts";

/** How to start a Chromium: what Playwright's `launchOptions` take. */
export interface Chromium {
  readonly executablePath: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const installed = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

// Tests run our own pages only, and often as root, where Chromium's sandbox does not start.
const args = ["--no-sandbox", "--enable-unsafe-webgpu"];

const libraries = (...folders: string[]) =>
  [...folders, process.env.LD_LIBRARY_PATH].filter((folder) => folder).join(delimiter);

/** The Chromium for browser tests: `CHROMIUM_PATH`, else the one from the packages, else an installed one, else null. */
export async function chromium(): Promise<Chromium | null> {
  const named = process.env.CHROMIUM_PATH;
  if (named) {
    if (!existsSync(named)) throw new Error(`CHROMIUM_PATH names no file: ${named}`);
    return { executablePath: named, args, env: {} };
  }
  const folder = await unpackChromium();
  if (folder) {
    return {
      executablePath: join(folder, "chromium"),
      args,
      env: { LD_LIBRARY_PATH: libraries(join(folder, "lib"), folder) },
    };
  }
  const found = installed.find((path) => existsSync(path));
  return found === undefined ? null : { executablePath: found, args, env: {} };
}

/**
 * Environment under which Dawn in Node finds a Vulkan driver: empty where the machine has its own or where
 * `VK_ICD_FILENAMES` is set, else the software driver that comes with Chromium, else null.
 * It must be set before the process that loads Dawn starts.
 */
export async function vulkanEnvironment(): Promise<Record<string, string> | null> {
  const drivers = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"].flatMap((folder) =>
    existsSync(folder) ? readdirSync(folder) : [],
  );
  if (process.env.VK_ICD_FILENAMES || drivers.length > 0) return {};
  const folder = await unpackChromium();
  if (!folder) return null;
  return { VK_ICD_FILENAMES: join(folder, "vk_swiftshader_icd.json"), LD_LIBRARY_PATH: libraries(folder) };
}
