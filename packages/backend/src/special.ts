/** Reference forms of functions that JavaScript lacks or defines otherwise than IEEE 754 and PyTorch do. */

/** Remainder with the sign of the divisor. */
export function remainder(a: number, b: number): number {
  const r = a % b;
  return r !== 0 && r < 0 !== b < 0 ? r + b : r;
}

/** Nearest integer, ties to the even one, sign of zero kept. */
export function roundHalfEven(a: number): number {
  if (!(Math.abs(a) < 2 ** 52)) return a;
  const magnitude = Math.abs(a) + 2 ** 52 - 2 ** 52; // the addition itself rounds half to even
  return a < 0 || Object.is(a, -0) ? -magnitude : magnitude;
}

/** C's pow: 1 to any power and any number to the power 0 are 1, also NaN, and -1 to an infinite power is 1. */
export const pow = (a: number, b: number): number =>
  a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b;

/** Upper half of an unsigned 32 × 32 bit product. */
export function mulHigh(a: number, b: number): number {
  const [a1, a0, b1, b0] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const low = a0 * b0;
  const middle = a1 * b0 + (low >>> 16);
  const carry = a0 * b1 + (middle % 65536);
  return (a1 * b1 + Math.floor(middle / 65536) + Math.floor(carry / 65536)) >>> 0;
}

/** erf by its Maclaurin series (DLMF 7.6.2): every term is positive, so nothing cancels. */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** exp(-x²) with the square's rounding error put back. */
function expMinusSquare(x: number): number {
  const head = Math.round(x * 2 ** 20) / 2 ** 20;
  return Math.exp(-head * head) * Math.exp((head - x) * (head + x));
}

/** erfc for x > 1 by its continued fraction (DLMF 7.9.1), evaluated from a tail too far away to matter in double precision. */
function erfcFraction(x: number): number {
  let tail = x;
  for (let k = 300; k >= 1; k--) tail = x + k / 2 / tail;
  return expMinusSquare(x) / (tail * Math.sqrt(Math.PI));
}

/** The error function. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (Math.abs(x) > 6) return Math.sign(x);
  return Math.abs(x) <= 2.5 ? erfSeries(x) || x : Math.sign(x) * (1 - erfcFraction(Math.abs(x)));
}

/** The complementary error function, accurate in relative terms in its tail too. */
export function erfc(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > 27.3) return 0;
  return x > 1 ? erfcFraction(x) : 1 - erf(x);
}
