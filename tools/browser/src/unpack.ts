import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { brotliDecompressSync, createBrotliDecompress } from "node:zlib";

const packageName = "@sparticuz/chromium";
const root = join(import.meta.dirname, "../../..");

/** Writes the files of a tar archive. Knows plain files and folders, which is all that Chromium's archives hold. */
function untar(archive: Buffer, into: string): void {
  const text = (from: number, length: number) => archive.toString("latin1", from, from + length).replace(/\0.*/s, "");
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const path = join(into, text(at, 100));
    const size = Number.parseInt(text(at + 124, 12), 8) || 0;
    if (text(at + 156, 1) === "5") mkdirSync(path, { recursive: true });
    else {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, archive.subarray(at + 512, at + 512 + size), { mode: Number.parseInt(text(at + 100, 8), 8) });
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

/**
 * The folder with the Chromium that came with the packages, unpacked on first use (about 4 s, 211 MB). Null when the
 * optional package is not installed or this machine cannot run it.
 *
 * The package's own `executablePath()` is not used: it unpacks into the shared temporary folder, and its flags switch
 * web security off.
 */
export async function unpackChromium(): Promise<string | null> {
  if (process.platform !== "linux" || process.arch !== "x64") return null;
  let bin: string;
  try {
    bin = join(dirname(createRequire(import.meta.url).resolve(packageName)), "../bin");
  } catch {
    return null;
  }
  const { version } = JSON.parse(readFileSync(join(bin, "../package.json"), "utf8")) as { version: string };
  const folder = join(root, "node_modules/.cache", `chromium-${version}`);
  if (existsSync(folder)) return folder;

  // Unpacked aside and renamed, so that an interrupted or a second concurrent run leaves nothing half done.
  const aside = `${folder}.${process.pid}`;
  mkdirSync(aside, { recursive: true });
  untar(brotliDecompressSync(readFileSync(join(bin, "al2023.tar.br"))), aside);
  untar(brotliDecompressSync(readFileSync(join(bin, "swiftshader.tar.br"))), aside);
  await pipeline(
    createReadStream(join(bin, "chromium.br")),
    createBrotliDecompress(),
    createWriteStream(join(aside, "chromium"), { mode: 0o755 }),
  );
  try {
    renameSync(aside, folder);
  } catch (error) {
    rmSync(aside, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
