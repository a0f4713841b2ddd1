/**
 * The error function to within 1e-15, relative. Two polynomials, fitted at Chebyshev points in 60 digits: erf(x) / x over x² for
 * |x| ≤ 1, and e^(x²) · erfc(x) · (x + 3) over v = 1 − 7 / (x + 3) from x = ½ on.
 */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size <= 1) return x * near(x * x);
  if (size < 6) return x > 0 ? 1 - tail(size) : tail(size) - 1;
  return Number.isNaN(x) ? x : Math.sign(x);
}

/** 1 − erf(x), without the cancellation. */
export function erfc(x: number): number {
  if (!(x >= 0.5)) return 1 - erf(x);
  return x < 27.3 ? tail(x) : 0;
}

/** erf(x) / x over t = x². */
function near(t: number): number {
  const s = t * t;
  const even =
    1.1283791670955126 +
    s *
      (0.11283791670954879 +
        s *
          (0.0052239776248180145 +
            s *
              (0.0001205533111164271 +
                s * (1.6461000484121368e-6 + s * (1.4659775274047436e-8 + s * 5.957176147748911e-11)))));
  const odd =
    -0.3761263890318375 +
    s *
      (-0.026866170645076792 +
        s *
          (-0.000854832698083379 +
            s * (-1.4925595266831182e-5 + s * (-1.6350312701054695e-7 + s * -1.1372848856791674e-9))));
  return even + t * odd;
}

/** erfc(x) for x ≥ ½. */
function tail(x: number): number {
  const r = 1 / (x + 3);
  const v = 1 - 7 * r;
  const s = v * v;
  const even =
    0.9589962033754297 +
    s *
      (0.3460562090899474 +
        s *
          (0.05413190824960902 +
            s *
              (0.0005752799028793781 +
                s *
                  (-0.00023152726649757467 +
                    s *
                      (2.7642784509421866e-5 +
                        s *
                          (-3.17903796603346e-6 +
                            s *
                              (4.0843300692492537e-7 +
                                s *
                                  (-5.938565411072959e-8 +
                                    s *
                                      (9.104826388323838e-9 +
                                        s * (-1.2423318723793102e-9 + s * 1.0373976867908053e-10))))))))));
  const odd =
    -0.6277955952806216 +
    s *
      (-0.15596654978028288 +
        s *
          (-0.012338549339530705 +
            s *
              (0.000763114358687739 +
                s *
                  (-2.5286312512396445e-5 +
                    s *
                      (-6.857292033679352e-7 +
                        s *
                          (2.7781826737315496e-7 +
                            s *
                              (-3.9591129933765275e-8 +
                                s *
                                  (3.1800722579856774e-9 +
                                    s *
                                      (2.3171875538563379e-10 +
                                        s * (-1.3803274967709817e-10 + s * 1.8825321733728272e-11))))))))));
  return (even + v * odd) * r * expMinusSquare(x);
}

/** e^(−x²): the square of the upper half of x is exact, and what is left is small enough for a short series. */
function expMinusSquare(x: number): number {
  const head = Math.fround(x);
  const rest = (x + head) * (x - head);
  return Math.exp(-head * head) * (1 - rest * (1 - rest * (0.5 - rest / 6)));
}
