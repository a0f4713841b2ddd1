import type { Family } from "../task.ts";
import { contract } from "./contract.ts";
import { optimizer } from "./optimizer.ts";
import { training } from "./training.ts";

const names = [/^NN 256/, /^NN 1024/, /100 tensors/, /batch \d+$/];

/** What all threads gain over one, where it matters. */
export const scaling: Family = () =>
  [...contract(), ...optimizer(), ...training()]
    .filter(({ name }) => names.some((pattern) => pattern.test(name)))
    .map(({ name, flops, bytes, descent, heavy }) => ({
      name,
      ...(flops && { flops }),
      ...(bytes && { bytes }),
      ...(heavy && { heavy }),
      descent,
    }));
