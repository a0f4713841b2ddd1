/** Edit distance of two short words (Levenshtein), by rows. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

const plain = (word: string): string => word.toLowerCase().replaceAll("_", "");

/** The entry of `names` that is spelled most like `name`; case and underscores do not count. */
export const nearest = (name: string, names: readonly string[]): string | undefined =>
  names.map((candidate) => ({ candidate, d: distance(plain(name), plain(candidate)) })).sort((a, b) => a.d - b.d)[0]
    ?.candidate;
