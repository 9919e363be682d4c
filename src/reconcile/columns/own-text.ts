/**
 * A copy of a text that keeps nothing else alive: a cell may be a slice of the whole block it was read in, and holding
 * a few thousand of those would hold the file.
 */
export function ownText(text: string): string {
  return JSON.parse(JSON.stringify(text)) as string;
}
