import type { Backend, Buffer, Launch } from "./backend.ts";
import { decorate } from "./decorate.ts";
import { byteSize } from "./dtype.ts";

/** What a backend was asked to do. */
export interface Counts {
  launches: number;
  /** Lists handed over at once; their launches are counted too. */
  submits: number;
  compiles: number;
  allocs: number;
  frees: number;
  reads: number;
  writes: number;
  readBytes: number;
  writtenBytes: number;
  /** Buffers that are allocated now, their bytes, and the most bytes there ever were. */
  live: number;
  liveBytes: number;
  peakBytes: number;
  /** Launches by label. */
  labels: Map<string, number>;
}

export interface CountedBackend extends Backend {
  /** Counts since the start or the last `reset`. */
  readonly counts: Readonly<Counts>;
  /** Starts counting anew; what is live stays counted as live. */
  reset(): void;
}

const none = {
  ...{ launches: 0, submits: 0, compiles: 0, allocs: 0, frees: 0 },
  ...{ reads: 0, writes: 0, readBytes: 0, writtenBytes: 0 },
};

const bytes = (buffer: Buffer, length = buffer.length): number => byteSize(buffer.dtype) * length;

/**
 * Counts what a backend is asked to do, for tests and budgets.
 *
 * @example
 * const backend = counted(cpu());
 * step();
 * expect(backend.counts.compiles).toBe(0);
 */
export function counted(backend: Backend): CountedBackend {
  const counts: Counts = { ...none, live: 0, liveBytes: 0, peakBytes: 0, labels: new Map() };
  const noteLaunch = ({ label }: Launch): void => {
    counts.launches++;
    counts.labels.set(label, (counts.labels.get(label) ?? 0) + 1);
  };
  const noteRead = (buffer: Buffer, offset = 0, length = buffer.length - offset): void => {
    counts.reads++;
    counts.readBytes += bytes(buffer, length);
  };
  const changes: Partial<Backend> = {
    alloc(dtype, length) {
      const buffer = backend.alloc(dtype, length);
      counts.allocs++;
      counts.live++;
      counts.liveBytes += bytes(buffer);
      counts.peakBytes = Math.max(counts.peakBytes, counts.liveBytes);
      return buffer;
    },
    free(buffer) {
      backend.free(buffer);
      counts.frees++;
      counts.live--;
      counts.liveBytes -= bytes(buffer);
    },
    write(buffer, data, offset) {
      backend.write(buffer, data, offset);
      counts.writes++;
      counts.writtenBytes += data.byteLength;
    },
    read(buffer, offset, length) {
      noteRead(buffer, offset, length);
      return backend.read(buffer, offset, length);
    },
    compile(program) {
      counts.compiles++;
      return backend.compile(program);
    },
    launch(launch) {
      backend.launch(launch);
      noteLaunch(launch);
    },
  };
  const { readSync, submit } = backend;
  if (readSync) {
    changes.readSync = (buffer, offset, length) => {
      noteRead(buffer, offset, length);
      return readSync.call(backend, buffer, offset, length);
    };
  }
  if (submit) {
    changes.submit = (launches) => {
      submit.call(backend, launches);
      counts.submits++;
      launches.forEach(noteLaunch);
    };
  }
  const reset = (): void => {
    Object.assign(counts, none, { peakBytes: counts.liveBytes });
    counts.labels.clear();
  };
  return Object.assign(decorate(backend, changes), { counts, reset });
}
