import { type ModelName, models } from "demo/models";
import { type BackendName, backends } from "./backends.ts";
import { Curve } from "./curve.ts";
import { Pad } from "./pad.ts";
import type { Reply, Request } from "./protocol.ts";
import "./style.css";

const find = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const controls = find<HTMLFormElement>("controls");
const startButton = find<HTMLButtonElement>("start");
const pauseButton = find<HTMLButtonElement>("pause");
const status = find("status");
const bar = find<HTMLProgressElement>("progress");
const guesses = find<HTMLOListElement>("guesses");
const seen = find<HTMLCanvasElement>("seen").getContext("2d") as CanvasRenderingContext2D;
const loss = new Curve(find("loss"), "loss", "#c0392b");
const accuracy = new Curve(find("accuracy"), "accuracy", "#2471a3", [0, 1]);

const offer = (name: string, choices: readonly string[]): void => {
  const select = controls.elements.namedItem(name) as HTMLSelectElement;
  select.append(...choices.map((choice) => new Option(choice)));
};
offer("backend", Object.keys(backends));
offer("model", Object.keys(models));
// A link may fill in the form: ?backend=cpu&count=2000&epochs=1
for (const [name, value] of new URLSearchParams(location.search)) {
  const field = controls.elements.namedItem(name);
  if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = value;
}

let worker: Worker | null = null;
let paused = false;
/** The last digit that was drawn. */
let drawn: Uint8Array | null = null;
/** Whether an answer about a drawn digit is under way, and whether the digit has changed since it was asked for. */
let asked = false;
let changed = false;

const ask = (request: Request): void => worker?.postMessage(request);

function setPaused(value: boolean): void {
  paused = value;
  pauseButton.textContent = paused ? "Resume" : "Pause";
}

/** What the network makes of the drawn digit; one question at a time, the newest. */
function guess(): void {
  changed = asked;
  if (asked || !drawn || !worker) return;
  asked = true;
  ask({ kind: "predict", greys: drawn });
}

function showGuesses(probabilities: readonly number[]): void {
  const best = probabilities.indexOf(Math.max(...probabilities));
  guesses.replaceChildren(
    ...probabilities.map((p, digit) => {
      const item = document.createElement("li");
      item.style.setProperty("--p", String(p));
      item.classList.toggle("best", digit === best);
      item.textContent = `${digit}: ${(100 * p).toFixed(1)} %`;
      return item;
    }),
  );
}

function hear(reply: Reply): void {
  switch (reply.kind) {
    case "loading":
      status.textContent = "Loading the digits …";
      break;
    case "starting":
      status.textContent = "Compiling the first step …";
      break;
    case "progress": {
      const { step, steps, epoch, samplesPerSecond, loss: l, accuracy: a } = reply.progress;
      const speed = Math.round(samplesPerSecond).toLocaleString("en");
      status.textContent = `Step ${step} of ${steps}, epoch ${epoch}: loss ${l.toFixed(3)}, accuracy ${a.toFixed(3)}, ${speed} digits per second`;
      bar.value = step / steps;
      loss.add(step, l);
      accuracy.add(step, a);
      guess();
      break;
    }
    case "evaluating":
      status.textContent = "Reading 10,000 digits it has not seen …";
      break;
    case "finished":
      status.textContent = `test accuracy: ${reply.accuracy.toFixed(4)} (trained in ${reply.seconds.toFixed(1)} s)`;
      idle();
      guess();
      break;
    case "prediction":
      asked = false;
      showGuesses(reply.probabilities);
      if (changed) guess();
      break;
    case "failed":
      status.textContent = reply.message;
      status.classList.add("failed");
      asked = false;
      idle();
  }
}

function idle(): void {
  startButton.textContent = "Train again";
  pauseButton.disabled = true;
  setPaused(false);
}

controls.addEventListener("submit", (event) => {
  event.preventDefault();
  worker?.terminate();
  worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<Reply>) => hear(data);
  worker.onerror = ({ message }) => hear({ kind: "failed", message: message || "the worker could not start" });
  asked = false;
  status.classList.remove("failed");
  startButton.textContent = "Start over";
  pauseButton.disabled = false;
  setPaused(false);
  loss.clear();
  accuracy.clear();
  bar.value = 0;
  const form = new FormData(controls);
  ask({
    kind: "start",
    backend: form.get("backend") as BackendName,
    model: form.get("model") as ModelName,
    epochs: Number(form.get("epochs")),
    count: Number(form.get("count")),
  });
});

pauseButton.addEventListener("click", () => {
  setPaused(!paused);
  ask({ kind: paused ? "pause" : "resume" });
});

const pad = new Pad(find<HTMLCanvasElement>("pad"), (greys) => {
  drawn = greys;
  const image = new ImageData(28, 28);
  greys.forEach((grey, i) => {
    image.data.set([grey, grey, grey, 255], 4 * i);
  });
  seen.putImageData(image, 0, 0);
  guess();
});
find("clear").addEventListener("click", () => {
  pad.clear();
  seen.clearRect(0, 0, 28, 28);
  guesses.replaceChildren();
  drawn = null;
});
