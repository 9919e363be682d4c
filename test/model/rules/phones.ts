/** Phone numbers as they are compared, where no country is set: by digits, and 00 is a +. */

/** The comparable form: digits alone. */
export function foldPhone(text: string): string {
  const digits = text.replace(/\D/g, "");
  return /^00[1-9]/.test(digits) ? digits.slice(2) : digits;
}

/** Whether two spellings may be one number: the one with its country, the other without. */
export function areSpelledAlike(a: string, b: string): boolean {
  if (isInternational(a) === isInternational(b)) return false;
  const [national, whole] = isInternational(a) ? [b, a] : [a, b];
  const end = foldPhone(national).replace(/^0+/, "");
  return end.length >= 6 && foldPhone(whole) !== end && foldPhone(whole).endsWith(end);
}

const isInternational = (text: string) => text.includes("+") || /^00[1-9]/.test(text.replace(/\D/g, ""));

export function isPhone(text: string): boolean {
  return /^\+?[\d ()./-]+$/.test(text) && /\d/.test(text);
}
