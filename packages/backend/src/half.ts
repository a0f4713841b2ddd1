const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** The float32 value of 16 float16 bits. */
export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The nearest float16 (ties to even), as 16 bits. */
export function toFloat16(value: number): number {
  float[0] = value;
  const bits = word[0] as number;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520 and up round to infinity
  // Below the normal range the unit is fixed; a double holds value / unit exactly, so one rounding happens.
  if (magnitude < 0x38800000) return sign | roundEven(Math.abs(float[0] as number) * 2 ** 24);
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >> 13) & 1)) >> 13);
}

function roundEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}

/** The float32 value of 16 bfloat16 bits. */
export function fromBfloat16(bits: number): number {
  word[0] = bits << 16;
  return float[0] as number;
}

/** The nearest bfloat16 (ties to even), as 16 bits. */
export function toBfloat16(value: number): number {
  float[0] = value;
  const bits = word[0] as number;
  if ((bits & 0x7fffffff) > 0x7f800000) return ((bits >>> 16) | 0x40) & 0xffff;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}
