import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDescentError, manualSeed, use } from "@descent/tensor";
import { SingleBar } from "cli-progress";
import { backends } from "./backends.ts";
import { runWithDriver } from "./driver.ts";
import { testDigits, trainingDigits } from "./mnist.ts";
import { models } from "./models.ts";
import { demoCommand, type Options } from "./options.ts";
import { plotRun } from "./plot.ts";
import { evaluate, type Progress, train } from "./train.ts";

const whole = (n: number): string => Math.round(n).toLocaleString("en");

/** A bar that shows a run as it goes: in place on a terminal, a line every five seconds elsewhere. */
function progressBar() {
  const bar = new SingleBar({
    format: "{bar} {percentage}% | epoch {epoch} | loss {loss} | accuracy {accuracy} | {speed} samples/s | {left} left",
    hideCursor: true,
    noTTYOutput: true,
    notTTYSchedule: 5_000,
    barsize: 24,
    gracefulExit: false,
  });
  const started = performance.now();
  bar.start(100, 0, { epoch: 1, loss: "-", accuracy: "-", speed: "-", left: "-" });
  return {
    show({ step, steps, epoch, loss, accuracy, samplesPerSecond }: Progress): void {
      bar.update((100 * step) / steps, {
        epoch,
        loss: loss.toFixed(3),
        accuracy: accuracy.toFixed(3),
        speed: whole(samplesPerSecond),
        left: `${Math.ceil(((performance.now() - started) * (steps / step - 1)) / 1000)} s`,
      });
    },
    stop: () => bar.stop(),
  };
}

/** Calls `run` with a question whether the user pressed Ctrl-C meanwhile. A second one ends the process at once. */
async function interruptible<T>(run: (stopped: () => boolean) => Promise<T>): Promise<T> {
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
  };
  process.once("SIGINT", interrupt);
  try {
    return await run(() => interrupted);
  } finally {
    process.off("SIGINT", interrupt);
  }
}

/** Writes a file; says why where that fails, since a run is worth more than its picture. */
function written(file: string, text: string): string | null {
  try {
    writeFileSync(file, text);
    return null;
  } catch (error) {
    return `The curves could not be saved: ${(error as Error).message}`;
  }
}

const slowly =
  "The adapter is software: it shows that everything works, some hundred times slower than a GPU, and only one epoch is " +
  "run unless --epochs says otherwise. --quick or --samples 1000 make it shorter; --backend wasm is fast on any machine.";

/** Whether a WebGPU backend computes on the processor. */
const isSoftware = (backend: object): boolean =>
  "adapter" in backend && /swiftshader|llvmpipe|software/i.test(String(backend.adapter));

async function main(options: Options): Promise<void> {
  const { backend: backendName, model: modelName, seed, quick, epochs: asked } = options;
  const { make, epochs: usual } = backends[backendName];
  const backend = await use(make());
  const isSlow = isSoftware(backend);
  if (isSlow) console.log(slowly);
  manualSeed(seed);
  const data = trainingDigits(options.samples ?? (quick ? 6_000 : undefined));
  const model = models[modelName]();
  const epochs = asked ?? (quick || isSlow ? 1 : usual[modelName]);
  const passes = `${epochs} ${epochs === 1 ? "epoch" : "epochs"}`;
  console.log(`Training the ${modelName} on ${whole(data.length)} digits, ${passes}, backend ${backend.name}.`);

  const history: Progress[] = [];
  const started = performance.now();
  const finished = await interruptible(async (stopped) => {
    const bar = progressBar();
    const report = (progress: Progress) => {
      history.push(progress);
      bar.show(progress);
    };
    try {
      return await train(model, data, { epochs, batchSize: quick ? 32 : 128, seed, maxLr: 3e-3, stopped, report });
    } finally {
      bar.stop();
    }
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);

  const file = join(process.env.INIT_CWD ?? process.cwd(), "training.svg"); // where the user called npm
  const plot = plotRun(history, `${modelName} on MNIST, ${backend.name} backend, seed ${seed}`);
  const fault = written(file, plot);
  if (!finished) {
    const { step, steps } = history.at(-1) as Progress;
    const saved = fault ?? `Saved: loss, accuracy and learning rate so far, in ${file}`;
    console.log(`Stopped after step ${step} of ${steps}. ${saved}`);
    process.exitCode = 130;
    return;
  }
  console.log(`Trained in ${seconds} s. ${fault ?? `Saved: loss, accuracy and learning rate, in ${file}`}`);
  const unseen = testDigits(isSlow ? 1_000 : undefined);
  const accuracy = await evaluate(model, unseen);
  console.log(`test accuracy: ${accuracy.toFixed(4)} (${whole(unseen.length)} digits, seed ${seed})`);
}

try {
  const options = demoCommand().parse().opts<Options>();
  const code = options.backend === "webgpu" ? await runWithDriver() : null;
  if (code === null) await main(options);
  else process.exitCode = code;
} catch (error) {
  if (!isDescentError(error)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
