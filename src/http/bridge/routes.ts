/**
 * What a bridge asks of the hub, beside handing files over: who it is, which connections are its own, what it has been
 * asked to check, and how all of it fares.
 */
import { calculateJwkThumbprint, CompactEncrypt, importJWK } from "jose";
import { Hono } from "hono";
import { z } from "zod";
import { resolveSftp, type SftpSettings } from "../../model/sftp.ts";
import { keptName } from "../../bridge/places.ts";
import { Fault } from "../../model/errors.ts";
import type { Hub } from "../../hub.ts";
import { decodeId, encodeId } from "../../model/id.ts";
import { listReturning, listUnsettled, type Returning } from "../../store/bridges/bridge-files.ts";
import { type Held, holdConnections, listHeldSecrets, recordHandOut } from "../../store/bridges/bridge-leases.ts";
import {
  answerCheck,
  type BridgeState,
  findCheck,
  listAskedChecks,
  listHeldStates,
} from "../../store/bridges/bridge-states.ts";
import { failureOf, noteVisit } from "../../notify/visits.ts";
import { loadSecrets } from "../../store/connections/connection-secrets.ts";
import { type Bridge, introduceBridge, saveSetAside } from "../../store/bridges/bridges.ts";
import { listKnown } from "../../store/connections/connections.ts";
import { listOpenTreeErasures } from "../../store/people/erasures.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { asBridge, bridgeOf, isInReach, loadHeld } from "./caller.ts";
import { TREE_ERASURE, viewTreeErasure } from "./erasures.ts";
import { describe, NOTHING } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { route } from "../kit/route.ts";
import { passwordProof } from "../../security/sftp-login.ts";
import { listHeldLogins, type SftpLoginWithKeys } from "../../store/bridges/sftp-logins.ts";
import { reportToSend } from "../../report/file.ts";
import { findRun } from "../../store/runs/runs.ts";
import { idOf } from "../kit/shapes.ts";
import { jsonBody, query } from "../kit/validate.ts";
import { NAME, NO_FIELDS } from "../kit/values.ts";

/** How long a bridge should wait before it asks for its connections again. */
const ASK_EVERY_SECONDS = 5;
const MAX_LYING = 20;
const MAX_STATES = 1000;

const FINGERPRINT = z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/, "should be like SHA256: and 43 characters")
  .meta({ examples: ["SHA256:fAHRL9XKHXw6hDmIFtbpKSJpQ1hTIhjiMQyEfIHDFVQ"] });
const COORDINATE = z.string().regex(/^[A-Za-z0-9_-]{43}$/, "should be 32 bytes as base64url")
  .meta({ examples: ["MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"] });
const MS = z.int().min(0);

const HELLO = z.strictObject({
  name: NAME,
  version: z.string().max(50),
  /** Of the key that secrets are to be encrypted to: a JWK (RFC 7517) on the curve P-256. */
  public_key: z.strictObject({
    kty: z.literal("EC"),
    crv: z.literal("P-256"),
    x: COORDINATE,
    y: COORDINATE,
  }),
  /** Where its hosted server is for others; null: it has none. */
  hosted: z.strictObject({ host: z.string().min(1).max(253), port: z.int().min(1).max(65535), host_key: FINGERPRINT })
    .nullable(),
}).meta({ id: "BridgeHello" });

const GREETED = z.strictObject({
  bridge: z.strictObject({
    id: idOf("bri"),
    confirmed: z.boolean().meta({
      description: "Whether an operator has confirmed its key; until then it gets no work",
    }),
  }),
}).meta({ id: "BridgeGreeting" });

const SETTINGS = z.strictObject({
  folder: z.string(),
  patterns: z.array(z.string()).readonly(),
  when: z.union([
    z.strictObject({ kind: z.literal("at_once") }),
    z.strictObject({ kind: z.literal("every"), minutes: z.int() }),
    z.strictObject({ kind: z.literal("daily"), at: z.string(), time_zone: z.string() }),
  ]),
  after: z.enum(["move", "delete", "leave"]),
  remote: z.strictObject({
    host: z.string(),
    port: z.int(),
    username: z.string(),
    host_key: z.string().nullable(),
  }).nullable(),
});

