/** Bridges, for the operator: list them, confirm their keys, remove them. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { encodeId } from "../../model/id.ts";
import { type Bridge, confirmBridge, findBridge, listBridges, removeBridge } from "../../store/bridges/bridges.ts";
import { toInstant, toInstantOrNull } from "../../std/time.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { describe, NOTHING, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { viewServer } from "./sftp-view.ts";
import { idOf, INSTANT, listOf, SFTP_SERVER } from "../kit/shapes.ts";
import { jsonBody } from "../kit/validate.ts";
import { NO_FIELDS } from "../kit/values.ts";
import { byId, loader } from "../kit/load.ts";
import { answerList, PAGED } from "../kit/paging.ts";

const BRIDGE = z.strictObject({
  id: idOf("bri"),
  name: z.string().meta({ examples: ["sftp-1"] }),
  version: z.string().meta({ examples: ["0.1.0"] }),
  key_thumbprint: z.string().meta({ description: "RFC 7638; the bridge prints it at its start" }),
  hosted: SFTP_SERVER.nullable(),
  set_aside: z.array(z.strictObject({
    connection: idOf("con"),
    since: INSTANT,
    files: z.int().min(0).meta({ description: "Files that were dropped and not transferred" }),
  })).meta({ description: "Folders of deleted connections, each removed after 30 days", examples: [[]] }),
  confirmed_at: INSTANT.nullable(),
  seen_at: INSTANT,
  created_at: INSTANT,
}).meta({ id: "Bridge" });

export type BridgeView = z.infer<typeof BRIDGE>;

function viewBridge(bridge: Bridge): BridgeView {
  return {
    id: encodeId("bri", bridge.id),
    name: bridge.name,
    version: bridge.version,
    key_thumbprint: bridge.thumbprint,
    hosted: viewServer(bridge.hosted),
    set_aside: (bridge.hosted?.set_aside ?? []).map((each) => ({ ...each, since: toInstant(each.since) })),
    confirmed_at: toInstantOrNull(bridge.confirmedAt),
    seen_at: toInstant(bridge.seenAt),
    created_at: toInstant(bridge.createdAt),
  };
}

const loadBridge = loader("bridge", byId("bri", (db, _, id) => findBridge(db, id)));

const list = route(
  describe("listBridges", "List bridges", { 200: listOf(BRIDGE) }, {
    description: "All bridges of the hub, also those that are not confirmed yet.",
  }),
  requires("operator"),
  PAGED,
  (c) => answerList(c, "bridges", (db, _, place) => listBridges(db, place), (row) => row.id, viewBridge),
);

const get = route(
  describe("getBridge", "Get a bridge", { 200: BRIDGE }, {
    description: "Its key's thumbprint, SFTP server and when it was last seen.",
    faults: ["not_found"],
  }),
  requires("operator"),
  async (c) => c.json(viewBridge(await loadBridge(c))),
);

const confirm = route(
  describe("confirmBridge", "Confirm a bridge's key", { 200: BRIDGE }, {
    description: "Compare the thumbprint with the one that the bridge prints at its start. From then on it " +
      "takes files and receives secrets.",
    faults: ["not_found"],
  }),
  requires("operator"),
  jsonBody(NO_FIELDS),
  async (c) => {
    const { db, now } = c.get("hub");
    const confirmed = await confirmBridge(db, await loadBridge(c), now(), byOf(c));
    if (confirmed === null) throw none(c);
    return c.json(viewBridge(confirmed));
  },
);

const remove = route(
  describe("removeBridge", "Remove a bridge", { 204: NOTHING }, {
    description: "Its connections are free for other bridges at once. It can introduce itself again, and " +
      "then has to be confirmed.",
    faults: ["not_found"],
  }),
  requires("operator"),
  async (c) => {
    const { db, now } = c.get("hub");
    if (!await removeBridge(db, (await loadBridge(c)).id, now(), byOf(c))) throw none(c);
    return c.body(null, 204);
  },
);

export const bridgesRoutes: Hono<Env> = new Hono<Env>()
  .get("/", ...list)
  .get("/:id", ...get)
  .post("/:id/confirm", ...confirm)
  .delete("/:id", ...remove);

function none(c: Context<Env>): Fault {
  return new Fault("not_found", `There is no bridge "${c.req.param("id")}"`);
}
