/** Lists in pages, by index (RFC 7644, section 3.4.2.4) or by cursor (RFC 9865). */
import { sha256Hex } from "../../std/hex.ts";
import { ScimError } from "../../scim/error.ts";
import type { Resource } from "../../scim/value.ts";
import type { PagePlace } from "../../store/scim/order.ts";
import { cursorAfter, readCursor } from "../kit/paging.ts";
import type { ListQuery } from "./query.ts";

const LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/** What is listed. */
export interface Listed {
  /** Of which list the cursors are. */
  readonly name: string;
  count(): Promise<number>;
  /** Ids in their order. */
  ids(place: PagePlace): Promise<number[]>;
  /** Whether a cursor can go on behind this one. */
  isThere(id: number): Promise<boolean>;
  view(ids: readonly number[]): Promise<Resource[]>;
}

export async function listResponse(query: ListQuery, listed: Listed) {
  return query.cursor === null ? await byIndex(query, listed) : await byCursor(query, query.cursor, listed);
}

async function byIndex({ startIndex, count }: ListQuery, listed: Listed) {
  const totalResults = await listed.count();
  const ids = count === 0 || startIndex > totalResults
    ? []
    : await listed.ids({ offset: startIndex - 1, limit: count, after: null });
  const Resources = await listed.view(ids);
  return { schemas: [LIST], totalResults, startIndex, itemsPerPage: Resources.length, Resources };
}

/** A cursor names the last resource of its page, and is good for the same query alone. */
async function byCursor(query: ListQuery, cursor: string, listed: Listed) {
  const { filter, sortBy, isDescending, count } = query;
  const digest = await sha256Hex(JSON.stringify([listed.name, filter, sortBy, isDescending]));
  const name = `scim-${digest.slice(0, 16)}`;
  const after = placeOf(name, cursor);
  if (after !== null && !await listed.isThere(after)) {
    throw new ScimError("expiredCursor", "The resource that the cursor names is gone: begin again");
  }
  const totalResults = await listed.count();
  const ids = await listed.ids({ offset: 0, limit: count + 1, after });
  const Resources = await listed.view(ids.slice(0, count));
  const last = ids.length > count ? ids[count - 1] : undefined;
  return {
    schemas: [LIST],
    totalResults,
    itemsPerPage: Resources.length,
    ...(last === undefined ? {} : { nextCursor: cursorAfter(name, last) }),
    Resources,
  };
}

function placeOf(name: string, cursor: string): number | null {
  try {
    return readCursor(name, cursor);
  } catch (cause) {
    throw new ScimError("invalidCursor", "The cursor is not of this list: begin again without one", { cause });
  }
}