const CONNECTION = z.strictObject({
  id: idOf("con"),
  organization: idOf("org"),
  slug: z.string(),
  name: z.string(),
  mode: z.enum(["hosted", "remote"]),
  paused: z.boolean(),
  version: z.int(),
  settings: SETTINGS,
  visited_at: z.int().nullable().meta({
    description: "When a bridge last looked for files, in milliseconds since 1970",
  }),
  secrets_version: z.string().nullable().meta({ description: "Changes whenever a secret does; null: there are none" }),
  created_at: z.int().meta({ description: "In milliseconds since 1970" }),
  lets_in: z.array(z.string()).meta({
    description: "Credentials accepted at the hosted server, as in `proof` of a login",
  }),
  check: idOf("chk").nullable(),
  unsettled: z.array(z.strictObject({
    id: idOf("fil"),
    folder: z.string(),
    name: z.string(),
    bytes: z.int(),
    modified_at: z.int(),
    kept_as: z.string(),
  })),
  returning: z.array(z.strictObject({
    id: idOf("fil"),
    kept_as: z.string(),
    report: z.string().nullable().meta({ description: "File name for the report; null: there is none" }),
    failed: z.boolean().meta({ description: "Whether to write the file to `failed`" }),
  })),
}).meta({ id: "BridgeConnection" });
const CONNECTIONS = z.strictObject({
  connections: z.array(CONNECTION),
  erasures: z.array(TREE_ERASURE),
  ask_every_seconds: z.int(),
});

const HANDED_OUT = z.strictObject({ jwe: z.string() }).meta({
  id: "BridgeSecrets",
  examples: [{ jwe: "eyJhbGciOi…" }],
});

const TROUBLE = z.strictObject({
  code: z.enum([
    "unreachable",
    "timed_out",
    "refused_address",
    "host_key_unconfirmed",
    "host_key_changed",
    "login_refused",
    "secrets_required",
    "folder_missing",
    "not_permitted",
    "disk_full",
    "quota_exceeded",
    "file_changed",
    "too_large",
    "hub_unreachable",
    "hub_full",
    "hub_busy",
    "report_not_written",
    "failed",
  ]),
  message: z.string().max(1000),
});
const HEALTH = z.strictObject({
  connections: z.array(z.strictObject({
    id: z.string(),
    seen_at: MS.nullable(),
    trouble: TROUBLE.nullable(),
    lying: z.array(z.strictObject({
      name: z.string().max(1000),
      since: MS,
      why: z.enum(["temporary", "empty", "unfinished", "unmatched"]),
    })).max(MAX_LYING),
  })).max(MAX_STATES),
  /** Trees of connections that are gone; absent: as before. */
  set_aside: z.array(z.strictObject({ connection: idOf("con"), since: MS, files: z.int().min(0) })).max(1000)
    .optional(),
}).meta({ id: "BridgeHealth", examples: [{ connections: [] }] });

const GONE = z.strictObject({ gone: z.array(idOf("con")) }).meta({ id: "BridgeGoneTrees", examples: [{ gone: [] }] });

const CHECKED = z.strictObject({
  ok: z.boolean(),
  detail: z.string().max(2000),
  found: z.strictObject({ host_key: FINGERPRINT.optional(), files: z.int().min(0).optional() }),
});

const GONE_OF = z.strictObject({
  connections: z.string().max(10_000).meta({ description: "Ids of connections, separated by commas" }),
});

