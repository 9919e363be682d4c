/** Which line of the author's source a place in a bundle comes from. */
import { SourceMap } from "node:module";
import { basename } from "node:path";

type Place = readonly [line: number, column: number];

/**
 * Gives places such as `fetch.ts:12`; null: it comes from no source. `map`: as bundleConnector gives it, which is parsed
 * when the first place is asked for. Places are counted from 1.
 */
export function createSourcePlace(map: string): (at: Place) => string | null {
  let parsed: SourceMap | null = null;
  return ([line, column]) => {
    parsed ??= new SourceMap(JSON.parse(map));
    const found = parsed.findEntry(line - 1, column - 1);
    if (!("originalSource" in found) || !found.originalSource) return null;
    return `${basename(found.originalSource)}:${found.originalLine + 1}`;
  };
}
