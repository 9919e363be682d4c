/**
 * A connection as the API shows it, with what is stored beside it: its clock, its last error, its bridge, its secrets.
 */
import type { Context } from "hono";
import { z } from "zod";
import type { FaultCode } from "../../model/errors.ts";
import { connectorFor, missingConnector, newerFor } from "../../hub.ts";
import { encodeId } from "../../model/id.ts";
import { KEY_FIELDS } from "../../model/record.ts";
import { FAILURE_KINDS, type FailureKind, kindOf } from "../../model/connection-health.ts";
import { withoutQuotes } from "../../model/quoting.ts";
import type { RunView } from "../../model/run.ts";
import { basisOf, nextMoment } from "../../model/schedule.ts";
import { allows } from "../../model/scope.ts";
import { type Clock, listClocks } from "../../store/connections/clocks.ts";
import { HINTED } from "../../store/connections/unwind.ts";
import { loadLastErrors, stateOf } from "../../store/connections/connection-state.ts";
import type { Connection } from "../../store/connections/connections.ts";
import { type Followed, loadFollowed } from "../../store/connections/template-uses.ts";
import { findLatestRuns, type StoredRun } from "../../store/runs/runs.ts";
import { toInstant, toInstantOrNull } from "../../std/time.ts";
import type { Env } from "../kit/env.ts";
import { readsPeople, viewRunFor } from "../kit/reading.ts";
import { idOf, INSTANT, RUN } from "../kit/shapes.ts";
import { EXPECTED_BY, SCHEDULE_SHOWN, SLUG } from "../kit/values.ts";
import { withVersion } from "../kit/version.ts";
import { loadShownSecrets, SECRETS_SHOWN } from "./connection-secrets.ts";
import { isAnswered } from "../../model/mail-rules.ts";
import type { Organization } from "../../store/organizations.ts";
import { LIMITS_SHOWN } from "../../model/guards.ts";
import { POLICY } from "../../model/policy.ts";
import { inForce } from "../../runs/in-force.ts";
import { IN_FORCE, viewInForce } from "./in-force-view.ts";
import { loadSftpViews, SFTP } from "./sftp-view.ts";

export const CONNECTION = z.strictObject({
  id: idOf("con"),
  slug: SLUG.meta({ examples: ["csv"] }),
  name: z.string().meta({ examples: ["HR file"] }),
  connector: z.string().meta({ examples: ["csv-upload"] }),
  connector_version: z.string().nullable().meta({ description: "That it is pinned to", examples: [null] }),
  connector_digest: z.string().nullable().meta({ description: "SHA-256 of its code", examples: [null] }),
  installed: z.boolean().meta({ description: "False: the hub lacks the connector, so every run fails" }),
  template: z.strictObject({ id: idOf("tpl"), name: z.string(), version: z.int() }).nullable().meta({
    description: "Which it follows, and the version that was applied",
    examples: [null],
  }),
  upgrade_available: z.string().nullable().meta({
    description: "Newest installed version of its connector, if newer",
    examples: [null],
  }),
  preset: z.string().nullable(),
  settings: z.record(z.string(), z.unknown()).meta({ examples: [{}] }),
  key: z.enum(KEY_FIELDS).nullable(),
  mapping: z.record(z.string(), z.string().nullable()).meta({ examples: [{ Surname: "last_name", Notes: null }] }),
  // Older versions of the hub may have stored null for a name that is not set.
  policy: POLICY.extend({
    only_statuses: z.array(z.string()).nullable().optional(),
    priority: z.int().nullable().optional(),
  }).meta({ id: "Policy", examples: [{}] }),
  limits: LIMITS_SHOWN.meta({ id: "Limits", examples: [{}] }),
  schedule: SCHEDULE_SHOWN.nullable().meta({ examples: [null] }),
  next_fetch_at: INSTANT.nullable().meta({ description: "Time of the next scheduled fetch", examples: [null] }),
  expected_by: EXPECTED_BY.nullable().meta({ examples: [null] }),
  technical_contact: z.string().nullable().meta({
    description: "Who is mailed about it; null: the technical contact of the organization",
    examples: ["hr@acme.test"],
  }),
  overdue_since: INSTANT.nullable().meta({ description: "Deadline that its input has missed", examples: [null] }),
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
    run: idOf("run").nullable(),
  }).nullable()
    .meta({ examples: [null] }),
  last_run: RUN.nullable().optional().meta({ description: "Its latest run; absent without `runs:read`" }),
  sftp: SFTP.nullable().meta({ description: "For connections that a bridge serves", examples: [null] }),
  in_force: IN_FORCE.optional(),
  warnings: z.array(z.string()).meta({ description: "What is probably not meant to be so", examples: [[]] }),
  version: z.int(),
  created_at: INSTANT,
  updated_at: INSTANT,
}).meta({ id: "Connection" });

export type ConnectionView = z.infer<typeof CONNECTION>;

