/** Lower case for comparing, whatever the language of what was typed. Pure. */

/**
 * Lower case in which İ, I and ı are all i: what a Turkish keyboard, or a program with Turkish settings, makes of one
 * letter.
 */
export function lowerCase(text: string): string {
  const lowered = text.toLowerCase();
  // İ becomes an i with a dot above it.
  return /[\u0130\u0131]/.test(text) ? lowered.replaceAll("i\u0307", "i").replaceAll("\u0131", "i") : lowered;
}
