/** Connections of an organization: create, read, change, pause, resume, delete. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { pinOf } from "../../hub.ts";
import { Fault } from "../../model/errors.ts";
import { loadFieldsToMake } from "../../store/people/preset-fields.ts";
import { KEY_FIELDS } from "../../model/record.ts";
import {
  type Connection,
  type ConnectionInput,
  createConnection,
  findConnection,
  listConnections,
  pauseConnection,
  resumeConnection,
  updateConnection,
} from "../../store/connections/connections.ts";
import { deleteConnection, isAtWork } from "../../store/connections/connection-end.ts";
import { sealSecrets } from "../../store/connections/connection-secrets.ts";
import { LIMITS, type Limits } from "../../model/guards.ts";
import { POLICY, type Policy } from "../../model/policy.ts";
import { getPreset } from "../../model/preset.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { changeSecrets, checkSecrets, SECRETS, storedSecrets } from "./connection-secrets.ts";
import { describe, IF_MATCH, NOTHING, route, versioned } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { type Guarded, loosened, requireDecider, requireSameSource } from "./loosening.ts";
import { merge, mergeable } from "../kit/merge.ts";
import { keyAfter } from "./preset-key.ts";
import {
  checkMapping,
  checkSchedule,
  findConnector,
  findOwnConnector,
  readSettings,
  slugOf,
} from "./connection-input.ts";
import { answerConnection, CONNECTION, loadView } from "./connection-view.ts";
import { listOf } from "../kit/shapes.ts";
import { jsonBody } from "../kit/validate.ts";
import { EMAIL, EXPECTED_BY, NAME, NO_FIELDS, PRESET, SCHEDULE, SLUG } from "../kit/values.ts";
import { deleteVersion, writeVersion } from "../kit/version.ts";
import { loader } from "../kit/load.ts";
import { readsPeople } from "../kit/reading.ts";
import { answerList, PAGED } from "../kit/paging.ts";
import { prepareSettings } from "../../runs/settings.ts";

const INPUT = z.strictObject({
  name: NAME,
  slug: SLUG,
  preset: PRESET.nullable(),
  settings: z.record(z.string(), z.unknown()),
  key: z.enum(KEY_FIELDS).nullable(),
  /** Header of the source → field; null: not processed. */
  mapping: z.record(z.string().min(1).max(254), z.string().nullable()),
  secrets: SECRETS,
  schedule: SCHEDULE.nullable(),
  expected_by: EXPECTED_BY.meta({ id: "ExpectedBy" }).nullable(),
  technical_contact: EMAIL.nullable().meta({
    description: "Who is mailed about this connection; null: the technical contact of the organization",
  }),
});
const NEW = INPUT.partial().extend({
  connector: z.string(),
  name: NAME,
  policy: POLICY.optional(),
  limits: LIMITS.optional(),
}).meta({ id: "ConnectionInput", examples: [{ connector: "csv-upload", name: "HR file" }] });
const CHANGES = INPUT.extend({ policy: mergeable(POLICY), limits: mergeable(LIMITS) }).partial()
  .meta({ id: "ConnectionChanges", examples: [{ policy: { missing: "deactivate" } }] });

/** By id or slug. */
export const loadConnection = loader("connection", findConnection);

