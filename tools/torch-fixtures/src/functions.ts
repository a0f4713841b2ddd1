/** A function of all parameter elements in order, in double precision, and its gradient. */
export type TestFunction = (at: readonly number[]) => { readonly value: number; readonly gradient: number[] };

function rosenbrock(at: readonly number[]): ReturnType<TestFunction> {
  const [x = 0, y = 0] = at;
  const a = 1 - x;
  const b = y - x * x;
  return { value: a * a + 100 * (b * b), gradient: [-2 * a - 400 * (x * b), 200 * b] };
}

function beale(at: readonly number[]): ReturnType<TestFunction> {
  const [x = 0, y = 0] = at;
  const a = 1.5 - x + x * y;
  const b = 2.25 - x + x * (y * y);
  const c = 2.625 - x + x * (y * y * y);
  const dx = 2 * a * (y - 1) + 2 * b * (y * y - 1) + 2 * c * (y * y * y - 1);
  const dy = 2 * a * x + 4 * b * (x * y) + 6 * c * (x * (y * y));
  return { value: a * a + b * b + c * c, gradient: [dx, dy] };
}

/** Curvatures 1, 2, 3…, coupled by the square of the sum. */
function bowl(at: readonly number[]): ReturnType<TestFunction> {
  const total = at.reduce((sum, x) => sum + x, 0);
  let value = (total * total) / 4;
  const gradient = at.map((x, i) => {
    const d = x - ((i % 3) - 1);
    value += ((i + 1) * (d * d)) / 2;
    return (i + 1) * d + total / 2;
  });
  return { value, gradient };
}

/** What the closures of `optim-lbfgs.json` minimise, operation by operation as in the recording script. */
export const testFunctions: Readonly<Record<"rosenbrock" | "beale" | "bowl", TestFunction>> = {
  rosenbrock,
  beale,
  bowl,
};
