/** Versions as SemVer 2.0.0 has them. Pure. */

const FORM =
  /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;
const MAX_LENGTH = 64;

/** Whether the text is a version, of at most 64 characters. */
export function isVersion(text: string): boolean {
  return text.length <= MAX_LENGTH && FORM.test(text);
}

/** By precedence: negative if `a` is the older one. What is no version is older than all that are. */
export function compareVersions(a: string, b: string): number {
  const left = FORM.exec(a), right = FORM.exec(b);
  if (left === null || right === null) return Number(left !== null) - Number(right !== null);
  for (const place of [1, 2, 3]) {
    const order = Number(left[place]) - Number(right[place]);
    if (order !== 0) return order;
  }
  const [before, after] = [left[4], right[4]];
  if (before === undefined || after === undefined) return Number(before === undefined) - Number(after === undefined);
  return comparePrereleases(before.split("."), after.split("."));
}

function comparePrereleases(left: readonly string[], right: readonly string[]): number {
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [a, b] = [left[i]!, right[i]!];
    if (a === b) continue;
    const [isNumber, isOtherNumber] = [a, b].map((part) => /^\d+$/.test(part));
    if (isNumber && isOtherNumber) return Number(a) - Number(b);
    if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
    return a < b ? -1 : 1;
  }
  return left.length - right.length;
}
