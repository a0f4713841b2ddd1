/** Below this many elements a run is sorted by insertion. */
const run = 12;

/** Writes to `order` the places of the first `length` keys in sorted order: stable, NaN largest. `spare` is as long as `order`. */
export function sortLine(
  keys: Float64Array,
  order: Int32Array,
  spare: Int32Array,
  length: number,
  descending: boolean,
): void {
  // NaNs go to their end first, so that the rest compares with a plain <.
  let count = 0;
  let nans = 0;
  for (let i = 0; i < length; i++) {
    const key = keys[i]!;
    if (!Number.isNaN(key)) order[count++] = i;
    else spare[nans++] = i;
  }
  if (descending) order.copyWithin(nans, 0, count);
  order.set(spare.subarray(0, nans), descending ? 0 : count);
  const start = descending ? nans : 0;
  const end = start + count;
  for (let low = start; low < end; low += run) insertion(keys, order, low, Math.min(low + run, end), descending);
  let from = order;
  let to = spare;
  for (let width = run; width < count; width *= 2) {
    for (let low = start; low < end; low += 2 * width) {
      merge(keys, from, to, low, Math.min(low + width, end), Math.min(low + 2 * width, end), descending);
    }
    [from, to] = [to, from];
  }
  if (from !== order) for (let i = start; i < end; i++) order[i] = from[i]!;
}

function insertion(keys: Float64Array, order: Int32Array, low: number, high: number, descending: boolean): void {
  for (let i = low + 1; i < high; i++) {
    const place = order[i]!;
    const key = keys[place]!;
    let j = i - 1;
    while (j >= low && (descending ? keys[order[j]!]! < key : keys[order[j]!]! > key)) {
      order[j + 1] = order[j]!;
      j--;
    }
    order[j + 1] = place;
  }
}

function merge(
  keys: Float64Array,
  from: Int32Array,
  to: Int32Array,
  low: number,
  middle: number,
  high: number,
  descending: boolean,
): void {
  let left = low;
  let right = middle;
  for (let i = low; i < high; i++) {
    const takeRight =
      left >= middle ||
      (right < high &&
        (descending ? keys[from[right]!]! > keys[from[left]!]! : keys[from[right]!]! < keys[from[left]!]!));
    to[i] = takeRight ? from[right++]! : from[left++]!;
  }
}
