/** Removes the white space around quoted cells, which the parser of rows would take for text. No I/O. No clock. */
import type { Delimiter } from "./delimiter.ts";

const CELLS: ReadonlyMap<Delimiter | null, RegExp> = new Map(
  ([",", ";", "\t", "|", null] as const).map((delimiter) => [delimiter, cellPattern(delimiter)]),
);

/** `text`: records that were cut with this delimiter, each followed by LF. */
export function tightenQuotes(text: string, delimiter: Delimiter | null): string {
  return text.replace(CELLS.get(delimiter)!, "$1$2$3");
}

/** One cell after another: quoted ($1) or not ($2), and what ends it ($3). */
function cellPattern(delimiter: Delimiter | null): RegExp {
  const end = delimiter === null ? "\\n" : delimiter === "\t" ? "\\t\\n" : `${delimiter}\\n`;
  const space = delimiter === "\t" ? "[^\\S\\t\\r\\n]*" : "[^\\S\\r\\n]*";
  return new RegExp(`(?:${space}("[^"]*(?:""[^"]*)*")${space}|([^${end}]*))([${end}])`, "gy");
}
