/**
 * People pushed as JSON: a drop of the connection that the request names, by default of the organization's own
 * `rest-import`, answered record by record.
 *
 * The records are stored and read like any other input, but each by itself: one that cannot be read costs no
 * other its result.
 */
import { connectorFor } from "../../hub.ts";
import { type Context, Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { receiveDrop } from "../../runs/receive-drop.ts";
import { fixedKey } from "../../runs/input.ts";
import { columnsOf, LIMITS } from "../../runs/read-drop.ts";
import { RECORDS_APART } from "../../intake/media.ts";
import { loadCustomFields } from "../../store/people/custom-fields.ts";
import { type Connection, findConnectionOf } from "../../store/connections/connections.ts";
import type { Bytes } from "../../store/runs/cut-body.ts";
import { findDrop } from "../../store/runs/drops.ts";
import { type ChangeList, listRunChanges } from "../../store/runs/changes.ts";
import type { ChangeView } from "../../model/change.ts";
import { rowsFor } from "../../store/runs/issues.ts";
import type { Issue } from "../../model/record.ts";
import { findRun } from "../../store/runs/runs.ts";
import { encodeId } from "../../model/id.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { describe, PREFER, route, started } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { loadConnection } from "./connections.ts";
import { requireTakesDrops, viewDrop } from "./drop-answer.ts";
import { preferredWaitMs, waitForNew } from "../kit/prefer.ts";
import { readsPeople } from "../kit/reading.ts";
import { DROP_TAKEN, RESULT } from "../kit/shapes.ts";
import { jsonBody, query } from "../kit/validate.ts";
import { BY_HAND_QUERY, MODE } from "../kit/values.ts";
import { prepareSettings } from "../../runs/settings.ts";

const MAX_RECORDS = 5000;
const MAX_BYTES = 32 * 1024 * 1024;
/** How long to wait without a preference: long enough for most requests, as the client needs the records' results. */
const DEFAULT_WAIT_MS = 20_000;

/** A record that is not an object is answered as such, beside the others. */
const RECORD = z.unknown().meta({ id: "Record", examples: [{ employee_id: "000123", email: "ana@example.com" }] });
const INPUT = z.strictObject({ users: z.array(RECORD), mode: MODE.default("auto") });
const OPTIONS = z.strictObject({
  connection: z.string().optional().meta({
    description:
      "Id or slug of the connection to import through; by default the first with the connector `rest-import`",
  }),
  by_hand: BY_HAND_QUERY,
});

const TAKEN = DROP_TAKEN.extend({ results: z.array(RESULT).nullable() });

const RESULTS: Readonly<Record<string, string>> = {
  c: "created",
  u: "updated",
  d: "deactivated",
  r: "reactivated",
  n: "unchanged",
  s: "skipped",
  f: "failed",
  w: "waiting",
};

const importUsers = route(
  describe("importUsers", "Import users as JSON", {
    200: started(TAKEN, "The run has ended, or waits for a decision"),
    202: started(TAKEN, "The run goes on; there are no results yet"),
  }, {
    description:
      "Up to 5000 changed records: nobody is taken for missing. Waits up to 20 seconds by default, and answers with each record's result; after 202, read the run. Records about people of held runs, or stopped by a guard, wait (`waits_for`).",
    headers: [PREFER],
    faults: ["not_found", "unprocessable", "conflict", "storage_full", "queue_full"],
  }),
  requires("drops:write"),
  query(OPTIONS),
  jsonBody(INPUT, MAX_BYTES),
  async (c) => {
    const { users, mode } = c.req.valid("json");
    if (users.length > MAX_RECORDS) {
      throw new Fault("too_large", `The request has ${users.length} users; at most ${MAX_RECORDS} are allowed`);
    }
    const keys = keysOf(users);
    const hub = c.get("hub");
    const organizationId = c.get("organization").id;
    const asked = c.req.valid("query");
    const connection = await findTarget(c, asked.connection);
    const body = new Blob([JSON.stringify({ users })]).stream() as Bytes;
    const input = {
      name: "users.json",
      contentType: RECORDS_APART,
      mode,
      entity: "users",
      // A connection of files may be for full ones, but a request has only some of the people.
      coverage: connectorFor(hub.registry, connection)!.coverage.users === "diff" ? null : "diff",
      byHand: asked.by_hand === "true",
    } as const;
    const { dropId, runId } = await receiveDrop(hub, connection, input, body, byOf(c));
    const drop = await findDrop(hub.db, organizationId, dropId);
    const wait = c.req.header("prefer") === undefined ? DEFAULT_WAIT_MS : preferredWaitMs(c);
    const { run, status } = await waitForNew(c, runId, wait);
    const answer = status === 200 ? await results(c, runId, await warningsOf(c, connection, keys)) : null;
    return c.json({ run, drop: viewDrop(drop!), results: answer }, status);
  },
);

export const importRoutes: Hono<Env> = new Hono<Env>()
  .post("/", ...importUsers);

/** The connection that is named, or the organization's own. */
async function findTarget(c: Context<Env>, name: string | undefined): Promise<Connection> {
  const connection = name !== undefined
    ? await loadConnection(c, name)
    : await findConnectionOf(c.get("hub").db, c.get("organization").id, "rest-import");
  if (connection === null) {
    throw new Fault("conflict", `The organization has no connection with the connector "rest-import"; create one`);
  }
  requireTakesDrops(c, connection);
  return connection;
}

/** The keys of each record; none of one that is not an object, or has too many. */
function keysOf(users: readonly unknown[]): readonly (readonly string[])[] {
  const keys = users.map((user) => (typeof user === "object" && !Array.isArray(user) ? Object.keys(user ?? {}) : []))
    .map((own) => (own.length > LIMITS.maxColumns ? [] : own));
  const { size } = new Set(keys.flat());
  if (size <= LIMITS.maxColumns) return keys;
  const most = `at most ${LIMITS.maxColumns} are allowed`;
  throw new Fault("too_large", `The users have ${size} different fields; ${most}`);
}

/** The warnings about the keys of each record. */
async function warningsOf(
  c: Context<Env>,
  connection: Connection,
  keys: readonly (readonly string[])[],
): Promise<(index: number) => readonly Issue[]> {
  const hub = c.get("hub");
  const connector = connectorFor(hub.registry, connection)!;
  const customFields = await loadCustomFields(hub.db, connection.organizationId);
  const context = { connection, connector, customFields };
  await prepareSettings(connector, connection.settings);
  const columns = columnsOf(context, "users", fixedKey({ hub, connection }), true);
  const spellings = columns.spellings([...new Set(keys.flat())]);
  return (index) => spellings.issuesOf(keys[index]!);
}

/**
 * The outcome of each record, or in a plan its expected outcome, in the order of the records; null when the run failed
 * before it was known. A record that changes a user names it; without the scope `users:read` by its id alone.
 */
async function results(
  c: Context<Env>,
  runId: number,
  warnings: (index: number) => readonly Issue[],
): Promise<z.infer<typeof RESULT>[] | null> {
  const { db } = c.get("hub");
  const organizationId = c.get("organization").id;
  const run = (await findRun(db, organizationId, runId))?.run;
  if (run === undefined || run.outcomes === null) return null;
  const elsewhere = new Map((run.given ?? []).flatMap(({ run, waitsFor, rows }) => {
    const at = {
      ...run === null ? {} : { run: encodeId("run", run) },
      ...waitsFor === null ? {} : { waits_for: encodeId("run", waitsFor) },
    };
    return rows.map((place) => [place, at] as const);
  }));
  const open = readsPeople(c);
  const issues = new Map<number, readonly Issue[]>();
  for await (const row of rowsFor(db, organizationId, runId, open ? "people" : "row", undefined, "api")) {
    if (row.line !== null) issues.set(row.line, [...issues.get(row.line) ?? [], ...row.issues]);
  }
  const users = new Map<number, ChangeView["subject"]>();
  for (let after: number | null = 0; after !== null;) {
    const { changes, next }: ChangeList = await listRunChanges(db, organizationId, runId, { after, limit: 1000 });
    for (const { line, entity, subject } of changes) {
      if (line !== null && entity === "user") users.set(line, open ? subject : { id: subject.id });
    }
    after = next;
  }
  return [...run.outcomes].map((letter, index) => ({
    line: index + 1,
    result: RESULTS[letter]!,
    user: users.get(index + 1) ?? null,
    issues: [...issues.get(index + 1) ?? [], ...warnings(index)],
    ...elsewhere.get(index),
  }));
}
