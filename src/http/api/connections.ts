/** Connections of an organization: made, read, changed, paused, deleted. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import type { Connector } from "../../connector.ts";
import { Fault } from "../../model/errors.ts";
import type { Hub } from "../../hub.ts";
import { encodeId } from "../../model/id.ts";
import { loadFieldsToMake } from "../../store/people/preset-fields.ts";
import { DEPARTMENT_FIELDS, KEY_FIELDS, USER_FIELDS } from "../../model/record.ts";
import {
  type Connection,
  type ConnectionInput,
  createConnection,
  deleteConnection,
  findConnection,
  isAtWork,
  listConnections,
  pauseConnection,
  resumeConnection,
  updateConnection,
} from "../../store/connections/connections.ts";
import { FAILURE_KINDS, type FailureKind, kindOf } from "../../model/connection-health.ts";
import { basisOf, nextMoment } from "../../model/schedule.ts";
import { type Clock, listClocks } from "../../store/connections/clocks.ts";
import { HINTED } from "../../store/connections/unwind.ts";
import { sealSecrets } from "../../store/connections/connection-secrets.ts";
import { loadLastErrors, stateOf } from "../../store/connections/connection-state.ts";
import { loadCustomFields } from "../../store/people/custom-fields.ts";
import type { Limits, Policy } from "../../model/connection.ts";
import { toInstant, toInstantOrNull } from "../../std/time.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { changeSecrets, checkSecrets, loadShownSecrets, SECRETS, SECRETS_SHOWN } from "./connection-secrets.ts";
import { describe, IF_MATCH, NOTHING, versioned } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { route } from "../kit/route.ts";
import { page, PAGING, readCursor } from "../kit/paging.ts";
import { withoutQuotes } from "../../model/quoting.ts";
import { readsPeople } from "../kit/reading.ts";
import { type Guarded, loosened, requireDecider, requireSameSource } from "./loosening.ts";
import { LIMITS, LIMITS_SHOWN, merge, mergeable, POLICY } from "./policy.ts";
import { loadSftpViews, SFTP } from "./sftp-view.ts";
import { idOf, INSTANT, listOf } from "../kit/shapes.ts";
import { invalid, jsonBody, query } from "../kit/validate.ts";
import { EXPECTED_BY, NAME, NO_FIELDS, PRESET, SCHEDULE, SLUG } from "../kit/values.ts";
import { withVersion, writeVersion } from "../kit/version.ts";

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
  expected_by: EXPECTED_BY.nullable(),
});
const NEW = INPUT.partial().extend({
  connector: z.string(),
  name: NAME,
  policy: POLICY.optional(),
  limits: LIMITS.optional(),
}).meta({ id: "ConnectionInput", examples: [{ connector: "csv-upload", name: "HR file" }] });
const CHANGES = INPUT.extend({ policy: mergeable(POLICY), limits: mergeable(LIMITS) }).partial()
  .meta({ id: "ConnectionChanges", examples: [{ policy: { missing: "deactivate" } }] });

const CONNECTION = z.strictObject({
  id: idOf("con"),
  slug: SLUG.meta({ examples: ["csv"] }),
  name: z.string().meta({ examples: ["HR file"] }),
  connector: z.string().meta({ examples: ["csv-upload"] }),
  preset: z.string().nullable(),
  settings: z.record(z.string(), z.unknown()).meta({ examples: [{}] }),
  key: z.enum(KEY_FIELDS).nullable(),
  mapping: z.record(z.string(), z.string().nullable()).meta({ examples: [{ Surname: "last_name", Notes: null }] }),
  // What is stored of an older version may have a null for a name that is not set.
  policy: POLICY.extend({
    only_statuses: z.array(z.string()).nullable().optional(),
    priority: z.int().nullable().optional(),
  }).meta({ examples: [{}] }),
  limits: LIMITS_SHOWN.meta({ examples: [{}] }),
  schedule: SCHEDULE.nullable().meta({ examples: [null] }),
  next_fetch_at: INSTANT.nullable().meta({ description: "Time of the next scheduled fetch", examples: [null] }),
  expected_by: EXPECTED_BY.nullable().meta({ examples: [null] }),
  overdue_since: INSTANT.nullable().meta({
    description: "Deadline that its input has missed",
    examples: [null],
  }),
  ...SECRETS_SHOWN,
  paused_at: INSTANT.nullable().meta({ examples: [null] }),
  state: z.enum(["ok", "error"]).meta({
    description: "`error` after three failures in a row, of inputs or of visits to its server",
  }),
  failures_in_a_row: z.int().min(0),
  failures: z.strictObject(
    Object.fromEntries(FAILURE_KINDS.map((kind) => [kind, z.int().min(0)])) as Record<FailureKind, z.ZodInt>,
  ).meta({ description: "The failures in a row by kind" }),
  last_error: z.strictObject({
    code: z.string(),
    message: z.string(),
    kind: z.enum(FAILURE_KINDS),
    run: idOf("run"),
  }).nullable()
    .meta({ examples: [null] }),
  sftp: SFTP.nullable().meta({ description: "For connections that a bridge serves", examples: [null] }),
  version: z.int(),
  created_at: INSTANT,
  updated_at: INSTANT,
}).meta({ id: "Connection" });

const create = route(
  describe("createConnection", "Create a connection", { 201: versioned(CONNECTION) }, {
    description: "Sets up a source of people. The custom fields of the preset's files are created with it. " +
      "Naming a remote source, setting secrets or loosening limits needs the scope " +
      "`runs:approve`.",
    faults: ["conflict", "unprocessable"],
  }),
  requires("connections:write"),
  jsonBody(NEW),
  async (c) => {
    const asked = c.req.valid("json");
    const { db, now, secrets } = c.get("hub");
    const organization = c.get("organization");
    const connector = findConnector(c.get("hub"), asked.connector);
    await checkMapping(c, asked.mapping);
    checkSecrets(connector, asked.secrets);
    checkSchedule(connector, asked.schedule);
    const settings = readSettings(connector, asked.settings ?? {});
    requireSameSource(c, connector, null, settings);
    if (namesSecrets(asked.secrets)) requireDecider(c, "setting secrets of a connection");
    const usual = { connector: asked.connector, preset: asked.preset ?? null, policy: {}, limits: {} };
    requireNotLooser(c, usual, { ...usual, policy: asked.policy ?? {}, limits: asked.limits ?? {} });
    const connection = await createConnection(
      db,
      organization.id,
      {
        connector: asked.connector,
        name: asked.name,
        slug: asked.slug ?? slugOf(asked.name),
        preset: asked.preset ?? null,
        settings,
        key: asked.key ?? null,
        mapping: asked.mapping ?? {},
        policy: asked.policy ?? {},
        limits: asked.limits ?? {},
        schedule: asked.schedule === undefined ? connector.schedule ?? null : asked.schedule,
        expectedBy: asked.expected_by ?? null,
      },
      now(),
      byOf(c),
      (id) => sealSecrets(secrets, id, asked.secrets ?? {}),
      await loadFieldsToMake(db, organization.id, asked.preset),
    );
    return await answer(c, connection, 201);
  },
);

const list = route(
  describe("listConnections", "List connections", { 200: listOf(CONNECTION) }, {
    description: "All connections of the organization with their state, the oldest first. Secrets are " +
      "shown as set or not set.",
  }),
  requires("connections:read"),
  query(z.strictObject(PAGING)),
  async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const after = readCursor("connections", cursor) ?? 0;
    const rows = await listConnections(c.get("hub").db, c.get("organization").id, { after, limit: limit + 1 });
    const view = await loadView(c, rows);
    return c.json(page("connections", rows, limit, (row) => row.id, view));
  },
);

const get = route(
  describe("getConnection", "Get a connection", { 200: versioned(CONNECTION) }, {
    description: "Its settings, policy, limits, schedule, health and next fetch, with the version for " +
      "`If-Match`.",
  }),
  requires("connections:read"),
  async (c) => {
    const connection = await loadConnection(c, c.req.param("id"));
    return await answer(c, connection);
  },
);

const update = route(
  describe("updateConnection", "Update a connection", { 200: versioned(CONNECTION) }, {
    description: "Changes the given fields only; null in `policy` or `limits` restores a default. A " +
      "changed source clears its secrets. Loosening limits needs the scope `runs:approve`.",
    headers: [IF_MATCH],
    faults: ["conflict", "unprocessable"],
  }),
  requires("connections:write"),
  jsonBody(CHANGES),
  async (c) => {
    const asked = c.req.valid("json");
    const { db, now } = c.get("hub");
    await checkMapping(c, asked.mapping);
    const changed = await writeVersion(c, () => loadConnection(c, c.req.param("id")), async (current) => {
      const { policy, limits, settings, secrets, expected_by, ...plain } = asked;
      const changes: Partial<ConnectionInput> = { ...plain };
      // A connection whose connector is gone can still be renamed, or paused.
      const needsConnector = settings !== undefined || secrets !== undefined || asked.schedule != null;
      const connector = needsConnector ? findConnector(c.get("hub"), current.connector) : null;
      if (settings) changes.settings = readSettings(connector!, settings);
      if (policy) changes.policy = merge<Policy>(current.policy, policy);
      if (limits) changes.limits = merge<Limits>(current.limits, limits);
      requireNotLooser(c, current, { ...current, ...changes });
      if (namesSecrets(secrets)) requireDecider(c, "setting secrets of a connection");
      if (changes.settings) requireSameSource(c, connector!, current.settings, changes.settings);
      if (expected_by !== undefined) changes.expectedBy = expected_by;
      const fields = asked.preset === current.preset
        ? []
        : await loadFieldsToMake(db, current.organizationId, asked.preset);
      if (connector === null) {
        return await updateConnection(db, current, changes, now(), byOf(c), undefined, fields);
      }
      checkSecrets(connector, secrets);
      checkSchedule(connector, asked.schedule);
      const kept = await changeSecrets(c, connector, current, changes.settings, secrets);
      return await updateConnection(db, current, changes, now(), byOf(c), kept, fields);
    });
    return await answer(c, changed);
  },
);

const remove = route(
  describe("deleteConnection", "Delete a connection", { 204: NOTHING }, {
    description: "Its links to users are deleted, the users stay. Refused while one of its runs is active: " +
      "cancel the run first.",
    headers: [IF_MATCH],
    faults: ["conflict"],
  }),
  requires("connections:write"),
  async (c) => {
    const { db, now } = c.get("hub");
    await writeVersion(c, () => loadConnection(c, c.req.param("id")), async (current) => {
      if (await deleteConnection(db, current, now(), byOf(c))) return true;
      if (await isAtWork(db, current)) {
        throw new Fault("conflict", `A run of "${current.slug}" is active; cancel it or wait until it ends`);
      }
      return null;
    });
    return c.body(null, 204);
  },
);

const pause = route(
  describe("pauseConnection", "Pause a connection", { 200: versioned(CONNECTION) }, {
    description: "Inputs are still accepted and queued, but no run starts until the connection is resumed.",
    headers: [IF_MATCH],
  }),
  requires("connections:write"),
  jsonBody(NO_FIELDS),
  async (c) => {
    const { db, now } = c.get("hub");
    const load = () => loadConnection(c, c.req.param("id"));
    const paused = await writeVersion(c, load, (current) => pauseConnection(db, current, now(), byOf(c)));
    return await answer(c, paused);
  },
);

const resume = route(
  describe("resumeConnection", "Resume a connection", { 200: versioned(CONNECTION) }, {
    description: "Queued runs start in order. Does nothing to a connection that is not paused.",
    headers: [IF_MATCH],
  }),
  requires("connections:write"),
  jsonBody(NO_FIELDS),
  async (c) => {
    const { db, now, wake } = c.get("hub");
    const load = () => loadConnection(c, c.req.param("id"));
    const resumed = await writeVersion(c, load, (current) => resumeConnection(db, current, now(), byOf(c)));
    wake();
    return await answer(c, resumed);
  },
);

export function connectionRoutes(): Hono<Env> {
  return new Hono<Env>()
    .post("/", ...create)
    .get("/", ...list)
    .get("/:id", ...get)
    .patch("/:id", ...update)
    .delete("/:id", ...remove)
    .post("/:id/pause", ...pause)
    .post("/:id/resume", ...resume);
}

/** The organization's connection by id or slug, or `not_found`. */
export async function loadConnection(c: Context<Env>, name: string): Promise<Connection> {
  const connection = await findConnection(c.get("hub").db, c.get("organization").id, name);
  if (connection === null) throw new Fault("not_found", `There is no connection "${name}"`);
  return connection;
}