const create = route(
  describe("createConnection", "Create a connection", { 201: versioned(CONNECTION) }, {
    description:
      "Sets up a source of people, with the custom fields of its preset. A remote source, secrets or looser " +
      "limits need `runs:approve`; `technical_contact` needs `users:read` too.",
    faults: ["conflict", "unprocessable"],
  }),
  requires("connections:write"),
  jsonBody(NEW),
  async (c) => {
    const asked = c.req.valid("json");
    const { db, now, secrets } = c.get("hub");
    const organizationId = c.get("organization").id;
    const connector = findConnector(c.get("hub"), asked.connector);
    await checkMapping(c, asked.mapping);
    checkSecrets(connector, asked.secrets);
    checkSchedule(connector, asked.schedule);
    await prepareSettings(connector, asked.settings ?? {});
    const settings = readSettings(connector, asked.settings ?? {});
    requireSameSource(c, connector, null, settings);
    if (namesSecrets(asked.secrets)) requireDecider(c, "setting secrets of a connection");
    requireMayBeMailed(c, asked.technical_contact);
    const pin = pinOf(c.get("hub").registry, connector);
    const usual = {
      connector: asked.connector,
      connectorDigest: pin.connectorDigest,
      preset: asked.preset ?? null,
      policy: {},
      limits: {},
    };
    requireNotLooser(c, usual, { ...usual, policy: asked.policy ?? {}, limits: asked.limits ?? {} });
    const connection = await createConnection(
      db,
      organizationId,
      {
        connector: asked.connector,
        ...pin,
        name: asked.name,
        slug: asked.slug ?? slugOf(asked.name),
        preset: asked.preset ?? null,
        settings,
        settingsOf: pin.connectorDigest === null ? connector.version : null,
        key: asked.key ?? getPreset(asked.preset ?? null).key,
        mapping: asked.mapping ?? {},
        policy: asked.policy ?? {},
        limits: asked.limits ?? {},
        schedule: asked.schedule === undefined ? connector.schedule ?? null : asked.schedule,
        expectedBy: asked.expected_by ?? null,
        technicalContact: asked.technical_contact ?? null,
      },
      now(),
      byOf(c),
      (id) => sealSecrets(secrets, id, asked.secrets ?? {}),
      await loadFieldsToMake(db, organizationId, asked.preset),
    );
    return await answerConnection(c, connection, 201);
  },
);

const list = route(
  describe("listConnections", "List connections", { 200: listOf(CONNECTION) }, {
    description: "All connections with their state, the oldest first. Secrets are shown as set or not.",
  }),
  requires("connections:read"),
  PAGED,
  (c) =>
    answerList(
      c,
      "connections",
      async (db, organizationId, place) => {
        const rows = await listConnections(db, organizationId, place);
        const view = await loadView(c, rows);
        return rows.map((row) => ({ id: row.id, view: view(row) }));
      },
      (row) => row.id,
      (row) => row.view,
    ),
);

const get = route(
  describe("getConnection", "Get a connection", { 200: versioned(CONNECTION) }, {
    description: "Its settings, health and next fetch; `in_force` has what runs go by, and why.",
  }),
  requires("connections:read"),
  async (c) => await answerConnection(c, await loadConnection(c)),
);

const update = route(
  describe("updateConnection", "Update a connection", { 200: versioned(CONNECTION) }, {
    description:
      "Changes the given fields; null in `policy` or `limits` restores a default. A changed source clears its " +
      "secrets. Another preset brings its key, if people are linked by no other. Looser limits need `runs:approve`.",
    headers: [IF_MATCH],
    faults: ["conflict", "unprocessable"],
  }),
  requires("connections:write"),
  jsonBody(CHANGES),
  async (c) => {
    const asked = c.req.valid("json");
    await checkMapping(c, asked.mapping);
    return await answerConnection(c, await writeVersion(c, loadConnection, (_, current) => change(c, current, asked)));
  },
);

const remove = route(
  describe("deleteConnection", "Delete a connection", { 204: NOTHING }, {
    description: "Its links to users are deleted, the users stay. Refused while a run is active: cancel it first.",
    headers: [IF_MATCH],
    faults: ["conflict"],
  }),
  requires("connections:write"),
  (c) =>
    deleteVersion(c, loadConnection, async (db, current, now, by) => {
      if (await deleteConnection(db, current, now, by)) return true;
      if (!await isAtWork(db, current)) return false;
      throw new Fault("conflict", `A run of "${current.slug}" is active; cancel it or wait until it ends`);
    }),
);

