import { type DType, fromFloat16, type HostArray, hostArray, hostView, toFloat16 } from "@descent/backend";
import { type Features, held } from "../wgsl/storage.ts";

type Words = HostArray & ArrayBufferView<ArrayBuffer>;

let halves: Float32Array | null = null;
/** The numbers of all float16 bits, made on first use. */
const halfTable = (): Float32Array => {
  halves ??= Float32Array.from({ length: 65536 }, (_, bits) => fromFloat16(bits));
  return halves;
};

/** Elements as they cross the border, as they lie in memory. */
export function toMemory(dtype: DType, features: Features, data: HostArray): Words {
  if (dtype === "bool" || dtype === "uint8") return Uint32Array.from(data);
  if (dtype === "bfloat16") return Uint32Array.from(data, (bits) => bits << 16);
  if (dtype === "float16" && !features.f16) {
    const table = halfTable();
    return Float32Array.from(data, (bits) => table[bits] as number);
  }
  return data as Words;
}

/** Elements as they lie in memory, as they cross the border. */
export function fromMemory(
  dtype: DType,
  features: Features,
  bytes: ArrayBuffer,
  from: number,
  length: number,
): HostArray {
  if (dtype === "bool" || dtype === "uint8") return Uint8Array.from(new Uint32Array(bytes, from, length));
  if (dtype === "bfloat16") return Uint16Array.from(new Uint32Array(bytes, from, length), (bits) => bits >>> 16);
  if (dtype === "float16" && held(dtype, features) === "f32")
    return Uint16Array.from(new Float32Array(bytes, from, length), toFloat16);
  if (from === 0 && bytes.byteLength === hostArray(dtype, 1).BYTES_PER_ELEMENT * length)
    return hostView(dtype, bytes, 0, length);
  return hostView(dtype, bytes, from, length).slice();
}
