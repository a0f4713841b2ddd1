import type { Buffer, HostArray, Launch } from "@descent/backend";
import type { Memory } from "../memory.ts";
import type { Storage } from "../storage.ts";
import type { HostPart } from "../watch.ts";
import type { KeyUse } from "./compare.ts";
import { planMemory } from "./memory-plan.ts";
import { type Merged, mergeMaps } from "./merge.ts";
import type { CallStep, LaunchStep, Place, Recording, Temporary } from "./recording.ts";
import { ResultMemory } from "./results.ts";

interface MutableArg {
  buffer: Buffer;
  offset: number;
  readonly strides: readonly number[];
}
export type MutableLaunch = Omit<Launch, "args" | "uniforms"> & {
  readonly args: MutableArg[];
  uniforms: readonly number[];
};

/** An argument that follows an input or a result from run to run; `offset`: from its first element on. */
export interface Following {
  readonly arg: MutableArg;
  readonly offset: number;
}

/** A launch some of whose numbers are drawn anew. */
export interface Drawing {
  readonly launch: MutableLaunch;
  readonly host: HostPart;
  readonly hyper: number[];
  readonly keys: readonly KeyUse[];
}

/** The launches of a recording with memory of their own, and what changes between runs. */
export interface ReplayPlan {
  /** Recorded launches before, between and behind the host calls. */
  readonly lists: readonly (readonly MutableLaunch[])[];
  readonly calls: readonly CallStep[];
  readonly inputs: readonly (readonly Following[])[];
  readonly results: ReadonlyMap<Temporary, { readonly memory: ResultMemory; readonly args: readonly Following[] }>;
  readonly drawings: readonly Drawing[];
  /** Host data that the step itself overwrites: written anew before each run. */
  readonly rewrites: readonly { readonly storage: Storage; readonly data: HostArray }[];
  /** Where temporaries with memory of their own are. */
  readonly storages: ReadonlyMap<Temporary, Storage>;
  /** Memory made for this plan, and memory it keeps alive. */
  readonly owned: readonly Storage[];
  readonly held: readonly Storage[];
}

/** Gives a recording memory of its own. `uses`: per step, which numbers are keys of draws. */
export function planReplay(recording: Recording, uses: readonly (readonly KeyUse[])[], inputCount: number): ReplayPlan {
  const { temporaries, kept, grads, results } = recording;
  const memory = recording.runtime?.memory as Memory;
  const held: Storage[] = [...recording.held];
  const hold = (storage: Storage): void => {
    if (held.includes(storage)) return;
    memory.hold(storage.block);
    held.push(storage);
  };
  for (const { storage } of kept) if (storage.memory === memory && storage.block.freed === null) hold(storage);
  const storages = new Map<Temporary, Storage>();
  const stay = (storage: Storage, temporary: Temporary): void => {
    hold(storage);
    storages.set(temporary, storage);
  };
  for (const temporary of temporaries) if (temporary.fixed) stay(temporary.storage, temporary);
  for (const { final } of grads.values()) {
    const place = final && recording.placeOf(final);
    if (place?.kind === "temporary") stay(place.storage, place);
  }
  const owned: Storage[] = [];
  const rewrites: { storage: Storage; data: HostArray }[] = [];
  for (const temporary of temporaries) {
    const { data, storage, overwritten } = temporary;
    if (data === null || storages.has(temporary)) continue;
    const own = memory.alloc(storage.dtype, data.length, storage.block.site);
    memory.hold(own.block);
    memory.backend.write(own.block.buffer, data);
    owned.push(own);
    storages.set(temporary, own);
    if (overwritten) rewrites.push({ storage: own, data });
  }
  const returned = new Map<Temporary, { memory: ResultMemory; args: Following[] }>();
  for (const { place } of results) {
    if (place.kind !== "temporary" || storages.has(place) || returned.has(place)) continue;
    const own = new ResultMemory(place.storage);
    own.prepare();
    returned.set(place, { memory: own, args: [] });
  }
  const merged = mergeMaps(recording, uses, (temporary) => storages.has(temporary) || returned.has(temporary));
  relive(temporaries, merged);
  const arena = planMemory(
    memory,
    temporaries.filter((temporary) => !storages.has(temporary) && !returned.has(temporary)),
  );
  owned.push(...arena.storages);

  const inputs: Following[][] = Array.from({ length: inputCount }, () => []);
  const place = (at: Place, arg: MutableArg): void => {
    if (at.kind === "input") inputs[at.index]?.push({ arg, offset: arg.offset });
    if (at.kind !== "temporary") return;
    const result = returned.get(at);
    if (result) result.args.push({ arg, offset: arg.offset });
    else arg.buffer = storages.get(at)?.block.buffer ?? arena.bufferOf(at);
  };
  const lists: MutableLaunch[][] = [[]];
  const calls: CallStep[] = [];
  const drawings: Drawing[] = [];
  const add = ({ launch, places, host }: LaunchStep, keys: readonly KeyUse[]): void => {
    const args = launch.args.map((arg) => ({ ...arg }));
    places.forEach((at, i) => {
      place(at, args[i] as MutableArg);
    });
    const own: MutableLaunch = { ...launch, args };
    lists.at(-1)?.push(own);
    if (host && keys.length > 0) drawings.push({ launch: own, host, hyper: [...host.hyper], keys });
  };
  merged.steps.forEach((step, i) => {
    if (step.kind === "launch") add(step, merged.uses[i] as readonly KeyUse[]);
    else {
      calls.push(step);
      lists.push([]);
    }
  });
  return { lists, calls, inputs, results: returned, drawings, rewrites, storages, owned, held };
}

/** Lives of temporaries in merged steps; some are gone. */
function relive(temporaries: readonly Temporary[], { steps }: Merged): void {
  for (const temporary of temporaries) temporary.first = temporary.last = -1;
  steps.forEach((step, at) => {
    if (step.kind !== "launch") return;
    for (const place of step.places) {
      if (place.kind !== "temporary") continue;
      if (place.first < 0) place.first = at;
      place.last = at;
    }
  });
}
