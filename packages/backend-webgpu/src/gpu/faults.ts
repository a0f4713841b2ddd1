import { DescentError } from "@descent/backend";
import { outOfMemory } from "./memory.ts";

const filters = ["validation", "out-of-memory", "internal"] as const;

/**
 * Errors that the device reports later. Scopes stay open over a whole batch and are asked once, when it was submitted: nothing
 * waits for a dispatch. What they found is thrown by the next read.
 */
export class Faults {
  readonly #device: GPUDevice;
  #open = false;
  #fault: DescentError | null = null;
  #pending: Promise<unknown> = Promise.resolve();
  /** The largest request of memory of the batch, and the operations it ran: what an error of the batch is told with. */
  #largest = 0;
  #labels = new Set<string>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  open(): void {
    if (this.#open) return;
    this.#open = true;
    for (const filter of filters) this.#device.pushErrorScope(filter);
  }

  noteMemory(bytes: number): void {
    this.open();
    this.#largest = Math.max(this.#largest, bytes);
  }

  noteOperation(label: string): void {
    if (this.#labels.size < 50) this.#labels.add(label);
  }

  close(liveBytes: number): void {
    if (!this.#open) return;
    this.#open = false;
    const [largest, operations] = [this.#largest, [...this.#labels]];
    this.#largest = 0;
    this.#labels.clear();
    const found = filters.map(() => this.#device.popErrorScope());
    this.#pending = Promise.all([this.#pending, ...found]).then(
      ([, internal, memory, validation]) => {
        const error = (memory ?? validation ?? internal) as GPUError | null;
        if (!error || this.#fault) return;
        const facts = { operations: operations.join(", "), reason: error.message.split("\n")[0] };
        if (memory) {
          this.#fault = outOfMemory(operations.at(-1) ?? "alloc", {
            "largest request": largest,
            "live bytes": liveBytes,
            ...facts,
          });
        } else
          this.#fault = new DescentError(
            "internal",
            operations.at(-1) ?? "webgpu",
            "the device refused commands",
            facts,
            "This is a defect in Descent: please report it.",
          );
      },
      () => {}, // a lost device reports itself
    );
  }

  /** What the batches so far have come to; an error is told once. */
  async settled(): Promise<DescentError | null> {
    await this.#pending;
    const fault = this.#fault;
    this.#fault = null;
    return fault;
  }
}
