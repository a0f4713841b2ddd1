// A process of its own: from import to the first result, and a first training step. Prints seconds, and what was compiled.
const start = performance.now();
let [modules, bytes] = [0, 0];
const { Module } = WebAssembly;
WebAssembly.Module = new Proxy(Module, {
  construct(target, [code]: [Uint8Array<ArrayBuffer>]) {
    modules++;
    bytes += code.byteLength;
    return new target(code);
  },
});
const { tensor, use } = await import("@descent/tensor");
const { backends } = await import("./backends.ts");
const { setBackend } = await import("./prepare.ts");
const [name, threads] = process.argv.slice(2) as [string, string];
const backend = await backends[name]!(Number(threads));
await use(backend);
setBackend(backend);
await tensor([1, 2, 3]).add(1).tolist();
const result = (performance.now() - start) / 1000;
const { mlp } = await import("./families/nets.ts");
const { descentStep } = await import("./families/training.ts");
const before = performance.now();
descentStep(mlp, false).run();
const step = (performance.now() - before) / 1000;
console.log(JSON.stringify({ result, step, modules, bytes }));
process.exit(0);
