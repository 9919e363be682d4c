/**
 * The hub's side of a bridge, except for files: the bridge introduces itself, leases connections, gets their secrets,
 * reports their health, and answers checks.
 */
import { connectorFor } from "../../hub.ts";
import { calculateJwkThumbprint, CompactEncrypt, importJWK } from "jose";
import { Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { decodeId, encodeId } from "../../model/id.ts";
import { holdConnections, recordHandOut } from "../../store/bridges/bridge-leases.ts";
import { answerCheck } from "../../store/bridges/bridge-states.ts";
import { noteVisit } from "../../notify/visits.ts";
import { loadSecrets } from "../../store/connections/connection-secrets.ts";
import { introduceBridge, saveSetAside } from "../../store/bridges/bridges.ts";
import { listKnown } from "../../store/connections/connections.ts";
import { listOpenTreeErasures } from "../../store/people/erasures.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { asBridge, bridgeOf, loadHeld, loadHeldCheck } from "./caller.ts";
import {
  CHECKED,
  CONNECTIONS,
  type Connections,
  GONE_TREES,
  GREETING,
  type Greeting,
  HEALTH,
  HELLO,
  SECRETS_FOR_BRIDGE,
} from "../../model/bridge-wire.ts";
import { viewHeld } from "./held-view.ts";
import { viewTreeErasure } from "./erasures.ts";
import { describe, NOTHING, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { jsonBody, query } from "../kit/validate.ts";
import { NAME, NO_FIELDS } from "../kit/values.ts";

/** How long a bridge should wait before it asks for its connections again. */
const ASK_EVERY_SECONDS = 5;

const NAMED_HELLO = HELLO.extend({ name: NAME }).meta({ id: "BridgeHello" });

const GONE_OF = z.strictObject({
  connections: z.string().max(10_000).meta({ description: "Ids of connections, separated by commas" }),
});

const hello = route(
  describe("bridgeHello", "Introduce a bridge", { 200: GREETING }, {
    description: "A bridge's first call, with its public key and server. Its id goes into `Muster-Bridge` " +
      "from then on. Until an operator confirms it, it gets no connections.",
    faults: ["forbidden"],
  }),
  requires("bridge"),
  jsonBody(NAMED_HELLO),
  async (c) => {
    const { name, version, public_key, hosted } = c.req.valid("json");
    const { db, now } = c.get("hub");
    const { key, kind } = c.get("token");
    const bridge = await introduceBridge(
      db,
      {
        name,
        version,
        hosted,
        publicKey: public_key,
        thumbprint: await calculateJwkThumbprint(public_key, "sha256"),
        bearer: key,
      },
      now(),
      kind === "own",
      byOf(c),
    );
    if (bridge === null) {
      throw new Fault("forbidden", "Too many bridges are not confirmed; confirm or remove some of them first");
    }
    const greeting: Greeting = { bridge: { id: encodeId("bri", bridge.id), confirmed: bridge.confirmedAt !== null } };
    return c.json(greeting);
  },
);

const hold = route(
  describe("holdConnections", "Renew leases and list pending work", { 200: CONNECTIONS }, {
    description: "Leases free connections for 60 seconds, and lists their settings, checks, erasures, and " +
      "files to settle or return. Call it every `ask_every_seconds`.",
  }),
  ...asBridge,
  jsonBody(NO_FIELDS),
  async (c) => {
    const hub = c.get("hub");
    const bridge = bridgeOf(c);
    const reach = {
      connectors: [...hub.registry.values()].filter(({ bridged }) => bridged).map(({ name }) => name),
      organizations: c.get("token").serves,
    };
    const held = await holdConnections(hub.db, bridge, reach, hub.now(), byOf(c));
    const connections = await viewHeld(hub, bridge, held);
    const erasures = (await listOpenTreeErasures(hub.db, bridge.id, c.get("token").serves)).map(viewTreeErasure);
    const answer: Connections = { connections, erasures, ask_every_seconds: ASK_EVERY_SECONDS };
    return c.json(answer);
  },
);

const handOutSecrets = route(
  describe("handOutSecrets", "Get a connection's secrets", { 200: SECRETS_FOR_BRIDGE }, {
    description: "A compact JWE (RFC 7516; ECDH-ES, A256GCM) of a JSON object, encrypted to the bridge's " +
      "key. Each call is in the audit.",
    faults: ["conflict"],
  }),
  ...asBridge,
  jsonBody(NO_FIELDS),
  async (c) => {
    const hub = c.get("hub");
    const bridge = bridgeOf(c);
    const { connection } = await loadHeld(c);
    const names = Object.keys(connectorFor(hub.registry, connection)?.secrets ?? {});
    const all = await loadSecrets(hub, connection);
    const secrets = Object.fromEntries(names.flatMap((name) => name in all ? [[name, all[name]]] : []));
    const key = await importJWK(bridge.publicKey, "ECDH-ES");
    const jwe = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(secrets)))
      .setProtectedHeader({ alg: "ECDH-ES", enc: "A256GCM", kid: bridge.thumbprint }).encrypt(key);
    // Recorded first: secrets whose hand-out cannot be recorded are not sent.
    await recordHandOut(hub.db, connection, bridge, hub.now(), byOf(c));
    return c.json({ jwe });
  },
);

