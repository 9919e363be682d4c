/** The bridge that sends a request: its token, its confirmed key, and its lease on the connection in question. */
import type { Context, MiddlewareHandler } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { decodeId, encodeId } from "../../model/id.ts";
import { findHeld, type Held } from "../../store/bridges/bridge-leases.ts";
import { type BridgeFile, findBridgeFile } from "../../store/bridges/bridge-files.ts";
import { type Bridge, findBridge } from "../../store/bridges/bridges.ts";
import { type Drop, findDrop, findPlaceOfDrop } from "../../store/runs/drops.ts";
import { requires } from "../kit/authorize.ts";
import { documented } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";

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

/** Whether the bridge's token may serve the organization. Others look to it as if they did not exist. */
export function isInReach(c: Context<Env>, organizationId: number): boolean {
  return c.get("token").serves?.includes(organizationId) ?? true;
}

export function bridgeOf(c: Context<Env>): Bridge {
  return c.get("bridge")!;
}

/** The lease of this bridge on the connection; the request then acts in its organization. `conflict` without a lease. */
export async function loadHeld(c: Context<Env>, name: string): Promise<Held> {
  const id = decodeId("con", name);
  return await enter(c, id === null ? null : await findHeld(c.get("hub").db, bridgeOf(c), id), name);
}

/** An upload of a connection that this bridge has a lease on. */
export async function loadHeldUpload(c: Context<Env>, name: string): Promise<{ upload: Drop; held: Held }> {
  const { db } = c.get("hub");
  const id = decodeId("upl", name);
  const where = id === null ? null : await findPlaceOfDrop(db, id);
  if (where === null || !isInReach(c, where.organizationId)) {
    throw new Fault("not_found", `There is no upload "${name}"`);
  }
  const held = await enter(
    c,
    await findHeld(db, bridgeOf(c), where.connectionId),
    encodeId("con", where.connectionId),
  );
  return { upload: (await findDrop(db, held.connection.organizationId, id!))!, held };
}

/** A file of a connection that this bridge has a lease on. */
export async function loadHeldFile(c: Context<Env>, name: string): Promise<{ file: BridgeFile; held: Held }> {
  const { db } = c.get("hub");
  const id = decodeId("fil", name);
  const file = id === null ? null : await findBridgeFile(db, id);
  if (file === null || !isInReach(c, file.organizationId)) {
    throw new Fault("not_found", `There is no file "${name}"`);
  }
  const held = await enter(c, await findHeld(db, bridgeOf(c), file.connectionId), encodeId("con", file.connectionId));
  return { file, held };
}

function enter(c: Context<Env>, held: Held | null, name: string): Held {
  if (held === null) throw new Fault("conflict", `The bridge has no lease on "${name}"; list its connections again`);
  c.set("organization", held.organization);
  return held;
}
