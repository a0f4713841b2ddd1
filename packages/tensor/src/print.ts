import { type DType, isDescentError, isFloat, type Shape } from "@descent/backend";
import type { Tensor } from "./tensor.ts";
import type { TensorData } from "./tensor-base.ts";

/** PyTorch's settings: digits, the size from which only the edges are shown, how many elements an edge has, and columns of text. */
const precision = 4;
const threshold = 1000;
const edge = 3;
const lineWidth = 80;

/** The digits of a number; where it lies exactly between two, JavaScript rounds up and Python to the even one. */
function digits(x: number, write: (x: number, digits: number) => string): string {
  const [kept, rest] = [write(x, precision), write(x, 60)];
  const [mantissa, exponent = ""] = rest.split("e");
  const cut = (mantissa as string).indexOf(".") + 1 + precision;
  const [down, tail] = [(mantissa as string).slice(0, cut), (mantissa as string).slice(cut)];
  const tie = /^50*$/.test(tail) && Number(down.at(-1)) % 2 === 0;
  return tie ? `${down}${exponent && `e${exponent}`}` : kept;
}

const fixed = (x: number): string => digits(x, (value, count) => value.toFixed(count));
const scientific = (x: number): string =>
  digits(x, (value, count) => value.toExponential(count)).replace(/e([+-])(\d)$/, "e$10$2");

const words: Readonly<Record<string, string>> = { NaN: "nan", Infinity: "inf", "-Infinity": "-inf" };
const whole = (x: number): string => `${Object.is(x, -0) ? "-0" : x.toFixed(0)}.`;

/** How the elements of one tensor are written: all to the same width, and floating point numbers all in one of three ways. */
function writer(values: readonly number[], dtype: DType): (x: number) => string {
  if (!isFloat(dtype)) {
    const plain = dtype === "bool" ? (x: number) => (x === 0 ? "False" : "True") : String;
    const width = Math.max(...values.map((x) => plain(x).length));
    return (x) => plain(x).padStart(width);
  }
  const real = values.filter((x) => Number.isFinite(x) && x !== 0);
  const sizes = real.map(Math.abs);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const wide = real.length > 0 && (most / least > 1000 || most > 1e8 || least < 1e-4);
  const write = wide ? scientific : real.every(Number.isInteger) ? whole : fixed;
  const width = Math.max(1, ...real.map((x) => write(x).length));
  return (x) => (words[String(x)] ?? write(x)).padStart(width);
}

/** The places along an axis that are shown; null stands for those left out. */
function shown(extent: number, summarize: boolean): (number | null)[] {
  const all = Array.from({ length: extent }, (_, i) => i);
  return summarize && extent > 2 * edge ? [...all.slice(0, edge), null, ...all.slice(-edge)] : all;
}

/** The elements in brackets. */
function body(shape: Shape, data: TensorData, dtype: DType, indent: number): string {
  const summarize = data.length > threshold;
  const places = shape.map((extent) => shown(extent, summarize));
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const step = (axis: number, place: number) => place * (strides[axis] as number);
  const values: number[] = [];
  const collect = (axis: number, at: number): void => {
    if (axis === shape.length) values.push(data[at] as number);
    else for (const place of places[axis] ?? []) if (place !== null) collect(axis + 1, at + step(axis, place));
  };
  collect(0, 0);
  const write = writer(values, dtype);
  const text = (axis: number, at: number, column: number): string => {
    if (axis === shape.length) return write(data[at] as number);
    const inner = axis < shape.length - 1;
    const parts = (places[axis] ?? []).map((place) => {
      if (place === null) return inner ? "..." : " ...";
      return text(axis + 1, at + step(axis, place), column + 1);
    });
    const margin = " ".repeat(column + 1);
    if (inner) return `[${parts.join(`,${"\n".repeat(shape.length - axis - 1)}${margin}`)}]`;
    const perLine = Math.max(1, Math.floor((lineWidth - column) / (write(values[0] as number).length + 2)));
    const lines = Array.from({ length: Math.ceil(parts.length / perLine) }, (_, i) =>
      parts.slice(i * perLine, (i + 1) * perLine).join(", "),
    );
    return `[${lines.join(`,\n${margin}`)}]`;
  };
  return text(0, 0, indent);
}

const start = "tensor(";

/** What follows the elements: whatever is not as usual. */
function remarks(x: Tensor, data: TensorData | null): string[] {
  const { shape, dtype, tape } = x;
  const found: string[] = [];
  if (data === null || (x.size === 0 && shape.length !== 1))
    found.push(`size=(${shape.join(", ")}${shape.length === 1 ? "," : ""})`);
  const usual = ["float32", ...(x.size === 0 || data === null ? [] : ["int64", "bool"])];
  if (!usual.includes(dtype)) found.push(`dtype=torch.${dtype}`);
  if (tape === null) return found;
  const origin = tape.origin(x);
  if (origin === null) return [...found, "requires_grad=True"];
  return [...found, `grad_fn=<${origin.charAt(0).toUpperCase()}${origin.slice(1)}Backward0>`];
}

/** A tensor as PyTorch prints it; without `data`, which are its elements in row-major order, what is known without them. */
function printed(x: Tensor, data: TensorData | null, instead = "..."): string {
  let text = start;
  if (data === null) text += instead;
  else text += x.size === 0 ? "[]" : body(x.shape, data, x.dtype, start.length);
  let column = text.length - text.lastIndexOf("\n") + 1;
  for (const remark of remarks(x, data)) {
    const fits = column + remark.length + 2 <= lineWidth;
    text += fits ? `, ${remark}` : `,\n${" ".repeat(start.length)}${remark}`;
    column = (fits ? column + 2 : start.length) + remark.length;
  }
  return `${text})`;
}

/** For `toString`: never throws, since debuggers call it. Leaves the elements out where they cannot be had at once. */
export function printNow(x: Tensor): string {
  if (x.storage.block.freed !== null) return printed(x, null, "given back");
  if (!x.backend.readSync) return printed(x, null);
  try {
    return printed(x, x.dataSync());
  } catch (error) {
    if (isDescentError(error)) return printed(x, null);
    throw error;
  }
}

/** For `text`: reads the elements on any backend. */
export const printSoon = async (x: Tensor): Promise<string> => printed(x, await x.data());
