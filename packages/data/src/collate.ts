import { type Backend, DescentError, stack, Tensor, tensor } from "@descent/tensor";

/** Typed arrays that become a tensor of their own dtype. */
type Numbers = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;
type Scalar = number | boolean | bigint;

/** What `collate` makes of samples of type S: tensors with one more axis in front, in the structure of a sample. */
export type Collated<S> = S extends Tensor | Numbers | Scalar
  ? Tensor
  : S extends string
    ? readonly string[]
    : S extends object
      ? { -readonly [K in keyof S]: Collated<S[K]> }
      : never;

const isNumbers = (x: unknown): x is Numbers => ArrayBuffer.isView(x) && !(x instanceof DataView);

function fail(fault: string, path: string, facts: Record<string, unknown>, hint = ""): never {
  throw new DescentError("data", "collate", fault, { ...(path && { at: path }), ...facts }, hint);
}

/**
 * Samples as one batch (torch.utils.data.default_collate): tensors and typed arrays are stacked, numbers become float32, bigints
 * int64 (class labels, for example), booleans bool; arrays and objects are collated member by member, strings stay a list.
 */
export function collate<S>(samples: readonly S[], backend?: Backend): Collated<S> {
  return collateAt(samples, "", backend) as Collated<S>;
}

function collateAt(samples: readonly unknown[], path: string, backend: Backend | undefined): unknown {
  const first = samples[0];
  const where = backend ? { backend } : {};
  if (first instanceof Tensor) return stackTensors(samples as readonly Tensor[], path);
  if (isNumbers(first)) return stackArrays(samples as readonly Numbers[], path, where);
  if (typeof first === "number") return tensor(Float32Array.from(samples as readonly number[]), where);
  if (typeof first === "boolean") return tensor(samples as readonly boolean[], where);
  if (typeof first === "bigint") return tensor(samples.map(Number), { dtype: "int64", ...where });
  if (typeof first === "string") return samples;
  if (typeof first !== "object" || first === null) {
    const hint = "Pass a collate of your own to the loader.";
    return fail("cannot make a batch of such samples", path, { found: first === null ? "null" : typeof first }, hint);
  }
  if ("then" in first) fail("the samples are promises", path, {}, "Use for await (… of loader).");
  const member = (key: string) => {
    const values = samples.map((sample, i) => {
      if (typeof sample === "object" && sample !== null && key in sample)
        return (sample as Record<string, unknown>)[key];
      return fail("samples differ in their members", path, { sample: i, missing: key });
    });
    return collateAt(values, path ? `${path}.${key}` : key, backend);
  };
  if (Array.isArray(first)) return first.map((_, i) => member(String(i)));
  return Object.fromEntries(Object.keys(first).map((key) => [key, member(key)]));
}

function checkSame<T>(items: readonly T[], path: string, what: (item: T) => string): void {
  const expected = what(items[0] as T);
  const odd = items.findIndex((item) => what(item) !== expected);
  if (odd < 0) return;
  const facts = { "sample 0": expected, [`sample ${odd}`]: what(items[odd] as T) };
  fail(
    "samples of different sizes do not stack",
    path,
    facts,
    "Pad them, or pass a collate of your own to the loader.",
  );
}

function stackTensors(tensors: readonly Tensor[], path: string): Tensor {
  checkSame(tensors, path, ({ shape, dtype }) => `[${shape.join(", ")}] ${dtype}`);
  return stack(tensors);
}

function stackArrays(arrays: readonly Numbers[], path: string, where: { backend?: Backend }): Tensor {
  checkSame(arrays, path, (array) => `${array.length} ${array.constructor.name}`);
  const [first] = arrays as readonly [Numbers];
  const joined = new (first.constructor as new (length: number) => Numbers)(first.length * arrays.length);
  for (const [i, array] of arrays.entries()) joined.set(array, i * first.length);
  return tensor(joined, where).reshape([arrays.length, first.length]);
}
