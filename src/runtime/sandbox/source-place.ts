/** Which line of the author's source a place in a bundle comes from. */
import { SourceMap } from "node:module";
import { basename } from "node:path";

/** Such as `fetch.ts:12`; null: it comes from no source. `map`: as bundleConnector gives it. `at`: both from 1. */
export function sourcePlace(map: string, [line, column]: readonly [line: number, column: number]): string | null {
  const found = new SourceMap(JSON.parse(map)).findEntry(line - 1, column - 1);
  if (!("originalSource" in found) || !found.originalSource) return null;
  return `${basename(found.originalSource)}:${found.originalLine + 1}`;
}
