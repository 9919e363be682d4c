/**
 * `POST /.search` below the connection: users and groups together (RFC 7644, section 3.4.2.1). What a type does not have
 * counts as absent, so a filter that only one of the types can have finds that one's resources alone.
 */
import { type Context, Hono } from "hono";
import { MAX_PAGE } from "../../scim/discovery.ts";
import { ScimError } from "../../scim/error.ts";
import type { Resource } from "../../scim/value.ts";
import type { Env } from "../kit/env.ts";
import { answer } from "./answer.ts";
import { readJsonBody } from "./body.ts";
import { contextOf, type Scim } from "./context.ts";
import { listGroups } from "./list-groups.ts";
import { listUsers } from "./list-users.ts";
import { SCIM } from "./marked.ts";
import { type ListQuery, searchQueryOf } from "./query.ts";

interface Found {
  readonly totalResults: number;
  readonly Resources: readonly Resource[];
}
type Lister = (c: Context<Env>, scim: Scim, query: ListQuery) => Promise<Found>;
const NOTHING: Found = { totalResults: 0, Resources: [] };

export const searchRoutes: Hono<Env> = new Hono<Env>()
  .post("/.search", SCIM, async (c) => {
    const query = searchQueryOf(await readJsonBody(c));
    if (query.cursor !== null) {
      throw new ScimError("invalidCursor", "Users and groups together have pages by index alone");
    }
    return answer(c, await searchAll(c, await contextOf(c), query));
  });

/** Users come before groups. */
async function searchAll(c: Context<Env>, scim: Scim, query: ListQuery) {
  const { startIndex, count } = query;
  const faults: ScimError[] = [];
  const own = async (list: Lister, part: Pick<ListQuery, "startIndex" | "count">): Promise<Found> => {
    try {
      return await list(c, scim, { ...query, ...part });
    } catch (error) {
      if (!(error instanceof ScimError && ["invalidFilter", "invalidPath"].includes(error.kind))) throw error;
      faults.push(error);
      return NOTHING;
    }
  };
  const users = await own(listUsers, { startIndex, count });
  const left = count - users.Resources.length;
  const groups = await own(listGroups, {
    startIndex: Math.max(1, startIndex - users.totalResults),
    count: Math.min(left, MAX_PAGE),
  });
  // Neither type can have it: then it is a mistake.
  if (faults.length === 2) throw faults[0]!;
  const Resources = [...users.Resources, ...groups.Resources];
  return {
    schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
    totalResults: users.totalResults + groups.totalResults,
    startIndex,
    itemsPerPage: Resources.length,
    Resources,
  };
}
