import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { runServer } from "verdaccio";

export const root = join(import.meta.dirname, "../../..");

export interface Registry {
  readonly url: string;
  /** An environment in which npm and pnpm know this registry and no other. */
  readonly env: NodeJS.ProcessEnv;
  close(): Promise<void>;
}

/** Throws unless `url` is a registry on this machine: nothing here may ever publish for real. */
export function assertLoopback(url: string): void {
  const { hostname, protocol } = new URL(url.trim());
  if (protocol !== "http:" || !["127.0.0.1", "[::1]", "localhost"].includes(hostname)) {
    throw new Error(`The registry is not on this machine, so nothing is published: ${url}`);
  }
}

/** Starts an empty registry that asks no other one, on a free port. */
export async function startRegistry(folder: string): Promise<Registry> {
  const app = (await runServer({
    configPath: join(folder, "config.yaml"),
    storage: join(folder, "storage"),
    auth: {},
    uplinks: {},
    packages: { "**": { access: "$all", publish: "$anonymous" } },
    log: { type: "stdout", format: "pretty", level: "fatal" },
    web: { enable: false },
  } as never)) as Server;
  await new Promise<void>((resolve) => app.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(app.address() as AddressInfo).port}/`;

  const home = join(folder, "home");
  mkdirSync(home);
  const npmrc = join(home, ".npmrc");
  writeFileSync(npmrc, `registry=${url}\n${url.slice("http:".length)}:_authToken=local\n`);
  // What the user or the calling npm has configured must not reach the commands below. pnpm ignores
  // npm_config_registry, so a file says it.
  const clean = Object.entries(process.env).filter(([name]) => !/^p?npm_/i.test(name));
  const env = {
    ...Object.fromEntries(clean),
    HOME: home,
    NPM_CONFIG_USERCONFIG: npmrc,
    NPM_CONFIG_UPDATE_NOTIFIER: "false",
    PATH: [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter),
  };
  return {
    url,
    env,
    close: () => new Promise((resolve, reject) => app.close((error) => (error ? reject(error) : resolve()))),
  };
}

/** Runs a command and gives what it printed; a failure carries that too. */
export async function run(cwd: string, env: NodeJS.ProcessEnv, command: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd, env });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")} failed in ${cwd}\n${stdout ?? ""}${stderr ?? ""}`, { cause: error });
  }
}
