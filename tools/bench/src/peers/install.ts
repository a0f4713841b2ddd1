import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const folder = fileURLToPath(new URL("../../peers/", import.meta.url));
const require = createRequire(join(folder, "package.json"));

/** Installs the peers at the versions of their lockfile, when somebody first asks for them. */
export function installPeers(): void {
  if (existsSync(join(folder, "node_modules/.modules.yaml"))) return;
  console.log("Installing the peers in tools/bench/peers (about 300 MB) …");
  const { status } = spawnSync("pnpm", ["--dir", folder, "install", "--frozen-lockfile"], {
    stdio: "inherit",
  });
  if (status !== 0) throw new Error("the peers could not be installed");
}

/** Imports a peer. */
export const peer = (name: string): Promise<unknown> => import(pathToFileURL(require.resolve(name)).href);

/** A path inside the package of a peer. */
peer.file = (name: string, path: string): string => join(dirname(require.resolve(`${name}/package.json`)), path, "/");
