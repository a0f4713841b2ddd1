import { noGrad } from "@descent/autograd";
import { manualSeed, scope, softmax, use } from "@descent/tensor";
import { digits, pixelsOf } from "demo/digits";
import { models } from "demo/models";
import { evaluate, train } from "demo/train";
import { backends } from "./backends.ts";
import type { Reply, Request } from "./protocol.ts";

// Training runs here, so that the page draws and listens whatever the backend does.

const tell = (reply: Reply): void => self.postMessage(reply);

/** The network that is being trained, or was. */
let model: ReturnType<(typeof models)["mlp"]> | null = null;
/** Open while training may go on. */
let gate = Promise.resolve();
let open = () => {};

/** The files of MNIST: what to learn from, and what to be judged by. */
const files = [
  "train-images-idx3-ubyte",
  "train-labels-idx1-ubyte",
  "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte",
];

async function bytesOf(file: string): Promise<Uint8Array> {
  const response = await fetch(import.meta.env.BASE_URL + file);
  if (!response.ok) throw new Error(`cannot load ${file}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function start({ backend, model: network, epochs, count }: Extract<Request, { kind: "start" }>): Promise<void> {
  tell({ kind: "loading" });
  await use(backends[backend]());
  manualSeed(0);
  const loaded = await Promise.all(files.map(bytesOf));
  const [images, labels, unseenImages, unseenLabels] = loaded as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  model = models[network]();
  tell({ kind: "starting" });
  const started = performance.now();
  await train(model, digits(images, labels, count), {
    epochs,
    batchSize: 128,
    seed: 0,
    maxLr: 3e-3,
    stopped: () => false,
    report: (progress) => {
      tell({ kind: "progress", progress });
      return gate;
    },
  });
  const seconds = (performance.now() - started) / 1000;
  tell({ kind: "evaluating" });
  tell({ kind: "finished", accuracy: await evaluate(model, digits(unseenImages, unseenLabels)), seconds });
}

async function predict(greys: Uint8Array): Promise<void> {
  const network = model;
  if (!network) return;
  const probabilities = await scope(() => noGrad(() => softmax(network.forward(pixelsOf(greys)), 1)).data(), "predict");
  tell({ kind: "prediction", probabilities: Array.from(probabilities) });
}

async function serve(request: Request): Promise<void> {
  switch (request.kind) {
    case "start":
      return start(request);
    case "predict":
      return predict(request.greys);
    case "pause":
      gate = new Promise((resolve) => {
        open = resolve;
      });
      return;
    case "resume":
      open();
  }
}

self.onmessage = ({ data }: MessageEvent<Request>) => {
  serve(data).catch((error: unknown) => tell({ kind: "failed", message: (error as Error).message }));
};