function findConnector(hub: Hub, name: string): Connector<never> {
  const connector = hub.registry.get(name);
  if (connector !== undefined) return connector;
  throw new Fault(
    "unprocessable",
    `There is no connector "${name}"; it should be ${[...hub.registry.keys()].join(", ")}`,
  );
}

function requireNotLooser(c: Context<Env>, before: Guarded, after: Guarded): void {
  const looser = loosened(c, before, after);
  if (looser !== null) requireDecider(c, looser);
}

/** Clearing one lets nobody in. */
function namesSecrets(asked: Readonly<Record<string, string | null>> | undefined): boolean {
  return Object.values(asked ?? {}).some((secret) => secret !== null);
}

/** Only what fetches for itself has a time for it. */
function checkSchedule(connector: Connector<never>, schedule: unknown): void {
  if (schedule == null || !connector.takesDrops) return;
  throw new Fault(
    "unprocessable",
    `The connector "${connector.name}" receives its input, so it cannot have a schedule`,
    {
      errors: [{ pointer: "/schedule", detail: "is not allowed" }],
    },
  );
}

function readSettings(connector: Connector<never>, asked: unknown): Record<string, unknown> {
  const result = (connector.settings as z.ZodType).safeParse(asked);
  if (!result.success) {
    throw invalid(
      `The settings are invalid for the connector "${connector.name}"`,
      result.error.issues.map((issue) => ({ ...issue, path: ["settings", ...issue.path] })),
    );
  }
  // The input is kept, not what the schema made of it: a later version may have other defaults.
  return asked as Record<string, unknown>;
}

