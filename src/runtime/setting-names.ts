/** Finds variables that begin like a setting of Muster and are none: they are probably mistyped. No I/O. */

/** One warning for each. */
export function unknownNames(env: Readonly<Record<string, unknown>>, names: readonly string[]): string[] {
  return Object.keys(env).filter((name) => name.startsWith("MUSTER_") && !names.includes(name)).sort().map((name) => {
    const near = names.map((known) => ({ known, distance: editDistance(name, known) }))
      .sort((a, b) => a.distance - b.distance)[0]!;
    return `${name} is not a setting of Muster` + (near.distance <= 4 ? `: did you mean ${near.known}?` : "");
  });
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}
