/** Loads the thing that a path names, or fails with `not_found`. */
import type { Context } from "hono";
import { Fault } from "../../model/errors.ts";
import { decodeId, type IdPrefix } from "../../model/id.ts";
import { allows } from "../../model/scope.ts";
import type { Database } from "../../store/database.ts";
import type { Env } from "./env.ts";

/** Finds one of an organization's things by a key; null: there is none. */
type Find<Key, Thing> = (db: Database, organizationId: number, key: Key) => Promise<Thing | null>;

/** A parameter of the request's path; an empty text if the path does not have it. */
export function pathParameter(c: Context<Env>, name: string): string {
  return c.req.param(name) ?? "";
}

/**
 * Loads a thing of the request's organization. It is named by the path's `:id`, unless another name is given. `ofAll`: the
 * organization's id of things that are for all organizations, which operators find in each.
 */
export function loader<Thing>(noun: string, find: Find<string, Thing>, ofAll: number | null = null) {
  return async (c: Context<Env>, name = pathParameter(c, "id")): Promise<Thing> => {
    const { db } = c.get("hub"), isOperator = allows(c.get("token").scopes, "operator");
    const thing = await find(db, c.get("organization").id, name) ??
      (ofAll === null || !isOperator ? null : await find(db, ofAll, name));
    if (thing === null) throw new Fault("not_found", `There is no ${noun} "${name}"`);
    return thing;
  };
}

/** Finds by public id. A text that is not an id with this prefix finds nothing. */
export function byId<Thing>(prefix: IdPrefix, find: Find<number, Thing>): Find<string, Thing> {
  return async (db, organizationId, name) => {
    const id = decodeId(prefix, name);
    return id === null ? null : await find(db, organizationId, id);
  };
}