async function checkMapping(c: Context<Env>, mapping: Record<string, string | null> | undefined): Promise<void> {
  if (mapping === undefined) return;
  const custom = await loadCustomFields(c.get("hub").db, c.get("organization").id);
  const known = new Set<string>([...USER_FIELDS, ...DEPARTMENT_FIELDS, ...custom.map((field) => field.key)]);
  const errors = Object.entries(mapping).filter(([, field]) => field !== null && !known.has(field)).map((
    [header, field],
  ) => ({
    pointer: `/mapping/${header.replaceAll("~", "~0").replaceAll("/", "~1")}`,
    detail: `Unknown field "${field}"`,
  }));
  if (errors.length > 0) {
    throw new Fault("invalid_request", `The mapping names unknown fields: ${errors[0]!.detail}`, { errors });
  }
}

function slugOf(name: string): string {
  const slug = name.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60)
    .replace(/-+$/, "");
  if (slug !== "") return slug;
  throw new Fault("invalid_request", `No slug can be derived from the name "${name}"; provide one`, {
    errors: [{ pointer: "/slug", detail: "is required" }],
  });
}

/** Answers with the connection, its version as ETag. */
async function answer(c: Context<Env>, connection: Connection, status: 200 | 201 = 200) {
  return withVersion(c, connection, (await loadView(c, [connection]))(connection), status);
}