async function viewHeld(
  hub: Hub,
  bridge: Bridge,
  held: readonly Held[],
): Promise<z.infer<typeof CONNECTION>[]> {
  const returning = await Promise.all(
    (await listReturning(hub.db, bridge.id, hub.now())).map(async (each) => ({
      connectionId: each.file.connectionId,
      view: await viewReturning(hub, each),
    })),
  );
  const unsettled = await listUnsettled(hub.db, bridge.id);
  const checks = await listAskedChecks(hub.db, bridge.id, hub.now());
  const secrets = await listHeldSecrets(hub.db, bridge.id);
  const states = await listHeldStates(hub.db, bridge.id);
  const logins = new Map((await listHeldLogins(hub.db, bridge.id)).map((each) => [each.login.connectionId, each]));
  return held.flatMap(({ connection, organization }) => {
    const parsed = (hub.registry.get(connection.connector)!.settings as z.ZodType).safeParse(connection.settings);
    if (!parsed.success) {
      hub.log("bridge.settings_unreadable", { connection: encodeId("con", connection.id) });
      return [];
    }
    const settings = resolveSftp(parsed.data, connection.preset, organization.timezone);
    return [{
      id: encodeId("con", connection.id),
      organization: encodeId("org", organization.id),
      slug: connection.slug,
      name: connection.name,
      mode: settings.remote === null ? "hosted" as const : "remote" as const,
      paused: connection.pausedAt !== null,
      version: connection.version,
      settings: viewSettings(settings),
      visited_at: visitedAt(states.get(connection.id)),
      secrets_version: versionOf(secrets.get(connection.id)),
      created_at: connection.createdAt,
      lets_in: letsIn(logins.get(connection.id)),
      check: checks.filter((check) => check.connectionId === connection.id).map(({ id }) => encodeId("chk", id))[0] ??
        null,
      unsettled: unsettled.filter((file) => file.connectionId === connection.id).map((file) => ({
        id: encodeId("fil", file.id),
        folder: file.folder,
        name: file.name,
        bytes: file.bytes,
        modified_at: file.modifiedAt,
        kept_as: keptName(file.name, file.takenAt),
      })),
      returning: returning.filter(({ connectionId }) => connectionId === connection.id).map(({ view }) => view),
    }];
  });
}

async function viewReturning(hub: Hub, { file, errorCode }: Returning) {
  const found = await findRun(hub.db, file.organizationId, file.runId);
  const report = found === null ? null : await reportToSend(hub, found);
  return {
    id: encodeId("fil", file.id),
    kept_as: keptName(file.name, file.takenAt),
    report: report?.file?.name ?? null,
    failed: errorCode === "decryption_failed",
  };
}

function viewSettings({ folder, patterns, when, after, remote }: SftpSettings): z.infer<typeof SETTINGS> {
  return {
    folder,
    patterns,
    when: when.kind === "daily" ? { kind: "daily", at: when.at, time_zone: when.timeZone } : when,
    after,
    remote: remote === null
      ? null
      : { host: remote.host, port: remote.port, username: remote.username, host_key: remote.hostKey },
  };
}

const hello = route(
  describe("bridgeHello", "Introduce a bridge", { 200: GREETED }, {
    description: "A bridge's first call, with its public key and server. Its id goes into `Muster-Bridge` " +
      "from then on. Until an operator confirms it, it gets no connections.",
    faults: ["forbidden"],
  }),
  requires("bridge"),
  jsonBody(HELLO),
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
      throw new Fault(
        "forbidden",
        "Too many bridges are not confirmed; confirm or remove some of them first",
      );
    }
    return c.json(
      { bridge: { id: encodeId("bri", bridge.id), confirmed: bridge.confirmedAt !== null } } satisfies z.infer<
        typeof GREETED
      >,
    );
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
    return c.json(
      { connections, erasures, ask_every_seconds: ASK_EVERY_SECONDS } satisfies z.infer<typeof CONNECTIONS>,
    );
  },
);

