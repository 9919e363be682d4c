/** Where one of many falls in a range, so that what they do at the same interval is not done all at once. No chance. */

/**
 * A whole number from 0 to `places - 1`: always the same of the same text, and about as many texts at each number.
 * FNV-1a of 32 bits; no secret, and nobody who can choose the text is kept from choosing the number.
 */
export function spread(text: string, places: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash % places;
}
