import { type Shader, shader } from "../wgsl/shader.ts";
import type { Block } from "./memory.ts";
import type { Stream } from "./stream.ts";

/** Changes some bits of two words: what a copy cannot do where 16-bit elements begin or end in the middle of a word. */
const patch: Shader = shader({
  label: "patch",
  slots: [{ name: "words", type: "u32", written: true }],
  frame: { words: 6 },
  threads: 1,
  main: `words[P[0].x] = (words[P[0].x] & ~P[0].y) | P[0].z;
words[P[0].w] = (words[P[0].w] & ~P[1].x) | P[1].y;`,
});

/** Writes 16-bit elements from element `offset` on. */
export function writeHalves(stream: Stream, block: Block, offset: number, data: Uint16Array): void {
  const odd = offset % 2;
  const whole = (data.length - odd) >> 1;
  // Copied, so that the words in between are aligned.
  if (whole > 0) stream.write(block, (offset + odd) * 2, data.slice(odd, odd + whole * 2));
  const last = (data.length - odd) % 2;
  if (data.length === 0 || (!odd && !last)) return;
  const pipeline = stream.pipelines.get(patch);
  stream.settle();
  const at = stream.room(patch);
  const { words } = stream;
  const end = offset + data.length - 1;
  words.set([offset >> 1, odd ? 0xffff0000 : 0, odd ? (data[0] as number) << 16 : 0], at >> 2);
  words.set([end >> 1, last ? 0xffff : 0, last ? (data[data.length - 1] as number) : 0], (at >> 2) + 3);
  stream.dispatch(patch, pipeline, at, [block], 1, "write", 64);
  stream.relieve();
}