const pause = route(
  describe("pauseConnection", "Pause a connection", { 200: versioned(CONNECTION) }, {
    description: "Inputs are queued, but no run starts until it is resumed.",
    headers: [IF_MATCH],
  }),
  requires("connections:write"),
  jsonBody(NO_FIELDS),
  async (c) => await answerConnection(c, await writeVersion(c, loadConnection, pauseConnection)),
);

const resume = route(
  describe("resumeConnection", "Resume a connection", { 200: versioned(CONNECTION) }, {
    description: "Queued runs start in order.",
    headers: [IF_MATCH],
  }),
  requires("connections:write"),
  jsonBody(NO_FIELDS),
  async (c) => {
    const resumed = await writeVersion(c, loadConnection, resumeConnection);
    c.get("hub").wake();
    return await answerConnection(c, resumed);
  },
);

export const connectionRoutes: Hono<Env> = new Hono<Env>()
  .post("/", ...create)
  .get("/", ...list)
  .get("/:id", ...get)
  .patch("/:id", ...update)
  .delete("/:id", ...remove)
  .post("/:id/pause", ...pause)
  .post("/:id/resume", ...resume);

/** What the connection becomes, or null if it has changed since it was loaded. */
async function change(
  c: Context<Env>,
  current: Connection,
  asked: z.infer<typeof CHANGES>,
): Promise<Connection | null> {
  const { db, now } = c.get("hub");
  const { policy, limits, settings, secrets, expected_by, technical_contact, ...plain } = asked;
  const changes: Partial<ConnectionInput> = { ...plain };
  // A connection whose connector is no longer installed can still be renamed or paused.
  const needsConnector = settings !== undefined || secrets !== undefined || asked.schedule != null;
  const connector = needsConnector ? findOwnConnector(c.get("hub"), current) : null;
  if (settings) await prepareSettings(connector!, settings, current.settings);
  if (settings) changes.settings = readSettings(connector!, settings);
  if (settings && current.connectorDigest === null) changes.settingsOf = connector!.version;
  if (policy) changes.policy = merge<Policy>(current.policy, policy);
  if (limits) changes.limits = merge<Limits>(current.limits, limits);
  if (expected_by !== undefined) changes.expectedBy = expected_by;
  if (technical_contact !== undefined) changes.technicalContact = technical_contact;
  changes.key = await keyAfter(c.get("hub"), current, asked);
  requireNotLooser(c, current, { ...current, ...changes });
  if (namesSecrets(secrets)) requireDecider(c, "setting secrets of a connection");
  requireMayBeMailed(c, technical_contact);
  if (changes.settings) requireSameSource(c, connector!, current.settings, changes.settings);
  const fields = asked.preset === current.preset
    ? []
    : await loadFieldsToMake(db, current.organizationId, asked.preset);
  if (connector !== null) {
    checkSecrets(connector, secrets, secrets === undefined ? [] : await storedSecrets(c, current));
    checkSchedule(connector, asked.schedule);
  }
  const newSecrets = connector === null
    ? undefined
    : await changeSecrets(c, connector, current, changes.settings, secrets);
  return await updateConnection(db, current, changes, now(), byOf(c), newSecrets, fields);
}

function requireNotLooser(c: Context<Env>, before: Guarded, after: Guarded): void {
  const looser = loosened(c, before, after);
  if (looser !== null) requireDecider(c, looser);
}

/** Mails show people's values, and have links to approve runs: who names their reader has to be allowed both. */
function requireMayBeMailed(c: Context<Env>, contact: string | null | undefined): void {
  if (contact == null) return;
  const what = "setting the technical contact of a connection";
  requireDecider(c, what);
  if (readsPeople(c)) return;
  throw new Fault("forbidden", `The token lacks the scope "users:read", which is needed for ${what}`);
}

/** Whether a secret is set. Clearing one gives nobody access. */
function namesSecrets(asked: Readonly<Record<string, string | null>> | undefined): boolean {
  return Object.values(asked ?? {}).some((secret) => secret !== null);
}
