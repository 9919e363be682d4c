/**
 * Erasures at a bridge: it learns which connections' files may hold people who were erased, and confirms the deletion.
 * It does not learn who was erased.
 */
import { Hono } from "hono";
import { ERASED, type TreeErasure } from "../../model/bridge-wire.ts";
import { Fault } from "../../model/errors.ts";
import { decodeId, encodeId } from "../../model/id.ts";
import { confirmTreeErasure, type OpenTreeErasure } from "../../store/people/erasures.ts";
import { byOf } from "../kit/authorize.ts";
import { asBridge, bridgeOf } from "./caller.ts";
import { describe, NOTHING, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { jsonBody } from "../kit/validate.ts";

export function viewTreeErasure(
  { connectionId, organizationId, askedAt }: OpenTreeErasure,
): TreeErasure {
  return {
    connection: encodeId("con", connectionId),
    organization: encodeId("org", organizationId),
    asked_at: askedAt,
  };
}

const confirm = route(
  describe("confirmErasure", "Confirm an erasure", { 204: NOTHING }, {
    description: "The connection's copies, reports and failed files of the erased people are deleted, " +
      "durably. Safe to repeat.",
    faults: ["not_found"],
  }),
  ...asBridge,
  jsonBody(ERASED),
  async (c) => {
    const { connection, asked_at: askedAt, waiting } = c.req.valid("json");
    const { db, now } = c.get("hub");
    const connectionId = decodeId("con", connection);
    if (connectionId === null) throw new Fault("not_found", `There is no connection "${connection}"`);
    await confirmTreeErasure(db, bridgeOf(c), { connectionId, askedAt, waiting }, now(), byOf(c));
    return c.body(null, 204);
  },
);

export const bridgeErasureRoutes: Hono<Env> = new Hono<Env>()
  .post("/erasures", ...confirm);
