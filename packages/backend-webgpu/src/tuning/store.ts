/** Where something small is kept from one run to the next. */
export interface Store {
  /** For people: the file or the database. */
  readonly place: string;
  /** What was kept; undefined where there is nothing. May throw, and give anything that somebody else has put there. */
  read(): Promise<unknown>;
  write(content: unknown): Promise<void>;
}

interface Scope {
  readonly process?: {
    readonly versions?: { readonly node?: string };
    readonly platform: string;
    readonly pid: number;
    readonly env: Readonly<Record<string, string | undefined>>;
  };
  readonly indexedDB?: IDBFactory;
}

/** A store under `key`, in the folder or the database `where`; null where the platform has neither. */
export async function storeOf(key: string, where?: string, scope: Scope = globalThis as Scope): Promise<Store | null> {
  if (scope.process?.versions?.node) return fileStore(key, where, scope.process);
  return scope.indexedDB ? databaseStore(key, where ?? "descent", scope.indexedDB) : null;
}

/** Names of modules that only Node has: not literals, so that no bundler looks for them. */
const modules = { files: "node:fs/promises", path: "node:path", system: "node:os" };
const load = <T>(name: string): Promise<T> => import(/* @vite-ignore */ name);

async function fileStore(key: string, where: string | undefined, process: NonNullable<Scope["process"]>) {
  const files = await load<typeof import("node:fs/promises")>(modules.files);
  const path = await load<typeof import("node:path")>(modules.path);
  const folder = where ?? path.join(await cacheFolder(process, path), "descent");
  const name = key.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  const place = path.join(folder, `${name.slice(0, 60)}-${hash(key)}.json`);
  const store: Store = {
    place,
    async read() {
      try {
        return JSON.parse(await files.readFile(place, "utf8"));
      } catch (error) {
        if ((error as { code?: string }).code === "ENOENT") return undefined;
        throw error;
      }
    },
    async write(content) {
      await files.mkdir(folder, { recursive: true });
      // Whoever reads meanwhile sees the old file or the new one.
      const draft = `${place}.${process.pid}`;
      await files.writeFile(draft, `${JSON.stringify(content, null, 2)}\n`);
      await files.rename(draft, place);
    },
  };
  return store;
}

/** The folder that the user's system has for what can be made again. */
async function cacheFolder({ env, platform }: NonNullable<Scope["process"]>, path: typeof import("node:path")) {
  // A relative path is to be ignored: https://specifications.freedesktop.org/basedir-spec/latest/
  if (env.XDG_CACHE_HOME && path.isAbsolute(env.XDG_CACHE_HOME)) return env.XDG_CACHE_HOME;
  if (platform === "win32" && env.LOCALAPPDATA) return env.LOCALAPPDATA;
  const { homedir } = await load<typeof import("node:os")>(modules.system);
  return path.join(homedir(), platform === "darwin" ? "Library/Caches" : ".cache");
}

/** FNV-1a. */
function hash(text: string): string {
  let bits = 0x811c9dc5;
  for (const char of text) bits = Math.imul(bits ^ (char.codePointAt(0) as number), 0x01000193) >>> 0;
  return bits.toString(16).padStart(8, "0");
}

const table = "tuning";

function databaseStore(key: string, name: string, databases: IDBFactory): Store {
  const settled = <T>(request: IDBRequest<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  /** Opens the database, which reading does not make. */
  async function open<T>(mode: "readonly" | "readwrite", act: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    const opening = databases.open(name, 1);
    opening.onupgradeneeded = () => {
      if (mode === "readonly") opening.transaction?.abort();
      else opening.result.createObjectStore(table);
    };
    const database = await settled(opening);
    try {
      return await settled(act(database.transaction(table, mode).objectStore(table)));
    } finally {
      database.close();
    }
  }
  return {
    place: `IndexedDB ${name}`,
    async read() {
      try {
        return await open("readonly", (own) => own.get(key));
      } catch (error) {
        if ((error as DOMException).name === "AbortError") return undefined;
        throw error;
      }
    },
    async write(content) {
      await open("readwrite", (own) => own.put(content, key));
    },
  };
}