/** How these connections are shown, with what is stored beside them. */
async function loadView(
  c: Context<Env>,
  rows: readonly Connection[],
): Promise<(row: Connection) => z.infer<typeof CONNECTION>> {
  const { db } = c.get("hub");
  const organizationId = c.get("organization").id;
  const errors = await loadLastErrors(db, organizationId, rows);
  const clocks = await listClocks(db, organizationId);
  const secretsOf = await loadShownSecrets(c, rows);
  const sftp = await loadSftpViews(c.get("hub"), organizationId, rows);
  const { timezone } = c.get("organization");
  /** A clock that is not set yet will be set to this. */
  const nextFetchOf = (connection: Connection, clock: Clock | undefined) =>
    connection.schedule === null
      ? clock?.basis === HINTED ? clock.nextAt : null
      : clock?.basis === basisOf(connection, timezone)
      ? clock.nextAt
      : nextMoment(connection.schedule, timezone, connection.createdAt, c.get("hub").now());
  return (connection) => {
    const error = connection.lastFailedRun === null ? undefined : errors.get(connection.lastFailedRun);
    const clock = clocks.get(connection.id);
    return {
      id: encodeId("con", connection.id),
      slug: connection.slug,
      name: connection.name,
      connector: connection.connector,
      preset: connection.preset,
      settings: connection.settings,
      key: connection.key,
      mapping: connection.mapping,
      policy: connection.policy,
      limits: connection.limits,
      schedule: connection.schedule,
      next_fetch_at: toInstantOrNull(nextFetchOf(connection, clock)),
      expected_by: connection.expectedBy,
      overdue_since: connection.expectedBy === null ? null : toInstantOrNull(clock?.overdueSince ?? null),
      ...secretsOf(connection),
      paused_at: toInstantOrNull(connection.pausedAt),
      state: stateOf(connection, sftp.get(connection.id)?.failures_in_a_row),
      failures_in_a_row: connection.failuresInARow,
      failures: Object.fromEntries(
        FAILURE_KINDS.map((kind) => [kind, connection.failureKinds[kind] ?? 0]),
      ) as Record<FailureKind, number>,
      last_error: error === undefined ? null : {
        code: error.code,
        message: readsPeople(c) ? error.message : withoutQuotes(error).message,
        kind: kindOf(error.code),
        run: encodeId("run", connection.lastFailedRun!),
      },
      sftp: sftp.get(connection.id) ?? null,
      version: connection.version,
      created_at: toInstant(connection.createdAt),
      updated_at: toInstant(connection.updatedAt),
    };
  };
}
