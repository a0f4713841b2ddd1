/**
 * WebAssembly instructions as nested lists of bytes. A thunk stands for bytes that are known only when the module is
 * complete (the number of a function that imports may still push back).
 */
export type Code = number | readonly Code[] | (() => Code);

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;

/** Unsigned LEB128. */
export function uleb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 127;
    rest = Math.floor(rest / 128);
    bytes.push(rest ? low | 128 : low);
  } while (rest);
  return bytes;
}

/** Signed LEB128. */
export function sleb(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = Number(rest & 127n);
    rest >>= 7n;
    const done = rest === (low & 64 ? -1n : 0n);
    bytes.push(done ? low : low | 128);
    if (done) return bytes;
  }
}

/** As `sleb`, of 32 bits: most numbers in a module are, and big ones are slow. */
function sleb32(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = rest & 127;
    rest >>= 7;
    const done = rest === (low & 64 ? -1 : 0);
    bytes.push(done ? low : low | 128);
    if (done) return bytes;
  }
}

/** Appends the bytes of `code` to `out`. */
export function flatten(code: Code, out: number[]): number[] {
  if (typeof code === "number") out.push(code);
  else if (typeof code === "function") flatten(code(), out);
  else for (const part of code) flatten(part, out);
  return out;
}

const floatBytes = (value: number): number[] => [...new Uint8Array(new Float32Array([value]).buffer)];
const doubleBytes = (value: number): number[] => [...new Uint8Array(new Float64Array([value]).buffer)];

export const get = (local: number): Code => [0x20, uleb(local)];
export const set = (local: number, value: Code): Code => [value, 0x21, uleb(local)];
export const tee = (local: number, value: Code): Code => [value, 0x22, uleb(local)];
export const i32 = (value: number): Code => [0x41, sleb32(value | 0)];
export const i64 = (value: bigint): Code => [0x42, sleb(BigInt.asIntN(64, value))];
export const f32 = (value: number): Code => [0x43, floatBytes(value)];
export const f64 = (value: number): Code => [0x44, doubleBytes(value)];

const binary =
  (opcode: number) =>
  (a: Code, b: Code): Code => [a, b, opcode];
export const add = binary(0x6a);
export const sub = binary(0x6b);
export const mul = binary(0x6c);
export const divU = binary(0x6e);
export const remU = binary(0x70);
export const and = binary(0x71);
export const or = binary(0x72);
export const shl = binary(0x74);
export const shrU = binary(0x76);
export const eq = binary(0x46);
export const ne = binary(0x47);
export const ltS = binary(0x48);
export const ltU = binary(0x49);
export const gtS = binary(0x4a);
export const gtU = binary(0x4b);
export const leU = binary(0x4d);
export const geS = binary(0x4e);
export const geU = binary(0x4f);
export const eqz = (a: Code): Code => [a, 0x45];
/** `yes` where `condition` is not zero; both are evaluated. */
export const choose = (condition: Code, yes: Code, no: Code): Code => [yes, no, condition, 0x1b];
export const minU = (a: Code, b: Code): Code => choose(ltU(a, b), a, b);

/** An instruction with its operands before it. */
export const op = (opcode: number, ...operands: Code[]): Code => [operands, opcode];
/** A memory instruction without alignment hint: operands, opcode, constant offset. */
export const memory = (opcode: number, offset: number, ...operands: Code[]): Code => [
  operands,
  opcode,
  0,
  uleb(offset),
];
export const load = (address: Code, offset = 0): Code => memory(0x28, offset, address);
export const store = (address: Code, value: Code, offset = 0): Code => memory(0x36, offset, address, value);

/** A vector instruction. */
export const simd = (opcode: number, ...operands: Code[]): Code => [operands, 0xfd, uleb(opcode)];
/** A vector load or store at a constant offset. */
export const simdMemory = (opcode: number, offset: number, ...operands: Code[]): Code => [
  operands,
  0xfd,
  uleb(opcode),
  0,
  uleb(offset),
];
/** Extracts or replaces one lane. */
export const lane = (opcode: number, index: number, ...operands: Code[]): Code => [operands, 0xfd, uleb(opcode), index];
/** Picks 4 lanes of 32 bits out of the 8 of two vectors. */
export const shuffle32 = (a: Code, b: Code, lanes: readonly number[]): Code => [
  a,
  b,
  0xfd,
  13,
  lanes.flatMap((n) => [4 * n, 4 * n + 1, 4 * n + 2, 4 * n + 3]),
];
/** Picks bytes of one vector; what is not named is byte 0. */
export const shuffle8 = (a: Code, bytes: readonly number[]): Code => [
  a,
  a,
  0xfd,
  13,
  Array.from({ length: 16 }, (_, i) => bytes[i] ?? 0),
];
export const vectorConstant = (words: readonly number[]): Code => [
  0xfd,
  12,
  ...new Uint8Array(new Int32Array(words).buffer),
];

export const atomicLoad = (address: Code, offset = 0): Code => [address, 0xfe, 0x10, 2, uleb(offset)];
export const atomicStore = (address: Code, value: Code, offset = 0): Code => [
  address,
  value,
  0xfe,
  0x17,
  2,
  uleb(offset),
];
export const atomicAdd = (address: Code, value: Code, offset = 0): Code => [
  address,
  value,
  0xfe,
  0x1e,
  2,
  uleb(offset),
];

export const br = (depth: number): Code => [0x0c, depth];
export const brIf = (depth: number, condition: Code): Code => [condition, 0x0d, depth];
export const ret: Code = 0x0f;
