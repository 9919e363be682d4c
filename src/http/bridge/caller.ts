/** The bridge that sends a request: its token, its confirmed key, and its lease on the connection in question. */
import type { Context, MiddlewareHandler } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { decodeId, encodeId, type IdPrefix } from "../../model/id.ts";
import { findHeld, type Held, ownLease } from "../../store/bridges/bridge-leases.ts";
import { findBridgeFile } from "../../store/bridges/bridge-files.ts";
import { findCheck } from "../../store/bridges/bridge-states.ts";
import { type Bridge, findBridge } from "../../store/bridges/bridges.ts";
import type { Database } from "../../store/database.ts";
import { fencedDatabase } from "../../store/fence.ts";
import { findDrop, findPlaceOfDrop } from "../../store/runs/drops.ts";
import { requires } from "../kit/authorize.ts";
import { documented } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { pathParameter } from "../kit/load.ts";

const NAME = "Muster-Bridge";

const identifyBridge: MiddlewareHandler<Env> = async (c, next) => {
  const input = c.req.header(NAME) ?? "";
  const id = decodeId("bri", input);
  const bridge = id === null ? null : await findBridge(c.get("hub").db, id);
  // A bridge can be named only with the token that it introduced itself with.
  if (bridge === null || bridge.bearer !== c.get("token").key) {
    throw new Fault("forbidden", `${NAME} is "${input}"; it should be the id from the answer to this token's hello`);
  }
  if (bridge.confirmedAt === null) {
    throw new Fault(
      "forbidden",
      `The bridge's key is not confirmed; an operator confirms it with POST /v1/bridges/${input}/confirm`,
    );
  }
  c.set("bridge", bridge);
  await next();
};

/** Requires a bridge: a token with its scope, and a confirmed key. */
export const asBridge: readonly [MiddlewareHandler<Env>, MiddlewareHandler<Env>] = [
  requires("bridge"),
  documented(identifyBridge, {
    headers: [{
      name: NAME,
      description: "Id of the calling bridge, from the answer to its hello",
      schema: z.string().meta({ examples: ["bri_2"] }),
    }],
    faults: ["forbidden"],
  }),
];

export function bridgeOf(c: Context<Env>): Bridge {
  return c.get("bridge")!;
}

/**
 * The lease of this bridge on the connection; the request then acts in its organization, and writes nothing once another
 * bridge has the connection. `conflict` without a lease.
 */
export async function loadHeld(c: Context<Env>, name = pathParameter(c, "id")): Promise<Held> {
  const id = decodeId("con", name);
  const held = id === null ? null : await findHeld(c.get("hub").db, bridgeOf(c), id);
  if (held === null) throw new Fault("conflict", `The bridge has no lease on "${name}"; list its connections again`);
  c.set("organization", held.organization);
  const hub = c.get("hubOfBridge") ?? c.get("hub");
  c.set("hubOfBridge", hub);
  c.set("hub", { ...hub, db: fencedDatabase(hub.db, ownLease(held.lease)) });
  return held;
}

interface OfConnection {
  readonly organizationId: number;
  readonly connectionId: number;
}

/**
 * Loads what the path's `:id` names, and the lease of this bridge on its connection. Things of organizations that the
 * bridge's token may not serve are answered as if they did not exist.
 */
function heldLoader<Thing extends OfConnection>(
  prefix: IdPrefix,
  noun: string,
  find: (db: Database, id: number) => Promise<Thing | null>,
) {
  return async (c: Context<Env>): Promise<readonly [Thing, Held]> => {
    const name = pathParameter(c, "id");
    const id = decodeId(prefix, name);
    const thing = id === null ? null : await find(c.get("hub").db, id);
    const { serves } = c.get("token");
    if (thing === null || serves?.includes(thing.organizationId) === false) {
      throw new Fault("not_found", `There is no ${noun} "${name}"`);
    }
    return [thing, await loadHeld(c, encodeId("con", thing.connectionId))];
  };
}

export const loadHeldFile = heldLoader("fil", "file", findBridgeFile);
export const loadHeldCheck = heldLoader("chk", "check", findCheck);
export const loadHeldUpload = heldLoader("upl", "upload", async (db, id) => {
  const place = await findPlaceOfDrop(db, id);
  return place === null ? null : await findDrop(db, place.organizationId, id);
});
