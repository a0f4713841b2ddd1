import { type Helper, polynomial } from "./functions.ts";

/** Words of 2 / π after the point, for arguments of any size. */
const twoOverPi = ["a2f9836eu", "4e441529u", "fc2757d1u", "f534ddc0u", "db629599u", "3c439041u", "fe5163abu"];

/** Circular functions and their inverses. */
export const circulars = {
  /** Rest of x by π / 2, between −π / 4 and π / 4, and how often π / 2 went in, modulo 4. */
  quadrant: {
    needs: ["large_quadrant", "magnitude", "kept"],
    code: `fn quadrant(x: f32) -> vec2<f32> {
  if (magnitude(x) > 8192f) { return large_quadrant(x); }
  let k = round(x * 0.6366197723675814f);
  // π / 2 in parts of 11 bits and less, whose products with k are exact.
  let near = kept(kept(x - k * 1.5703125f) - k * 4.837512969970703e-4f);
  let r = kept(near - k * 7.549789415861596e-8f) - k * 5.39031536e-15f;
  return vec2<f32>(r, k);
}`,
  },
  /** Payne and Hanek: only the words of 2 / π that matter are multiplied. */
  large_quadrant: {
    needs: ["mul_high", "with_sign"],
    code: `fn large_quadrant(x: f32) -> vec2<f32> {
  let words = array<u32, 7>(${twoOverPi.map((digits) => `0x${digits}`).join(", ")});
  let bits = bitcast<u32>(x) & 0x7fffffffu;
  let exponent = (bits >> 23u) - 150u; // x is m · 2^exponent
  let m = (bits & 0x7fffffu) | 0x800000u;
  // Bits of 2 / π above position 2 − exponent give multiples of 2π.
  let start = i32(exponent) - 2i;
  var w: array<u32, 3>;
  for (var i = 0; i < 3; i++) {
    let at = start + i * 32i;
    let index = at >> 5u;
    let shift = u32(at & 31i);
    let first = select(0u, words[clamp(index, 0i, 6i)], (index >= 0i) & (index < 7i));
    let second = select(0u, words[clamp(index + 1i, 0i, 6i)], (index >= -1i) & (index < 6i));
    w[i] = select(first, (first << shift) | (second >> (32u - shift)), shift > 0u);
  }
  // The product modulo 2^64, in units of 2^-62 of a quarter turn.
  var low = m * w[1];
  let carried = mul_high(m, w[2]);
  low += carried;
  let high = m * w[0] + mul_high(m, w[1]) + select(0u, 1u, low < carried);
  var k = high >> 30u;
  var fraction = (high << 2u) | (low >> 30u);
  var rest = low << 2u;
  // Nearest: beyond a half the next quarter, from the other side.
  let above = fraction >= 0x80000000u;
  if (above) {
    k += 1u;
    rest = ~rest + 1u;
    fraction = ~fraction + select(0u, 1u, rest == 0u);
  }
  let lead = countLeadingZeros(fraction);
  let top = select(fraction, (fraction << lead) | (rest >> (32u - lead)), (lead > 0u) & (lead < 32u));
  let value = f32(select(top, rest, lead == 32u)) * 1.5707963267948966f;
  let scaled = value * bitcast<f32>((127u - 32u - min(lead, 60u)) << 23u);
  let r = select(scaled, -scaled, above);
  let turned = f32(k & 3u);
  let negative = bitcast<u32>(x) >= 0x80000000u;
  return vec2<f32>(select(r, -r, negative), select(turned, -turned, negative));
}`,
  },
  sine_part: {
    code: `fn sine_part(r: f32) -> f32 {
  let z = r * r;
  return fma(r * z, ${polynomial("z", [-0.1666666664, 0.008333329144, -0.0001983925676, 2.717566071e-6])}, r);
}`,
  },
  cosine_part: {
    code: `fn cosine_part(r: f32) -> f32 {
  let z = r * r;
  return fma(z * z, ${polynomial("z", [0.04166666662, -0.001388888344, 2.479943635e-5, -2.720330396e-7])}, fma(z, -0.5f, 1f));
}`,
  },
  is_endless: { code: "fn is_endless(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u; }" },
  sine: {
    needs: ["quadrant", "sine_part", "cosine_part", "is_endless", "nan"],
    code: `fn sine(x: f32) -> f32 {
  let q = quadrant(x);
  let k = u32(i32(q.y));
  let y = select(sine_part(q.x), cosine_part(q.x), (k & 1u) == 1u);
  return select(select(select(y, -y, (k & 2u) == 2u), x, x == 0f), nan(), is_endless(x));
}`,
  },
  cosine: {
    needs: ["quadrant", "sine_part", "cosine_part", "is_endless", "nan"],
    code: `fn cosine(x: f32) -> f32 {
  let q = quadrant(x);
  let k = u32(i32(q.y));
  let y = select(cosine_part(q.x), sine_part(q.x), (k & 1u) == 1u);
  return select(select(y, -y, ((k + 1u) & 2u) == 2u), nan(), is_endless(x));
}`,
  },
  tangent: {
    needs: ["quadrant", "sine_part", "cosine_part", "is_endless", "nan"],
    code: `fn tangent(x: f32) -> f32 {
  let q = quadrant(x);
  let s = sine_part(q.x);
  let c = cosine_part(q.x);
  let odd = (u32(i32(q.y)) & 1u) == 1u;
  return select(select(select(s, -c, odd) / select(c, s, odd), x, x == 0f), nan(), is_endless(x));
}`,
  },
  /** asin for 0 ≤ x ≤ ½. */
  arc_part: {
    code: `fn arc_part(x: f32) -> f32 {
  let z = x * x;
  return fma(x * z, ${polynomial("z", [0.1666665987, 0.07500510882, 0.04451573102, 0.0318175044, 0.01440304843, 0.03756455034])}, x);
}`,
  },
  arc_sine: {
    needs: ["arc_part", "magnitude", "with_sign", "nan"],
    code: `fn arc_sine(x: f32) -> f32 {
  let a = magnitude(x);
  let far = 1.5707963267948966f - 2f * arc_part(sqrt(max(0.5f - 0.5f * a, 0f)));
  let y = with_sign(select(far, arc_part(a), a < 0.5f), x);
  return select(nan(), y, a <= 1f);
}`,
  },
  arc_cosine: {
    needs: ["arc_part", "magnitude", "nan"],
    code: `fn arc_cosine(x: f32) -> f32 {
  let a = magnitude(x);
  let far = 2f * arc_part(sqrt(max(0.5f - 0.5f * a, 0f)));
  let part = arc_part(a);
  let near = 1.5707963267948966f - select(part, -part, x < 0f);
  let y = select(select(far, 3.141592653589793f - far, x < 0f), near, a < 0.5f);
  return select(nan(), y, a <= 1f);
}`,
  },
  /** atan for 0 ≤ x ≤ 1, about 0 or about π / 4. */
  arc_unit: {
    code: `fn arc_unit(x: f32) -> f32 {
  let far = x > 0.41421356f;
  let t = select(x, (x - 1f) / (x + 1f), far);
  let z = t * t;
  let y = fma(t * z, ${polynomial("z", [-0.3333331466, 0.1999843372, -0.1424272929, 0.1058728179, -0.06060340352])}, t);
  return select(y, 0.7853981633974483f + y, far);
}`,
  },
  arc_tangent: {
    needs: ["arc_unit", "magnitude", "with_sign", "is_nan"],
    code: `fn arc_tangent(x: f32) -> f32 {
  let a = magnitude(x);
  let inverse = select(1f / max(a, 1f), 0f, a > 1e38f);
  let y = select(arc_unit(min(a, 1f)), 1.5707963267948966f - arc_unit(inverse), a > 1f);
  return select(with_sign(y, x), x, is_nan(x));
}`,
  },
  arc_tangent_2: {
    needs: ["arc_unit", "magnitude", "with_sign", "is_nan", "is_negative", "nan"],
    code: `fn arc_tangent_2(y: f32, x: f32) -> f32 {
  let a = magnitude(x);
  let b = magnitude(y);
  let more = max(a, b);
  let less = min(a, b);
  // Both scaled down where the divisor would be too large for a division.
  let scale = select(1f, 0.0625f, more > 1e37f);
  let endless = bitcast<u32>(more) == 0x7f800000u;
  let quotient = select((less * scale) / (more * scale), select(0f, 1f, bitcast<u32>(less) == 0x7f800000u), endless | (more == 0f));
  var r = arc_unit(select(quotient, 0f, more == 0f));
  if (b > a) { r = 1.5707963267948966f - r; }
  if (is_negative(x)) { r = 3.141592653589793f - r; }
  return select(with_sign(r, y), nan(), is_nan(x) | is_nan(y));
}`,
  },
} satisfies Record<string, Helper>;
