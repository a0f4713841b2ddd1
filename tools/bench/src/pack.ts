import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build } from "vite";

// Makes one archive with everything that the benchmarks need on a Linux machine with a GPU and no network: Node, Dawn, the bundled
// benchmarks, a Vulkan loader, and PyTorch's side. The driver is the machine's own.
//
//   node src/pack.ts [--out descent-bench.tar.gz]
//   tar xzf descent-bench.tar.gz
//   descent-bench/run.sh conformance                              the conformance kit on this machine's adapter
//   descent-bench/run.sh bench --backend webgpu --only gpu        the figures; torch-gpu.py prints PyTorch's beside them
//   … --only gpu --tune 60                                        tuned: what every candidate takes, then the figures with what was chosen

const mostBytes = 60e6;
const { values } = parseArgs({ options: { out: { type: "string", default: "descent-bench.tar.gz" } } });
const here = import.meta.dirname;
const repository = join(here, "../../..");
const work = mkdtempSync(join(tmpdir(), "descent-pack-"));
const folder = join(work, "descent-bench");

const script = `#!/bin/sh
# Runs one of the programs that lie beside this file, bench or conformance; the Vulkan driver is the machine's own, or that of VK_ICD_FILENAMES.
here=$(cd "$(dirname "$0")" && pwd)
export LD_LIBRARY_PATH="\${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$here/lib"
if [ -z "$VK_ICD_FILENAMES" ]; then
  for file in /usr/share/vulkan/icd.d/nvidia_icd*.json /etc/vulkan/icd.d/nvidia_icd*.json /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd*.json; do
    [ -e "$file" ] && export VK_ICD_FILENAMES="$file" && break
  done
fi
program=$1
shift
exec "$here/node" "$here/$program.mjs" "$@"
`;

/** The first of these files that exists. */
const found = (paths: readonly string[]): string => {
  const path = paths.find((one) => existsSync(one));
  if (path === undefined) throw new Error(`none of these exists: ${paths.join(", ")}`);
  return path;
};

try {
  await build({
    configFile: false,
    logLevel: "error",
    root: join(here, ".."),
    ssr: { noExternal: true, external: ["webgpu"] },
    build: {
      ssr: true,
      outDir: folder,
      minify: false,
      target: "node20",
      rolldownOptions: {
        input: { bench: join(here, "main.ts"), conformance: join(here, "gpu-conformance.ts") },
        output: { entryFileNames: "[name].mjs", chunkFileNames: "[name].mjs" },
      },
    },
  });
  const dawn = dirname(createRequire(import.meta.url).resolve("webgpu"));
  const platform = join("dist", `${process.platform}-${process.arch}`);
  const installed = join(folder, "node_modules/webgpu");
  mkdirSync(join(installed, platform), { recursive: true });
  for (const file of ["package.json", "index.js", join(platform, "dawn.node")])
    copyFileSync(join(dawn, file), join(installed, file));
  copyFileSync(process.execPath, join(folder, "node"));
  mkdirSync(join(folder, "lib"));
  const loader = "libvulkan.so.1";
  copyFileSync(
    found([
      join(repository, "node_modules/.cache/chromium-153.0.0", loader),
      join("/usr/lib/x86_64-linux-gnu", loader),
      join("/usr/lib/aarch64-linux-gnu", loader),
    ]),
    join(folder, "lib", loader),
  );
  copyFileSync(join(here, "../torch/gpu.py"), join(folder, "torch-gpu.py"));
  writeFileSync(join(folder, "run.sh"), script);
  for (const file of ["run.sh", "node"]) chmodSync(join(folder, file), 0o755);
  const out = resolve(values.out);
  execFileSync("tar", ["-C", work, "-I", "gzip -9", "-cf", out, "descent-bench"]);
  const { size } = statSync(out);
  console.log(`${out}: ${(size / 1e6).toFixed(1)} MB`);
  if (size > mostBytes) throw new Error(`the archive is larger than ${mostBytes / 1e6} MB`);
} finally {
  rmSync(work, { recursive: true });
}
