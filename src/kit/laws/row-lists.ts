/** A source whose answers have other lists of rows: in another order, or twice. */
import { isObject } from "../../std/is-object.ts";
import type { Handler } from "../tape.ts";
import { type Asked, placeOf } from "./line.ts";
import type { Read } from "./read.ts";

/** What comes in place of a list of rows. `place`: of the request, without its query. */
export type ChangeRows = (rows: readonly unknown[], place: string) => readonly unknown[];

export interface ChangedSource {
  readonly source: Handler;
  /** How many lists were changed so far. */
  count(): number;
}

/**
 * Changes the longest list of an answer in JSON where the connector makes several rows of the answer, and no more than the
 * list has: it may be another list, such as the addresses of one person. `read`: of the source as it is.
 */
export function changeLists(source: Handler, read: Read, change: ChangeRows): ChangedSource {
  const rowsOf = rowsByRequest(read);
  let count = 0;
  return {
    count: () => count,
    async source(request) {
      const answer = await source(request);
      const body = await answer.clone().json().catch(() => null);
      const list = longestList(body), made = rowsOf.get(keyOf(request)) ?? [];
      if (list === null || !made.some((rows) => rows >= 2 && rows <= list.length)) return answer;
      const changed = change([...list], placeOf(request));
      if (JSON.stringify(changed) === JSON.stringify(list)) return answer;
      count++;
      list.splice(0, list.length, ...changed);
      const headers = new Headers(answer.headers);
      headers.delete("content-length");
      return Response.json(body, { status: answer.status, headers });
    },
  };
}

/** How many rows came of each request, before the next one was made. */
function rowsByRequest({ asked, rowsBefore, count }: Read): Map<string, number[]> {
  const found = new Map<string, number[]>();
  asked.forEach((each, i) => {
    const key = keyOf(each), rows = (rowsBefore[i + 1] ?? count) - rowsBefore[i]!;
    found.set(key, [...found.get(key) ?? [], rows]);
  });
  return found;
}

function keyOf({ method, url }: Asked): string {
  return `${method} ${new URL(url).href}`;
}

/** Of objects, and no part of another list. */
function longestList(value: unknown): unknown[] | null {
  if (Array.isArray(value)) return value.every(isObject) ? value : null;
  if (!isObject(value)) return null;
  return Object.values(value).map(longestList).reduce(
    (longest, list) => (list?.length ?? 0) > (longest?.length ?? 0) ? list : longest,
    null,
  );
}
