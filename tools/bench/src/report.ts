import { markdownTable } from "markdown-table";
import type { Floor } from "./floor.ts";
import type { Timing } from "./measure.ts";
import type { Task } from "./task.ts";

export const peers = ["one", "tfjs", "jax", "torch"] as const;
/** What a figure stands beside: Descent on one thread, or another library. */
export type Peer = (typeof peers)[number];

/** What a benchmark found. */
export interface Finding {
  readonly name: string;
  readonly flops?: number;
  readonly bytes?: number;
  /** What one run hands to a GPU, with the read that waits for it. */
  readonly queued?: { readonly dispatches: number; readonly submits: number } | undefined;
  readonly descent: Timing;
  readonly peers: Partial<Record<Peer, Timing>>;
  /** Why a peer has no figure. */
  readonly missing: Partial<Record<Peer, string>>;
}

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memory: string;
  readonly system: string;
  readonly node: string;
}

/** What one family gave, and what the machine could do then. */
export interface Section {
  readonly floor: Floor;
  readonly findings: readonly Finding[];
}

/** All that was recorded: families may come from several runs. */
export interface Results {
  readonly backend: string;
  readonly threads: number;
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Partial<Record<Peer, string>>;
  readonly families: Record<string, Section>;
}

/** Elements of the copy that gives the floor of a GPU. */
export const copyLength = 2 ** 26;

/** A time with a unit that suits it. */
export function showTime(seconds: number): string {
  if (seconds < 1e-6) return `${(seconds * 1e9).toFixed(0)} ns`;
  if (seconds < 1e-3) return `${(seconds * 1e6).toFixed(1)} µs`;
  return `${(seconds * 1e3).toFixed(2)} ms`;
}

const showRate = ({ flops, bytes }: Pick<Task, "flops" | "bytes">, seconds: number): string =>
  flops ? `${(flops / seconds / 1e9).toFixed(1)} GFLOP/s` : bytes ? `${(bytes / seconds / 1e9).toFixed(1)} GB/s` : "";

/** The least time the machine could take: operations at its peak, or bytes at its bandwidth; 0 where that is unknown. */
const floorOf = ({ flops, bytes }: Finding, floor: Floor): number =>
  flops ? (floor.flops ? flops / floor.flops : 0) : bytes ? bytes / floor.bandwidth : 0;

const titles: Record<Peer, string> = { one: "one thread", tfjs: "TensorFlow.js", jax: "jax-js", torch: "PyTorch" };

/** Findings as a table in Markdown; ratios say how many times faster Descent is. */
export function table(findings: readonly Finding[], floor: Floor): string {
  const shown = peers.filter((peer) => findings.some((finding) => finding.peers[peer]));
  const counted = findings.some(({ queued }) => queued);
  const head = [
    ...["", "median", "best", "rate", "floor", "of floor"],
    ...(counted ? ["dispatches", "submits"] : []),
    ...shown.map((peer) => titles[peer]),
  ];
  const rows = findings.map((finding) => {
    const { descent } = finding;
    const least = floorOf(finding, floor);
    const cells = shown.map((peer) => {
      const timing = finding.peers[peer];
      return timing ? `${showTime(timing.median)} (${(timing.median / descent.median).toFixed(2)}×)` : "–";
    });
    return [
      finding.name,
      showTime(descent.median),
      showTime(descent.best),
      showRate(finding, descent.median),
      least ? showTime(least) : "",
      least ? `${((100 * least) / descent.median).toFixed(0)} %` : "",
      ...(counted ? [finding.queued?.dispatches, finding.queued?.submits].map((count) => `${count ?? ""}`) : []),
      ...cells,
    ];
  });
  return markdownTable([head, ...rows], { align: ["l", ...head.slice(1).map(() => "r" as const)] });
}

export const showFloor = ({ flops, bandwidth }: Floor): string =>
  [...(flops ? [`${(flops / 1e9).toFixed(1)} GFLOP/s`] : []), `${(bandwidth / 1e9).toFixed(1)} GB/s`].join(", ");

/** Why peers have no figure, a line each. */
export const notes = (findings: readonly Finding[]): string =>
  findings
    .flatMap(({ name, missing }) =>
      Object.entries(missing).map(([peer, why]) => `- ${name}: ${titles[peer as Peer]} ${why}.\n`),
    )
    .join("");

/** The whole page. */
export function page(results: Results): string {
  const { machine, versions } = results;
  const names = peers.flatMap((peer) => (versions[peer] ? [`${titles[peer]} ${versions[peer]}`] : []));
  const sections = Object.entries(results.families).map(([name, { floor, findings }]) => {
    const why = notes(findings);
    return `## ${name}\n\nFloor: ${showFloor(floor)}.\n\n${table(findings, floor)}\n${why && `\n${why}`}`;
  });
  return `# Results

Written by \`npm run bench -- --peers --record\` on ${results.date}. Each time is the median of fifteen samples of some 20 ms, in which
Descent and its peers took turns (PyTorch ran just after, in a process of its own); the best sample stands beside it. A ratio is
the peer's median over Descent's: above 1, Descent is faster. What takes longer than 50 ms is sampled for three quarters of a second in all, once at
least: slow peers have fewer samples. The floor is the work over what this machine did in the same run with
as many threads: 128-bit fused multiply-adds in registers, and bytes read and written over four streams (what fits the caches
of a core may go below it). On a GPU it is the bytes over what a copy of ${copyLength} numbers moved, and products have none.

Backend ${results.backend} with ${results.threads} threads; ${machine.processor}, ${machine.cores} cores, ${machine.memory}, ${machine.system}, Node ${machine.node}.
${names.length ? `Peers: ${names.join(", ")}.\n` : ""}
${sections.join("\n")}`;
}