const handOutSecrets = route(
  describe("handOutSecrets", "Get a connection's secrets", { 200: HANDED_OUT }, {
    description: "A compact JWE (RFC 7516; ECDH-ES, A256GCM) of a JSON object, encrypted to the bridge's " +
      "key. Each call is in the audit.",
    faults: ["conflict"],
  }),
  ...asBridge,
  jsonBody(NO_FIELDS),
  async (c) => {
    const hub = c.get("hub");
    const bridge = bridgeOf(c);
    const { connection } = await loadHeld(c, c.req.param("id"));
    const names = Object.keys(hub.registry.get(connection.connector)?.secrets ?? {});
    const all = await loadSecrets(hub, connection);
    const secrets = Object.fromEntries(names.flatMap((name) => name in all ? [[name, all[name]]] : []));
    const key = await importJWK(bridge.publicKey, "ECDH-ES");
    const jwe = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(secrets)))
      .setProtectedHeader({ alg: "ECDH-ES", enc: "A256GCM", kid: bridge.thumbprint }).encrypt(key);
    // Written down first: what cannot be written down is not handed out.
    await recordHandOut(hub.db, connection, bridge, hub.now(), byOf(c));
    return c.json({ jwe } satisfies z.infer<typeof HANDED_OUT>);
  },
);

const reportHealth = route(
  describe("reportHealth", "Report the health of connections", { 204: NOTHING }, {
    description: "What the last visit of each server found. Connections that another bridge holds by now " +
      "are ignored.",
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
  describe("findGoneTrees", "Find deleted connections", { 200: GONE }, {
    description: "Which of these connections no longer exist or are out of the token's reach, so that the " +
      "bridge can set their files aside.",
  }),
  ...asBridge,
  query(GONE_OF),
  async (c) => {
    const asked = c.req.valid("query").connections.split(",").filter((id) => decodeId("con", id) !== null);
    // What is beyond its reach is for it as if it were not there.
    const there = await listKnown(c.get("hub").db, asked.map((id) => decodeId("con", id)!), c.get("token").serves);
    return c.json({ gone: asked.filter((id) => !there.has(decodeId("con", id)!)) } satisfies z.infer<typeof GONE>);
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
    const { db, now } = c.get("hub");
    const id = decodeId("chk", c.req.param("id"));
    const check = id === null ? null : await findCheck(db, id);
    if (check === null || !isInReach(c, check.organizationId)) {
      throw new Fault("not_found", `There is no check "${c.req.param("id")}"`);
    }
    await loadHeld(c, encodeId("con", check.connectionId));
    await answerCheck(db, check, c.req.valid("json"), now(), byOf(c));
    c.get("hub").waits?.checks.moved(check.id);
    return c.body(null, 204);
  },
);

export function bridgeRoutes(): Hono<Env> {
  return new Hono<Env>()
    .post("/hello", ...hello)
    .post("/connections", ...hold)
    .post("/connections/:id/secrets", ...handOutSecrets)
    .post("/health", ...reportHealth)
    .get("/trees", ...findGoneTrees)
    .post("/checks/:id", ...answerPending);
}

/** What did not go well is due again at once, whoever comes next: a daily hour would else be lost for a day. */
function visitedAt(state: BridgeState | undefined): number | null {
  return state === undefined ? null : failureOf(state.trouble) !== null ? 0 : state.seenAt;
}

/** Another bridge has it by now, and says itself how it fares. */
function notHeld(error: unknown): null {
  if (error instanceof Fault && error.code === "conflict") return null;
  throw error;
}

/** A connection that is paused lets in as ever: its files are taken, and its runs wait. */
function letsIn(found: SftpLoginWithKeys | undefined): string[] {
  if (found === undefined) return [];
  const { passwordHash } = found.login;
  const keys = found.keys.map(({ fingerprint }) => fingerprint);
  return passwordHash === null ? keys : [passwordProof(passwordHash), ...keys];
}

/** Another text whenever a secret was set or cleared; null: there are none. */
function versionOf(secrets: ReadonlyMap<string, number> | undefined): string | null {
  if (secrets === undefined || secrets.size === 0) return null;
  return [...secrets].sort().map(([name, at]) => `${name}:${at}`).join();
}