const MISSING: FaultCode = "connector_missing";

/** Answers with the connection, and its version as the ETag. */
export async function answerConnection(c: Context<Env>, connection: Connection, status: 200 | 201 = 200) {
  const { view, followed } = await loadView(c, [connection]);
  const applied = followed.get(connection.id)?.applied ?? null;
  const in_force = viewInForce(inForce(c.get("hub"), connection, c.get("organization"), applied));
  return withVersion(c, connection, { ...view(connection), in_force }, status);
}

/** Loads what is shown of these connections; gives the view of each, and the templates that they follow. */
export async function loadView(c: Context<Env>, rows: readonly Connection[]): Promise<{
  readonly view: (row: Connection) => z.infer<typeof CONNECTION>;
  readonly followed: ReadonlyMap<number, Followed>;
}> {
  const { db, now, registry } = c.get("hub");
  const organizationId = c.get("organization").id;
  const errors = await loadLastErrors(db, organizationId, rows);
  const clocks = await listClocks(db, organizationId);
  const secretsOf = await loadShownSecrets(c, rows);
  const sftp = await loadSftpViews(c.get("hub"), organizationId, rows);
  const lastRuns = allows(c.get("token").scopes, "runs:read")
    ? await findLatestRuns(db, organizationId, rows.map(({ id }) => id))
    : null;
  const followed = await loadFollowed(db, organizationId, rows.map(({ id }) => id));
  const view = (connection: Connection): z.infer<typeof CONNECTION> => {
    const run = connection.lastFailedRun;
    const error = run === null ? undefined : errors.get(run);
    const shownError = (stored: typeof error) =>
      stored === undefined ? null : {
        code: stored.code,
        message: readsPeople(c) ? stored.message : withoutQuotes(stored).message,
        kind: kindOf(stored.code),
        run: encodeId("run", run!),
      };
    const template = followed.get(connection.id);
    const clock = clocks.get(connection.id), installed = connectorFor(registry, connection) !== undefined;
    return {
      id: encodeId("con", connection.id),
      slug: connection.slug,
      name: connection.name,
      connector: connection.connector,
      connector_version: connection.connectorVersion,
      connector_digest: connection.connectorDigest,
      installed,
      template: template === undefined ? null : viewFollowed(template),
      upgrade_available: newerFor(registry, connection),
      preset: connection.preset,
      settings: connection.settings,
      key: connection.key,
      mapping: connection.mapping,
      policy: connection.policy,
      limits: connection.limits,
      schedule: connection.schedule,
      next_fetch_at: toInstantOrNull(nextFetchOf(connection, clock, c.get("organization").timezone, now())),
      expected_by: connection.expectedBy,
      technical_contact: connection.technicalContact,
      overdue_since: connection.expectedBy === null ? null : toInstantOrNull(clock?.overdueSince ?? null),
      ...secretsOf(connection),
      paused_at: toInstantOrNull(connection.pausedAt),
      state: installed ? stateOf(connection, sftp.get(connection.id)?.failures_in_a_row) : "error",
      failures_in_a_row: connection.failuresInARow,
      failures: Object.fromEntries(
        FAILURE_KINDS.map((kind) => [kind, connection.failureKinds[kind] ?? 0]),
      ) as Record<FailureKind, number>,
      last_error: installed || error?.code === MISSING ? shownError(error) : {
        code: MISSING,
        message: missingConnector(connection),
        kind: kindOf(MISSING),
        run: null,
      },
      ...(lastRuns === null ? {} : { last_run: viewLast(c, lastRuns.get(connection.id)) }),
      sftp: sftp.get(connection.id) ?? null,
      warnings: warningsOf(connection, c.get("organization")),
      version: connection.version,
      created_at: toInstant(connection.createdAt),
      updated_at: toInstant(connection.updatedAt),
    };
  };
  return { view, followed };
}

function viewLast(c: Context<Env>, found: StoredRun | undefined): RunView | null {
  return found === undefined ? null : viewRunFor(c, found);
}

function viewFollowed({ templateId, name, version }: Followed) {
  return { id: encodeId("tpl", templateId), name, version };
}

function warningsOf({ slug, connector, technicalContact }: Connection, organization: Organization): string[] {
  const contact = technicalContact || organization.technicalContact;
  if (contact || isAnswered(connector)) return [];
  return [
    `Nobody gets a mail when "${slug}" fails, is held or leaves rows out: set "technical_contact", here or for the ` +
    "organization",
  ];
}

/** Null: no fetch is scheduled. A clock that was set for another schedule will be set to the time given here. */
function nextFetchOf(connection: Connection, clock: Clock | undefined, timezone: string, now: number): number | null {
  const { schedule, createdAt } = connection;
  if (schedule === null) return clock?.basis === HINTED ? clock.nextAt : null;
  if (clock?.basis === basisOf(connection, timezone)) return clock.nextAt;
  return nextMoment(schedule, timezone, createdAt, now);
}
