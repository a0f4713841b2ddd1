import type { ModelName } from "demo/models";
import type { Progress } from "demo/train";
import type { BackendName } from "./backends.ts";

/** What the page asks of the worker that trains. */
export type Request =
  | {
      readonly kind: "start";
      readonly backend: BackendName;
      readonly model: ModelName;
      readonly epochs: number;
      /** How many digits to learn from. */
      readonly count: number;
    }
  | { readonly kind: "pause" | "resume" }
  /** 784 grey levels, row-major; 0 is paper, 255 ink. */
  | { readonly kind: "predict"; readonly greys: Uint8Array };

/** What the worker tells the page. */
export type Reply =
  | { readonly kind: "loading" | "starting" | "evaluating" }
  | { readonly kind: "progress"; readonly progress: Progress }
  | { readonly kind: "finished"; readonly accuracy: number; readonly seconds: number }
  | { readonly kind: "prediction"; readonly probabilities: readonly number[] }
  | { readonly kind: "failed"; readonly message: string };
