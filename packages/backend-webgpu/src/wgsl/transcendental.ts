import { type Helper, polynomial } from "./functions.ts";

const log2e = Math.LOG2E;

/** Exponentials and logarithms, and what follows from them. */
export const exponentials = {
  /** e^x · 2^k, with 2ⁿ in two factors: the exponents −150 and 129 leave the field. */
  exp_scaled: {
    needs: ["is_nan"],
    code: `fn exp_scaled(x: f32, k: i32) -> f32 {
  let inside = clamp(x, -105f, 90f);
  let n = round(inside * ${log2e}f);
  let r = fma(n, -1.42860682e-6f, fma(n, -0.693145752f, inside));
  let p = 1f + fma(r * r, ${polynomial("r", [0.5000000095, 0.1666651885, 0.04166620665, 0.00836888692, 0.001395043015])}, r);
  let e = i32(n) + k;
  let half = e >> 1u;
  let y = p * bitcast<f32>(u32(half + 127) << 23u) * bitcast<f32>(u32(e - half + 127) << 23u);
  return select(y, x, is_nan(x));
}`,
  },
  exponential: { needs: ["exp_scaled"], code: "fn exponential(x: f32) -> f32 { return exp_scaled(x, 0i); }" },
  /** e^x − 1 = 2ⁿ (e^r − 1) + (2ⁿ − 1). */
  exponential_m1: {
    needs: ["exp_scaled", "is_nan"],
    code: `fn exponential_m1(x: f32) -> f32 {
  let inside = clamp(x, -105f, 20f);
  let n = round(inside * ${log2e}f);
  let r = fma(n, -1.42860682e-6f, fma(n, -0.693145752f, inside));
  let p = fma(r * r, ${polynomial("r", [0.5000000047, 0.1666666679, 0.04166635324, 0.008333278379, 0.001394108819, 0.0001991121969])}, r);
  let scale = bitcast<f32>(u32(max(i32(n), -126) + 127) << 23u);
  let y = select(fma(scale, p, scale - 1f), p, n == 0f);
  return select(select(select(y, exp_scaled(x, 0i), x > 20f), x, is_nan(x)), x, x == 0f);
}`,
  },
  /** Mantissa between √½ and √2, and exponent, of a positive number. */
  split_log: {
    code: `fn split_log(x: f32) -> vec2<f32> {
  let tiny = x < 1.17549435e-38f;
  let bits = bitcast<u32>(select(x, x * 8388608f, tiny));
  let e = (bitcast<i32>(bits) - 0x3f3504f3i) >> 23u;
  return vec2<f32>(bitcast<f32>(bits - (u32(e) << 23u)), f32(e) - select(0f, 23f, tiny));
}`,
  },
  /** ln(1 + f) − f, for 1 + f between √½ and √2. */
  log_rest: {
    code: `fn log_rest(f: f32) -> f32 {
  let s = f * f;
  return fma(s * f, ${polynomial("f", [0.3333331043, -0.2499998677, 0.2000222716, -0.1666924208, 0.1421864149, -0.1238448947, 0.1187323051, -0.1178908286, 0.06913948294])}, -0.5f * s);
}`,
  },
  /** What a logarithm is where it is none of a positive finite number. */
  log_edge: {
    needs: ["nan", "infinity"],
    code: `fn log_edge(x: f32, usual: f32) -> f32 {
  let u = bitcast<u32>(x);
  let above = select(usual, x, u >= 0x7f800000u);
  return select(select(above, nan(), u >= 0x80000000u), -infinity(), x == 0f);
}`,
  },
  logarithm: {
    needs: ["split_log", "log_rest", "log_edge"],
    code: `fn logarithm(x: f32) -> f32 {
  let s = split_log(x);
  let f = s.x - 1f;
  return log_edge(x, fma(s.y, 0.693359375f, f + fma(s.y, -2.1219444e-4f, log_rest(f))));
}`,
  },
  logarithm_2: {
    needs: ["split_log", "log_rest", "log_edge"],
    code: `fn logarithm_2(x: f32) -> f32 {
  let s = split_log(x);
  let f = s.x - 1f;
  let rest = log_rest(f);
  // log₂ e in two parts: 1.4375 + 0.00519504…; the first product is nearly exact.
  let low = fma(rest, 1.4426950f, f * 0.005195040889f);
  return log_edge(x, s.y + fma(f, 1.4375f, low));
}`,
  },
  /** ln(1 + x): near 0 without the addition, farther out with what that loses put back. */
  logarithm_1p: {
    needs: ["logarithm", "log_rest", "kept", "is_nan"],
    code: `fn logarithm_1p(x: f32) -> f32 {
  if ((x > -0.29f) & (x < 0.41f)) { return x + log_rest(x); }
  let u = kept(1f + x);
  let y = logarithm(u);
  return select(y, y + (x - kept(u - 1f)) / u, (u > 0f) & (u < 1e9f));
}`,
  },
  /** C's pow: 2 to the power y · log₂|x|, with the whole part of the logarithm multiplied apart. */
  power: {
    needs: ["split_log", "log_rest", "magnitude", "is_nan", "nan", "infinity", "with_sign"],
    code: `fn power(x: f32, y: f32) -> f32 {
  let a = magnitude(x);
  let s = split_log(a);
  let f = s.x - 1f;
  let rest = log_rest(f);
  let high = bitcast<f32>(bitcast<u32>(f) & 0xfffff000u);
  let low = fma(rest, 1.4426950f, fma(f, 0.005195040889f, (f - high) * 1.4375f));
  // y · (e + 1.4375 · high + low): products of short factors are exact, and only the fraction matters.
  let y1 = bitcast<f32>(bitcast<u32>(y) & 0xfffff000u);
  let y0 = y - y1;
  let l1 = bitcast<f32>(bitcast<u32>(high * 1.4375f + low) & 0xfffff000u);
  let l0 = (high * 1.4375f - l1) + low;
  let whole = y1 * s.y;
  let t = y * (s.y + l1);
  let n = round(clamp(t, -300f, 300f));
  let r = clamp((((whole - n) + y1 * l1) + y0 * s.y) + (y0 * l1 + y * l0), -1f, 1f);
  let p = fma(r, ${polynomial("r", [Math.LN2, 0.2402265108, 0.05550410962, 0.009618036894, 0.001333343102, 0.0001546711492, 1.531488918e-5])}, 1f);
  let e = clamp(i32(n), -252, 252);
  let half = e >> 1u;
  let usual = p * bitcast<f32>(u32(half + 127) << 23u) * bitcast<f32>(u32(e - half + 127) << 23u);
  let b = magnitude(y);
  let endless = bitcast<u32>(b) == 0x7f800000u;
  let edge = (a == 0f) | (bitcast<u32>(a) == 0x7f800000u);
  // Of 0 and ∞, by which way the logarithm and the exponent point.
  let extreme = select(0f, infinity(), (y > 0f) == (a > 1f));
  var z = select(select(select(usual, infinity(), t > 129f), 0f, t < -160f), extreme, edge | endless);
  let integer = endless | (b >= 8388608f) | (floor(b) == b);
  let odd = integer & !endless & (b < 16777216f) & ((u32(min(b, 16777216f)) & 1u) == 1u);
  let negative = bitcast<u32>(x) >= 0x80000000u;
  z = select(z, -z, negative & odd);
  z = select(z, nan(), (negative & !integer & !edge) | is_nan(x) | is_nan(y));
  z = select(z, 1f, (x == 1f) | (y == 0f) | ((a == 1f) & endless));
  return z;
}`,
  },
  hyperbolic_sine: {
    needs: ["exp_scaled", "magnitude", "with_sign", "is_nan"],
    code: `fn hyperbolic_sine(x: f32) -> f32 {
  let a = magnitude(x);
  let z = x * x;
  let small = fma(x * z, ${polynomial("z", [0.1666666649, 0.008333350602, 0.0001983606559, 2.817442824e-6])}, x);
  let e = exp_scaled(a, -1i);
  let large = with_sign(e - 0.25f / e, x);
  return select(select(large, small, a < 1f), x, is_nan(x) | (x == 0f));
}`,
  },
  hyperbolic_cosine: {
    needs: ["exp_scaled", "magnitude"],
    code: `fn hyperbolic_cosine(x: f32) -> f32 {
  let e = exp_scaled(magnitude(x), -1i);
  return e + 0.25f / e;
}`,
  },
  hyperbolic_tangent: {
    needs: ["exp_scaled", "magnitude", "with_sign", "is_nan"],
    code: `fn hyperbolic_tangent(x: f32) -> f32 {
  let a = magnitude(x);
  let z = x * x;
  let small = fma(x * z, ${polynomial("z", [-0.333333309, 0.133332097, -0.05394719684, 0.02170293059, -0.008182591314, 0.002147466896])}, x);
  let large = with_sign(1f - 2f / (exp_scaled(min(a, 20f) * 2f, 0i) + 1f), x);
  return select(select(large, small, a < 0.625f), x, is_nan(x) | (x == 0f));
}`,
  },
  area_sine: {
    needs: ["logarithm_1p", "logarithm", "magnitude", "with_sign", "is_nan"],
    code: `fn area_sine(x: f32) -> f32 {
  let a = magnitude(x);
  let s = a * a;
  let usual = logarithm_1p(a + s / (1f + sqrt(s + 1f)));
  let large = logarithm(a) + 0.6931471806f;
  return select(with_sign(select(usual, large, a > 1e9f), x), x, is_nan(x) | (x == 0f));
}`,
  },
  area_cosine: {
    needs: ["logarithm_1p", "logarithm", "nan"],
    code: `fn area_cosine(x: f32) -> f32 {
  let t = max(x - 1f, 0f);
  let usual = logarithm_1p(t + sqrt(t) * sqrt(t + 2f));
  let y = select(usual, logarithm(x) + 0.6931471806f, x > 1e9f);
  return select(nan(), y, x >= 1f);
}`,
  },
  area_tangent: {
    needs: ["logarithm_1p", "magnitude", "with_sign", "nan", "infinity"],
    code: `fn area_tangent(x: f32) -> f32 {
  let a = magnitude(x);
  let y = 0.5f * logarithm_1p((a + a) / max(1f - a, 1e-9f));
  let edge = select(nan(), infinity(), a == 1f);
  return select(with_sign(select(edge, y, a < 1f), x), x, x == 0f);
}`,
  },
  error_function: {
    needs: ["complement_of_error", "magnitude", "with_sign", "is_nan"],
    code: `fn error_function(x: f32) -> f32 {
  let a = magnitude(x);
  let z = x * x;
  let small = x * ${polynomial("z", [1.128379167, -0.3761263429, 0.112837033, -0.02685979794, 0.005201958735, -0.0008152612218, 8.409858507e-5])};
  let large = with_sign(1f - complement_of_error(min(a, 5f)), x);
  return select(select(large, small, a < 0.92f), x, is_nan(x));
}`,
  },
  /** erfc(x) for x ≥ 0.45. */
  complement_of_error: {
    needs: ["exp_scaled"],
    code: `fn complement_of_error(x: f32) -> f32 {
  let inside = clamp(x, 0.45f, 10.1f);
  let sum = 2f + inside;
  // Divisions may be off by 2.5 units in the last place, which the result would inherit: one step of Newton's takes that away.
  let quotient = 2f / sum;
  let t = fma(fma(-quotient, sum, 2f), 0.5f * quotient, quotient);
  let p = ${polynomial("t", [1.544758256e-7, 0.2820913682, 0.2821134227, 0.2470208462, 0.1727475179, 0.1098664932, -0.1179621347, 0.2625840248, -0.6381313753, 0.65223427, -0.3119604268, 0.05939944111])};
  // The square of the upper half of x is exact, and what is left is small.
  let head = bitcast<f32>(bitcast<u32>(inside) & 0xfffff000u);
  let decay = exp_scaled(-head * head, 0i) * exp_scaled((head - inside) * (head + inside), 0i);
  return select(p * decay, 0f, x > 10.1f);
}`,
  },
  complementary_error_function: {
    needs: ["error_function", "complement_of_error", "is_nan"],
    code: `fn complementary_error_function(x: f32) -> f32 {
  let y = select(1f - error_function(x), complement_of_error(x), x >= 0.47f);
  return select(y, x, is_nan(x));
}`,
  },
} satisfies Record<string, Helper>;
