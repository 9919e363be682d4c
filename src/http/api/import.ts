/**
 * People pushed as JSON: a drop of the organization's own `rest-import` connection, answered record by record.
 *
 * The records are stored and read like any other input; only the answer differs.
 */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { receiveDrop } from "../../runs/receive-drop.ts";
import { findConnectionOf } from "../../store/connections/connections.ts";
import type { Bytes } from "../../store/runs/drop-content.ts";
import { findDrop } from "../../store/runs/drops.ts";
import { type ChangeList, listRunChanges } from "../../store/runs/changes.ts";
import type { ChangeView } from "../../model/change.ts";
import { rowsFor } from "../../store/runs/issues.ts";
import type { Issue } from "../../model/record.ts";
import { findRun } from "../../store/runs/runs.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { describe, PREFER, route, started } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { viewDrop } from "./drop-answer.ts";
import { preferredWaitMs, waitForNew } from "../kit/prefer.ts";
import { readsPeople } from "../kit/reading.ts";
import { DROP_TAKEN, RESULT } from "../kit/shapes.ts";
import { jsonBody } from "../kit/validate.ts";
import { MODE } from "../kit/values.ts";

const MAX_RECORDS = 5000;
const MAX_BYTES = 32 * 1024 * 1024;
/** How long to wait without a preference: long enough for most requests, as the client needs the records' results. */
const DEFAULT_WAIT_MS = 20_000;

const INPUT = z.strictObject({ users: z.array(z.record(z.string(), z.unknown())), mode: MODE.default("auto") });

const TAKEN = DROP_TAKEN.extend({ results: z.array(RESULT).nullable() });

const RESULTS: Readonly<Record<string, string>> = {
  c: "created",
  u: "updated",
  d: "deactivated",
  r: "reactivated",
  n: "unchanged",
  s: "skipped",
  f: "failed",
};

const importUsers = route(
  describe("importUsers", "Import users as JSON", {
    200: started(TAKEN, "The run has ended, or waits for a decision"),
    202: started(TAKEN, "The run goes on; there are no results yet"),
  }, {
    description: "Up to 5000 records a request, through the connection `rest-import`. Waits up to 20 " +
      "seconds by default, and then answers with each record's result; after 202, read the run.",
    headers: [PREFER],
    faults: ["conflict", "storage_full", "queue_full"],
  }),
  requires("drops:write"),
  jsonBody(INPUT, MAX_BYTES),
  async (c) => {
    const { users, mode } = c.req.valid("json");
    if (users.length > MAX_RECORDS) {
      throw new Fault("too_large", `The request has ${users.length} users; at most ${MAX_RECORDS} are allowed`);
    }
    const hub = c.get("hub");
    const organizationId = c.get("organization").id;
    const connection = await findConnectionOf(hub.db, organizationId, "rest-import");
    if (connection === null) {
      throw new Fault("conflict", `The organization has no connection with the connector "rest-import"; create one`);
    }
    const body = new Blob([JSON.stringify({ users })]).stream() as Bytes;
    const input = {
      name: "users.json",
      contentType: "application/json",
      mode,
      entity: "users",
      coverage: null,
    } as const;
    const { dropId, runId } = await receiveDrop(hub, connection, input, body, byOf(c));
    const drop = await findDrop(hub.db, organizationId, dropId);
    const wait = c.req.header("prefer") === undefined ? DEFAULT_WAIT_MS : preferredWaitMs(c);
    const { run, status } = await waitForNew(c, runId, wait);
    return c.json({ run, drop: viewDrop(drop!), results: status === 200 ? await results(c, runId) : null }, status);
  },
);

export const importRoutes: Hono<Env> = new Hono<Env>()
  .post("/", ...importUsers);

/**
 * The outcome of each record, or in a plan its expected outcome, in the order of the records; null when the run failed
 * before it was known. A record that changes a user names it; without the scope `users:read` by its id alone.
 */
async function results(c: Context<Env>, runId: number): Promise<z.infer<typeof RESULT>[] | null> {
  const { db } = c.get("hub");
  const organizationId = c.get("organization").id;
  const outcomes = (await findRun(db, organizationId, runId))?.run.outcomes ?? null;
  if (outcomes === null) return null;
  const open = readsPeople(c);
  const issues = new Map<number, readonly Issue[]>();
  for await (const row of rowsFor(db, organizationId, runId, open ? "people" : "row")) {
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
  return [...outcomes].map((letter, index) => ({
    line: index + 1,
    result: RESULTS[letter]!,
    user: users.get(index + 1) ?? null,
    issues: issues.get(index + 1) ?? [],
  }));
}
