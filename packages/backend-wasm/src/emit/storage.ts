import type { DType } from "@descent/backend";
import { add, type Code, i32, lane, memory, mul, shuffle8, simd, simdMemory } from "../asm/code.ts";
import { bitselect, type Vector } from "./vector.ts";

/** How the lanes of a vector lie in memory: one after the other, all on one element, or `stride` bytes apart. */
export type Reach = "vector" | "splat" | { readonly stride: Code };

/** Storage types that registers hold in another form. */
type Packed = "float16" | "bfloat16" | "uint8" | "bool";
const isPacked = (dtype: DType): dtype is Packed => !/32|64/.test(dtype);

/** Bytes of one element in memory. */
export const bytesOf = (dtype: DType): number => {
  if (dtype === "float64") return 8;
  return dtype === "uint8" || dtype === "bool" ? 1 : isPacked(dtype) ? 2 : 4;
};

/** Address of lane `n`, and the part of it that is constant. */
const laneAddress = (address: Code, stride: Code, n: number): Code =>
  n === 0 ? address : add(address, n === 1 ? stride : mul(stride, i32(n)));

/** Loads one vector of elements, `ahead` elements beyond `address` (0 where a stride is known at run time only); it must be cheap to repeat. */
export function loadVector(v: Vector, dtype: DType, reach: Reach, address: Code, ahead = 0): Code {
  const offset = reach === "splat" ? 0 : ahead * bytesOf(dtype);
  if (isPacked(dtype)) return unpack(v, dtype, loadPacked(v, dtype, reach, address, offset));
  const double = dtype === "float64";
  if (v.lanes === 1) return simdMemory(double ? 93 : 92, offset, address);
  if (reach === "splat") return simdMemory(double ? 10 : 9, offset, address);
  if (reach === "vector") return simdMemory(double || v.width === 4 ? 0 : 93, offset, address);
  let result = simdMemory(double ? 93 : 92, offset, address);
  for (let n = 1; n < v.width; n++) {
    result = [laneAddress(address, reach.stride, n), result, 0xfd, double ? 87 : 86, 0, offsetBytes(offset), n];
  }
  return result;
}

const offsetBytes = (offset: number): Code => {
  const bytes: number[] = [];
  for (let rest = offset; ; rest >>>= 7) {
    bytes.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) return bytes;
  }
};

/** Elements narrower than 32 bits, zero-extended to 32-bit lanes. */
function loadPacked(v: Vector, dtype: Packed, reach: Reach, address: Code, offset: number): Code {
  const byte = bytesOf(dtype) === 1;
  const scalar = (at: Code) => memory(byte ? 0x2d : 0x2f, offset, at);
  if (v.lanes === 1 || reach === "splat") return simd(17, scalar(address));
  if (reach === "vector") {
    const halves = byte
      ? simd(137, v.width === 4 ? simdMemory(92, offset, address) : simd(17, memory(0x2f, offset, address)))
      : simdMemory(v.width === 4 ? 93 : 92, offset, address);
    return simd(169, halves);
  }
  let result = simd(17, scalar(address));
  for (let n = 1; n < v.width; n++) result = lane(28, n, result, scalar(laneAddress(address, reach.stride, n)));
  return result;
}

/** What a load gives, from the stored bits. */
function unpack(v: Vector, dtype: Packed, bits: Code): Code {
  if (dtype === "uint8") return bits;
  if (dtype === "bool") return v.widen(simd(56, bits, v.bits(0)));
  if (dtype === "bfloat16") return simd(171, bits, i32(16));
  // float16: shifting the fields into place leaves an exponent that is 112 too small, subnormals included.
  const half = v.keep(bits);
  const scaled = v.keep(simd(230, simd(171, simd(78, half, v.bits(0x7fff)), i32(13)), v.constant("f32", 2 ** 112)));
  const huge = simd(78, simd(70, scaled, v.constant("f32", 65536)), v.bits(0x7f800000));
  return simd(80, simd(80, scaled, huge), simd(171, simd(78, half, v.bits(0x8000)), i32(16)));
}

/** Bits to store, in 32-bit lanes. */
function pack(v: Vector, dtype: Packed, value: Code): Code {
  if (dtype === "uint8") return value;
  if (dtype === "bool") return simd(78, v.maskFor("i32", value), v.bits(1));
  const bits = v.keep(value);
  const magnitude = v.keep(simd(78, bits, v.bits(0x7fffffff)));
  const isNan = simd(59, magnitude, v.bits(0x7f800000));
  const odd = (shift: number) => simd(78, simd(173, bits, i32(shift)), v.bits(1));
  const rounded = (shift: number, bias: number) =>
    simd(173, simd(174, simd(174, shift === 16 ? bits : magnitude, v.bits(bias)), odd(shift)), i32(shift));
  if (dtype === "bfloat16") {
    return bitselect(simd(80, simd(173, bits, i32(16)), v.bits(0x40)), rounded(16, 0x7fff), isNan);
  }
  // Below the normal range, adding ½ aligns the unit of float32 with that of float16, and the addition rounds.
  const tiny = simd(177, simd(228, magnitude, v.constant("f32", 0.5)), v.bits(0x3f000000));
  const finite = bitselect(tiny, rounded(13, 0xfff - 0x38000000), simd(58, magnitude, v.bits(0x38800000)));
  const most = bitselect(v.bits(0x7c00), finite, simd(63, magnitude, v.bits(0x477ff000)));
  return simd(80, bitselect(v.bits(0x7e00), most, isNan), simd(78, simd(173, bits, i32(16)), v.bits(0x8000)));
}

const storeLane = (bytes: number) => ({ 1: 88, 2: 89, 4: 90, 8: 91 })[bytes] as number;

/** Stores the elements of `value` that count, `ahead` elements beyond `address`, which must be cheap to repeat. */
export function storeVector(v: Vector, dtype: DType, reach: Reach, address: Code, value: Code, ahead = 0): void {
  const bytes = bytesOf(dtype);
  const offset = reach === "splat" ? 0 : ahead * bytes;
  const out = isPacked(dtype) ? pack(v, dtype, value) : value;
  const put = (opcode: number, n: number, at: Code, x: Code): void => {
    v.fn.push(at, x, 0xfd, opcode, 0, offsetBytes(offset), opcode === 11 ? [] : n);
  };
  // Packed bits sit in 32-bit lanes: the wanted part of lane n is then part 4 / bytes · n of the register.
  const part = isPacked(dtype) ? 4 / bytes : 1;
  if (v.lanes === 1) return put(storeLane(bytes), 0, address, out);
  if (reach === "vector") {
    const total = bytes * v.width;
    if (total === 16) return put(11, 0, address, out);
    const squeezed = isPacked(dtype)
      ? shuffle8(v.keep(out), bytes === 1 ? [0, 4, 8, 12] : [0, 1, 4, 5, 8, 9, 12, 13])
      : out;
    return put(storeLane(total), 0, address, squeezed);
  }
  const kept = v.keep(out);
  const stride = reach === "splat" ? i32(0) : reach.stride;
  for (let n = 0; n < v.width; n++) put(storeLane(bytes), n * part, laneAddress(address, stride, n), kept);
}
