import { Command, InvalidArgumentError, Option } from "commander";
import { type BackendName, backends } from "./backends.ts";
import { type ModelName, models } from "./models.ts";

/** What the user asked for. */
export interface Options {
  readonly backend: BackendName;
  readonly model: ModelName;
  readonly epochs?: number;
  readonly samples?: number;
  readonly seed: number;
  readonly quick: boolean;
}

const wholeNumber = (least: number) => (text: string) => {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw new InvalidArgumentError(`It must be a whole number of at least ${least}.`);
};

const names = { backend: Object.keys(backends), model: Object.keys(models) };

const usual = Object.entries(backends)
  .map(([name, { epochs }]) => `${name} ${epochs.mlp}, with the cnn ${epochs.cnn}`)
  .join("; ");

/** The command line of the demo; its `opts()` are `Options`. */
export const demoCommand = (): Command =>
  new Command("npm run demo --")
    .description(
      "Trains a classifier of handwritten digits (MNIST) and says how well it does on digits it has not seen.",
    )
    .addOption(new Option("--backend <name>", "where to compute").choices(names.backend).default(names.backend[0]))
    .addOption(new Option("--model <name>", "the network").choices(names.model).default("mlp"))
    .addOption(new Option("--epochs <n>", `passes over the digits (default: ${usual})`).argParser(wholeNumber(1)))
    .addOption(new Option("--samples <n>", "digits to learn from (default: all 60,000)").argParser(wholeNumber(128)))
    .addOption(new Option("--seed <n>", "the same seed gives the same result").argParser(wholeNumber(0)).default(0))
    .option("--quick", "one pass over 6,000 digits, in less than 10 seconds", false)
    .allowExcessArguments(false)
    .addHelpText("after", "\nCtrl-C stops the training and saves the curves so far.")
    .showHelpAfterError("(npm run demo -- --help lists the options)");