const reportHealth = route(
  describe("reportHealth", "Report the health of connections", { 204: NOTHING }, {
    description: "What the last visit of each server found. Connections that another bridge holds by now are ignored.",
  }),
  ...asBridge,
  jsonBody(HEALTH),
  async (c) => {
    const { connections, set_aside } = c.req.valid("json");
    if (set_aside !== undefined) await saveSetAside(c.get("hub").db, bridgeOf(c), set_aside);
    for (const { id, seen_at, trouble, lying } of connections) {
      const held = await loadHeld(c, id).catch(notHeld);
      if (held === null) continue;
      await noteVisit(c.get("hub"), held.connection, { seenAt: seen_at, trouble, lying }, byOf(c));
    }
    return c.body(null, 204);
  },
);

const findGoneTrees = route(
  describe("findGoneTrees", "Find deleted connections", { 200: GONE_TREES }, {
    description: "Which of these connections no longer exist or are out of the token's reach, so that the " +
      "bridge can set their files aside.",
  }),
  ...asBridge,
  query(GONE_OF),
  async (c) => {
    const asked = c.req.valid("query").connections.split(",").filter((id) => decodeId("con", id) !== null);
    // A connection out of the token's reach is answered like one that does not exist.
    const there = await listKnown(c.get("hub").db, asked.map((id) => decodeId("con", id)!), c.get("token").serves);
    return c.json({ gone: asked.filter((id) => !there.has(decodeId("con", id)!)) });
  },
);

const answerPending = route(
  describe("answerCheck", "Answer a check", { 204: NOTHING }, {
    description: "The result of a test that was listed as pending; the pending request is answered at once.",
    faults: ["not_found", "conflict"],
  }),
  ...asBridge,
  jsonBody(CHECKED),
  async (c) => {
    const { db, now, waits } = c.get("hub");
    const [check] = await loadHeldCheck(c);
    await answerCheck(db, check, c.req.valid("json"), now(), byOf(c));
    waits?.checks.moved(check.id);
    return c.body(null, 204);
  },
);

export const bridgeRoutes: Hono<Env> = new Hono<Env>()
  .post("/hello", ...hello)
  .post("/connections", ...hold)
  .post("/connections/:id/secrets", ...handOutSecrets)
  .post("/health", ...reportHealth)
  .get("/trees", ...findGoneTrees)
  .post("/checks/:id", ...answerPending);

/** Null for a connection without a lease: another bridge holds it by now, and reports its health. */
function notHeld(error: unknown): null {
  if (error instanceof Fault && error.code === "conflict") return null;
  throw error;
}
