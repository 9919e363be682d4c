/** Spreads many things over a range, so that they do not all act at the same time. Deterministic. */

/**
 * A whole number from 0 to `places - 1`: always the same for the same text, and evenly distributed over texts. It is FNV-1a
 * with 32 bits, which is not secure: who chooses the text can choose the number.
 */
export function spread(text: string, places: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash % places;
}
