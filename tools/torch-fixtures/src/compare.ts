const DOUBLE = new Float64Array(1);
const DOUBLE_BITS = new BigInt64Array(DOUBLE.buffer);
const SINGLE = new Float32Array(1);
const SINGLE_BITS = new Int32Array(SINGLE.buffer);

function orderedDouble(value: number): bigint {
  DOUBLE[0] = value;
  const bits = DOUBLE_BITS[0] as bigint;
  return bits < 0n ? -(bits & 0x7fffffffffffffffn) : bits;
}

function orderedSingle(value: number): number {
  SINGLE[0] = value;
  const bits = SINGLE_BITS[0] as number;
  return bits < 0 ? -(bits & 0x7fffffff) : bits;
}

/**
 * How many representable numbers apart `a` and `b` are, in the named format. Zero for equal values, for two zeros
 * of either sign and for two NaNs; infinite when exactly one is NaN or exactly one is infinite.
 */
export function ulpDiff(a: number, b: number, dtype: "float32" | "float64" = "float64"): number {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0;
  if (!Number.isFinite(a) || !Number.isFinite(b)) return Number.POSITIVE_INFINITY;
  if (dtype === "float32") return Math.abs(orderedSingle(a) - orderedSingle(b));
  const distance = orderedDouble(a) - orderedDouble(b);
  return Number(distance < 0n ? -distance : distance);
}

export interface Tolerance {
  /** Relative to the expected value. Default 0. */
  readonly rtol?: number;
  /** Default 0. */
  readonly atol?: number;
  /** Units in the last place, an alternative to rtol and atol: a value passes if either accepts it. Default 0. */
  readonly ulp?: number;
  /** The format `ulp` counts in. Default: float32 when both arrays are Float32Array, else float64. */
  readonly dtype?: "float32" | "float64";
  /** Tell 0 from -0. Default false. */
  readonly signOfZero?: boolean;
  /** Put in front of the message. */
  readonly label?: string;
}

type Numbers = ArrayLike<number | bigint>;

/**
 * Throws unless the arrays agree element by element: NaN equals NaN, infinities must be the same, everything else
 * lies within the tolerance. The message gives the first differing places, what was found there, and the worst.
 */
export function expectClose(actual: Numbers, expected: Numbers, tolerance: Tolerance = {}): void {
  const { rtol = 0, atol = 0, ulp = 0, signOfZero = false, label } = tolerance;
  const single = actual instanceof Float32Array && expected instanceof Float32Array;
  const dtype = tolerance.dtype ?? (single ? "float32" : "float64");
  const head = label === undefined ? "" : `${label}: `;
  if (actual.length !== expected.length) {
    throw new Error(`${head}got ${actual.length} values where ${expected.length} are expected`);
  }
  const wrong: string[] = [];
  let count = 0;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const a = Number(actual[i]);
    const e = Number(expected[i]);
    const signs = signOfZero && a === 0 && e === 0 && !Object.is(a, e);
    const distance = ulpDiff(a, e, dtype);
    const near = Math.abs(a - e) <= atol + rtol * Math.abs(e) && Number.isFinite(e);
    if (!signs && (distance <= ulp || near)) continue;
    count++;
    worst = Math.max(worst, distance);
    if (wrong.length < 5) {
      wrong.push(`  [${i}] got ${show(a)}, expected ${show(e)} (${distance} ulp, difference ${show(a - e)})`);
    }
  }
  if (count > 0) {
    const allowed = `rtol ${rtol}, atol ${atol}, ulp ${ulp} of ${dtype}`;
    throw new Error(
      `${head}${count} of ${expected.length} values differ (allowed: ${allowed}; worst: ${worst} ulp)\n${wrong.join("\n")}`,
    );
  }
}

function show(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
