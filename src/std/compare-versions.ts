/** Below 0 when version `a` comes before `b`, 0 when both are of equal rank (SemVer 2.0.0, section 11). */
export function compareVersions(a: string, b: string): number {
  const [one, two] = [partsOf(a), partsOf(b)];
  for (let i = 0; i < 3; i++) {
    if (one.numbers[i] !== two.numbers[i]) return one.numbers[i]! - two.numbers[i]!;
  }
  if (one.before.length === 0 || two.before.length === 0) return two.before.length - one.before.length;
  for (let i = 0; i < Math.max(one.before.length, two.before.length); i++) {
    const order = comparePart(one.before[i], two.before[i]);
    if (order !== 0) return order;
  }
  return 0;
}

/** `before`: the parts of a pre-release, which comes before its release. */
function partsOf(version: string): { readonly numbers: readonly number[]; readonly before: readonly string[] } {
  const [release = "", ...rest] = version.split("+")[0]!.split("-");
  const numbers = release.split(".").map(Number);
  return { numbers, before: rest.length === 0 ? [] : rest.join("-").split(".") };
}

function comparePart(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  const [isA, isB] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isA && isB) return Number(a) - Number(b);
  if (isA !== isB) return isA ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
