/** Edit distance of two short words (Levenshtein), by rows. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

/** The entry of `names` that is spelled most like `name`, case and underscores aside. */
export function nearest(name: string, names: readonly string[]): string {
  const plain = (word: string) => word.toLowerCase().replaceAll(/[_-]/g, "");
  let best = "";
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of names) {
    const d = distance(plain(name), plain(candidate));
    if (d < least) [best, least] = [candidate, d];
  }
  return best;
}
