/** Finds the known name that a mistyped one was meant to be. No I/O. */

const MAX_DISTANCE = 2;

/**
 * The name with the fewest edits (Levenshtein) from `folded`: at most two, and fewer than half of its letters. The
 * first of equals; null when none is that near.
 */
export function nearest(folded: string, names: readonly string[], fold: (name: string) => string): string | null {
  let best: string | null = null;
  let least = Math.min(MAX_DISTANCE, Math.ceil(folded.length / 2) - 1) + 1;
  for (const name of names) {
    const distance = editDistance(folded, fold(name));
    if (distance >= least) continue;
    best = name;
    least = distance;
  }
  return best;
}

function editDistance(a: string, b: string): number {
  // Only small distances matter, and a header may be long.
  if (Math.abs(a.length - b.length) > MAX_DISTANCE) return Infinity;
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(change, above[j]! + 1, row[j - 1]! + 1));
    }
    above = row;
  }
  return above[b.length]!;
}
