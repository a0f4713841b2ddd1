import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDescentError, manualSeed, use } from "@descent/tensor";
import { SingleBar } from "cli-progress";
import { Command, InvalidArgumentError, Option } from "commander";
import { type BackendName, backends, bestBackend } from "./backends.ts";
import { testDigits, trainingDigits } from "./mnist.ts";
import { type ModelName, models } from "./models.ts";
import { plotRun } from "./plot.ts";
import { evaluate, type Progress, train } from "./train.ts";

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("It must be a whole number of at least 1.");
  return value;
}

function seedNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError("It must be a whole number of at least 0.");
  return value;
}

interface Options {
  readonly backend: BackendName;
  readonly model: ModelName;
  readonly epochs?: number;
  readonly seed: number;
  readonly quick?: true;
}

const program = new Command("npm run demo --")
  .description("Trains a classifier of handwritten digits (MNIST) and says how well it does on digits it has not seen.")
  .addOption(new Option("--backend <name>", "where to compute").choices(Object.keys(backends)).default(bestBackend))
  .addOption(new Option("--model <name>", "the network").choices(Object.keys(models)).default("mlp"))
  .addOption(new Option("--epochs <n>", "passes over the training digits (default: 3)").argParser(positiveInteger))
  .addOption(new Option("--seed <n>", "the same seed gives the same result").argParser(seedNumber).default(0))
  .option("--quick", "one pass over 6,000 digits, in less than 10 seconds");

async function main(options: Options): Promise<void> {
  const backend = await use(backends[options.backend]());
  manualSeed(options.seed);
  const data = trainingDigits(options.quick ? 6_000 : undefined);
  const model = models[options.model]();
  const epochs = options.epochs ?? (options.quick ? 1 : 3);
  console.log(
    `Training the ${options.model} on ${data.length.toLocaleString("en")} digits, ${epochs} ${epochs === 1 ? "epoch" : "epochs"}, backend ${backend.name}.`,
  );

  let interrupted = false;
  process.once("SIGINT", () => {
    interrupted = true; // a second Ctrl-C ends the process at once
  });
  const format =
    "{bar} {percentage}% | epoch {epoch} | loss {loss} | accuracy {accuracy} | {speed} samples/s | {eta_formatted} left";
  const bar = new SingleBar({
    format,
    hideCursor: true,
    noTTYOutput: true,
    notTTYSchedule: 5_000,
    etaBuffer: 20,
    barsize: 24,
  });
  const history: Progress[] = [];
  const started = performance.now();
  bar.start(100, 0, { epoch: 1, loss: "-", accuracy: "-", speed: "-" });
  const finished = await train(model, data, {
    epochs,
    batchSize: 128,
    seed: options.seed,
    maxLr: 3e-3,
    stopped: () => interrupted,
    report(progress) {
      history.push(progress);
      const { step, steps, epoch, loss, accuracy, samplesPerSecond } = progress;
      bar.update((100 * step) / steps, {
        epoch,
        loss: loss.toFixed(3),
        accuracy: accuracy.toFixed(3),
        speed: Math.round(samplesPerSecond).toLocaleString("en"),
      });
    },
  });
  bar.stop();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);

  const file = join(process.env.INIT_CWD ?? process.cwd(), "training.svg");
  writeFileSync(file, plotRun(history, `${options.model} on MNIST, ${backend.name}`));
  if (!finished) {
    console.log(`Stopped after step ${history.at(-1)?.step} of ${history.at(-1)?.steps}. Saved so far: ${file}`);
    process.exitCode = 130;
    return;
  }
  console.log(`Trained in ${seconds} s. Loss, accuracy and learning rate: ${file}`);
  const accuracy = await evaluate(model, testDigits());
  console.log(`test accuracy: ${accuracy.toFixed(4)} (10,000 digits, seed ${options.seed})`);
}

try {
  await main(program.parse().opts<Options>());
} catch (error) {
  if (!isDescentError(error)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
