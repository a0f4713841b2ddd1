import { CommanderError } from "commander";
import { describe, expect, test } from "vitest";
import { demoCommand, type Options } from "./options.ts";

/** What the command line gives, and what it prints where it ends the process. */
function parse(...args: string[]): Options | string {
  let printed = "";
  const write = (text: string) => {
    printed += text;
  };
  const command = demoCommand().exitOverride().configureOutput({ writeOut: write, writeErr: write });
  try {
    return command.parse(args, { from: "user" }).opts<Options>();
  } catch (error) {
    if (error instanceof CommanderError) return printed;
    throw error;
  }
}

test("without options", () => {
  expect(parse()).toEqual({ backend: "wasm", model: "mlp", seed: 0, quick: false });
});

test("with all of them", () => {
  const options = parse(
    "--backend",
    "cpu",
    "--model=cnn",
    "--epochs",
    "3",
    "--samples",
    "500",
    "--seed",
    "7",
    "--quick",
  );
  expect(options).toEqual({ backend: "cpu", model: "cnn", epochs: 3, samples: 500, seed: 7, quick: true });
});

const wrong: readonly (readonly [string, readonly string[], string])[] = [
  ["a misspelt option", ["--epoch", "3"], "error: unknown option '--epoch'\n(Did you mean --epochs?)"],
  ["no number", ["--epochs", "many"], "It must be a whole number of at least 1."],
  ["no epochs", ["--epochs", "0"], "It must be a whole number of at least 1."],
  ["fewer digits than a batch", ["--samples", "100"], "It must be a whole number of at least 128."],
  ["a negative seed", ["--seed", "-1"], "It must be a whole number of at least 0."],
  ["an endless seed", ["--seed", "1e400"], "It must be a whole number of at least 0."],
  ["an unknown backend", ["--backend", "wsam"], "Allowed choices are wasm, webgpu, cpu."],
  ["an unknown model", ["--model", "rnn"], "Allowed choices are mlp, cnn."],
  ["too much", ["3"], "too many arguments"],
];
describe("says what is wrong and where help is", () => {
  test.each(wrong)("%s", (_, args, message) => {
    const printed = parse(...args);
    expect(printed).toContain(message);
    expect(printed).toContain("(npm run demo -- --help lists the options)");
  });
});

test("--help lists the options", () => {
  const printed = parse("--help");
  for (const option of ["--backend", "--model", "--epochs", "--samples", "--seed", "--quick"])
    expect(printed).toContain(option);
});
