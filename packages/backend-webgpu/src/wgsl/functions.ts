/**
 * Functions in WGSL, each with the names of those it calls. Adapters may compute `sin`, `exp` and their like with an absolute
 * error of 2⁻¹¹ or hundreds of units in the last place (WGSL, section "Floating point accuracy"), and may take for granted that
 * nothing is infinite or not a number: so all of them are written out, and what is not finite is told by its bits. Polynomials
 * were fitted to the least largest error (Lawson's algorithm at 80 Chebyshev points, in 40 digits).
 */
interface Helper {
  readonly needs?: readonly string[];
  readonly code: string;
}

/** c₀ + c₁ x + …, by Horner's rule. */
export const polynomial = (x: string, coefficients: readonly number[]): string =>
  coefficients.slice(0, -1).reduceRight((sum, c) => `fma(${sum}, ${x}, ${c}f)`, `${coefficients.at(-1)}f`);

export const helpers = {
  /** The same number, and no compiler knows: what was rounded stays rounded, whatever is computed from it next. */
  kept: { code: "fn kept(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & P[0].z); }" },
  is_nan: { code: "fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }" },
  is_negative: { code: "fn is_negative(x: f32) -> bool { return bitcast<u32>(x) >= 0x80000000u; }" },
  with_sign: {
    code: "fn with_sign(x: f32, s: f32) -> f32 { return bitcast<f32>((bitcast<u32>(x) & 0x7fffffffu) | (bitcast<u32>(s) & 0x80000000u)); }",
  },
  magnitude: { code: "fn magnitude(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & 0x7fffffffu); }" },
  nan: { code: "fn nan() -> f32 { return bitcast<f32>(P[0].x); }" },
  infinity: { code: "fn infinity() -> f32 { return bitcast<f32>(P[0].y); }" },
  largest: {
    needs: ["is_nan"],
    code: "fn largest(a: f32, b: f32) -> f32 { return select(select(max(a, b), b, is_nan(b)), a, is_nan(a)); }",
  },
  least: {
    needs: ["is_nan"],
    code: "fn least(a: f32, b: f32) -> f32 { return select(select(min(a, b), b, is_nan(b)), a, is_nan(a)); }",
  },
  /** Both quartered where the divisor is beyond 2¹²⁶: exact, since what gets subnormal by it is 0 as a quotient anyway. */
  divided: {
    needs: ["magnitude"],
    code: `fn divided(a: f32, b: f32) -> f32 {
  let scale = select(1f, 0.25f, magnitude(b) > 8.507059173023462e37f);
  return (a * scale) / (b * scale);
}`,
  },
  /** Rounds at a bit, to even; what rounds beyond 65504 becomes infinite, and below the normal range the unit is fixed. */
  to_float16: {
    needs: ["is_nan", "infinity", "with_sign", "kept"],
    code: `fn to_float16(x: f32) -> f32 {
  let u = bitcast<u32>(x) & 0x7fffffffu;
  let rounded = bitcast<f32>((u + 0xfffu + ((u >> 13u) & 1u)) & 0xffffe000u);
  let small = kept(bitcast<f32>(u) + 0.5f) - 0.5f;
  let r = select(rounded, small, u < 0x38800000u);
  return select(select(with_sign(r, x), with_sign(infinity(), x), u >= 0x477ff000u), x, is_nan(x));
}`,
  },
  to_bfloat16: {
    needs: ["is_nan"],
    code: `fn to_bfloat16(x: f32) -> f32 {
  let u = bitcast<u32>(x);
  return select(bitcast<f32>((u + 0x7fffu + ((u >> 16u) & 1u)) & 0xffff0000u), x, is_nan(x));
}`,
  },
  to_int: {
    needs: ["is_nan"],
    code: `fn to_int(x: f32) -> i32 {
  let inside = i32(clamp(x, -2147483648f, 2147483520f));
  return select(select(inside, 2147483647i, x >= 2147483648f), 0i, is_nan(x));
}`,
  },
  to_uint: {
    needs: ["is_nan"],
    code: `fn to_uint(x: f32) -> u32 {
  let inside = u32(clamp(x, 0f, 4294967040f));
  return select(select(inside, 4294967295u, x >= 4294967296f), 0u, is_nan(x));
}`,
  },
  mul_high: {
    code: `fn mul_high(a: u32, b: u32) -> u32 {
  let a1 = a >> 16u; let a0 = a & 0xffffu; let b1 = b >> 16u; let b0 = b & 0xffffu;
  let middle = a1 * b0 + ((a0 * b0) >> 16u);
  return a1 * b1 + (middle >> 16u) + ((a0 * b1 + (middle & 0xffffu)) >> 16u);
}`,
  },
  /** x − y · trunc(x / y), exactly: long division of the significands, a few bits at a time. */
  float_mod: {
    needs: ["is_nan", "nan", "magnitude", "with_sign"],
    code: `fn float_mod(x: f32, y: f32) -> f32 {
  let a = magnitude(x);
  let b = magnitude(y);
  if (is_nan(x) | is_nan(y) | (bitcast<u32>(a) == 0x7f800000u) | (b == 0f)) { return nan(); }
  if (a < b) { return x; }
  let ua = bitcast<u32>(a);
  let ub = bitcast<u32>(b);
  let ea = max(ua >> 23u, 1u);
  let eb = max(ub >> 23u, 1u);
  var r = select(0u, 0x800000u, ua >= 0x800000u) | (ua & 0x7fffffu);
  let m = select(0u, 0x800000u, ub >= 0x800000u) | (ub & 0x7fffffu);
  r = r % m;
  var left = ea - eb;
  while (left > 0u) {
    let step = min(left, 8u);
    r = (r << step) % m;
    left -= step;
  }
  // The rest is r · 2^(eb − 150).
  if (r == 0u) { return with_sign(0f, x); }
  let shift = min(countLeadingZeros(r) - 8u, eb - 1u);
  r = r << shift;
  let bits = select(r, ((eb - shift) << 23u) | (r & 0x7fffffu), r >= 0x800000u);
  return with_sign(bitcast<f32>(bits), x);
}`,
  },
  float_remainder: {
    needs: ["float_mod"],
    code: `fn float_remainder(x: f32, y: f32) -> f32 {
  let r = float_mod(x, y);
  return select(r, r + y, (r != 0f) & ((r < 0f) != (y < 0f)));
}`,
  },
  half_even: {
    needs: ["magnitude", "with_sign"],
    code: `fn half_even(x: f32) -> f32 {
  let a = magnitude(x);
  return select(x, with_sign(round(a), x), a < 8388608f);
}`,
  },
} satisfies Record<string, Helper>;

/** Code of the functions that `source` calls, and of those that these call, each once. */
export function prelude(source: string, all: Readonly<Record<string, Helper>>): string {
  const wanted = new Set<string>();
  const visit = (name: string): void => {
    if (wanted.has(name)) return;
    wanted.add(name);
    for (const other of all[name]?.needs ?? []) visit(other);
  };
  for (const [, name = ""] of source.matchAll(/\b([a-z][a-z0-9_]*)\(/g)) if (Object.hasOwn(all, name)) visit(name);
  return Object.entries(all)
    .filter(([name]) => wanted.has(name))
    .map(([, { code }]) => code)
    .join("\n");
}

export type { Helper };
