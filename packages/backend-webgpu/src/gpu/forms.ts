import { type Shader, withSlots } from "../wgsl/shader.ts";
import type { Block } from "./memory.ts";

/**
 * The form of a shader that these blocks need. WebGPU refuses a buffer that one dispatch both reads and writes through different bindings, even
 * where they lie apart; blocks of one page share a buffer. So where parts of pages are written, parts of pages that are read
 * are declared as written as well. What decides is which blocks are parts of pages, so their size alone, and not where they lie:
 * a step that is repeated needs no other form.
 */
export function formOf(shader: Shader, blocks: readonly Block[]): Shader {
  const { slots } = shader;
  let [read, written] = [false, false];
  for (let k = 0; k < blocks.length; k++) {
    if (!blocks[k]!.page) continue;
    if (slots[k] === "r") read = true;
    else written = true;
  }
  if (!read || !written) return shader;
  let needed = "";
  for (let k = 0; k < blocks.length; k++) needed += blocks[k]!.page ? "w" : slots[k];
  return withSlots(shader, needed);
}
