/**
 * A write of SCIM as a record of its connection: stored as a drop, planned, guarded and applied by a run like any other
 * input. The request waits for the run. What a guard stops is not done: the request is answered with 429, and the run that
 * is held has the record.
 */
import type { Context } from "hono";
import { RECORDS_APART } from "../../intake/media.ts";
import { encodeId } from "../../model/id.ts";
import type { Issue } from "../../model/record.ts";
import { namesOfUser } from "../../reconcile/row-names.ts";
import { namer } from "../../runs/namer.ts";
import { receiveDrop } from "../../runs/receive-drop.ts";
import { ScimError } from "../../scim/error.ts";
import type { FieldRecord } from "../../scim/user-record.ts";
import type { Bytes } from "../../store/runs/cut-body.ts";
import { rowsFor } from "../../store/runs/issues.ts";
import { isAtRest, type Run } from "../../store/runs/runs.ts";
import { findHeldWith } from "../../store/scim/users.ts";
import { byOf } from "../kit/authorize.ts";
import type { Env } from "../kit/env.ts";
import { enterOrFail } from "../kit/in-flight.ts";
import { untilAtRest } from "../kit/waiting.ts";
import type { Scim } from "./context.ts";

/** Less than the time after which a provider gives up, which is a minute at Okta. */
const WAIT_MS = 45_000;
/** When a provider may ask again for what waits for a person's decision, and for a run that has not ended. */
const HELD_RETRY_S = 900, QUEUED_RETRY_S = 15, PAUSED_RETRY_S = 300;

/** Issues of a value that belongs to somebody else. */
const TAKEN: ReadonlySet<string> = new Set(["identity_conflict", "duplicate_in_input"]);

/** Whom a record is about. */
export interface About {
  readonly sourceKey: string;
  /** Null: nobody whom the connection knows. */
  readonly userId: number | null;
}

export interface RecordAbout extends About {
  readonly fields: FieldRecord;
}

/** Returns when the record has been applied, or there was nothing to change. Fails when it was not. */
export async function writeRecord(c: Context<Env>, scim: Scim, about: About, fields: FieldRecord): Promise<void> {
  await writeRecords(c, scim, [{ ...about, fields }]);
}

/** The same for several people at once. */
export async function writeRecords(c: Context<Env>, scim: Scim, records: readonly RecordAbout[]): Promise<void> {
  const { connection } = scim;
  if (connection.pausedAt !== null) {
    throw new ScimError("unavailable", `The connection "${connection.slug}" is paused`, {
      retryAfterS: PAUSED_RETRY_S,
    });
  }
  await requireFree(c, scim, records);
  const leave = enterOrFail(c, "waits");
  try {
    const run = await carried(c, scim, records.map(({ sourceKey, fields }) => ({ source_id: sourceKey, ...fields })));
    await requireApplied(c, run);
  } finally {
    leave();
  }
}

/** Somebody in a held run waits for a decision about it. More records about them would only wait behind it. */
async function requireFree(c: Context<Env>, { connection, within }: Scim, records: readonly About[]): Promise<void> {
  const nameOf = namer(connection);
  const names = records.flatMap(({ userId, sourceKey }) => namesOfUser(userId ?? 0, [sourceKey]).map(nameOf));
  const held = await findHeldWith(c.get("hub").db, within, names);
  if (held !== null) throw heldBy(c, held);
}

async function carried(c: Context<Env>, { connection }: Scim, records: readonly FieldRecord[]): Promise<Run> {
  const hub = c.get("hub");
  const body = new Blob([JSON.stringify({ users: records })]).stream() as Bytes;
  const input = {
    name: "scim.json",
    contentType: RECORDS_APART,
    mode: "auto",
    entity: "users",
    coverage: null,
    byHand: false,
  } as const;
  const { runId } = await receiveDrop(hub, connection, input, body, byOf(c));
  const waited = { ms: WAIT_MS, signal: c.req.raw.signal };
  const found = await untilAtRest(hub, { organizationId: connection.organizationId, id: runId }, waited);
  if (found === null) throw new ScimError("unavailable", "The run has been deleted", { retryAfterS: QUEUED_RETRY_S });
  return found.run;
}

/** Fails unless the run has done what its records say. */
async function requireApplied(c: Context<Env>, run: Run): Promise<void> {
  const elsewhere = run.given?.[0];
  if (elsewhere !== undefined) throw heldBy(c, elsewhere.waitsFor ?? elsewhere.run ?? run.id);
  if (run.status === "held") throw heldBy(c, run.id);
  if (!isAtRest(run.status)) {
    throw new ScimError("unavailable", `The run ${encodeId("run", run.id)} has not ended yet, and goes on`, {
      retryAfterS: QUEUED_RETRY_S,
    });
  }
  const has = (outcome: string) => run.outcomes?.includes(outcome) === true;
  if (run.status === "failed" || has("f")) throw await rejected(c, run);
  if (run.status === "cancelled" || run.status === "superseded") {
    throw new ScimError("unavailable", `The run ${encodeId("run", run.id)} was ${run.status}`, {
      retryAfterS: QUEUED_RETRY_S,
    });
  }
  if (has("s")) {
    const why = (await issuesOf(c, run))[0]?.message ?? "The policy of the connection leaves such changes out";
    throw new ScimError("forbidden", why);
  }
}

function heldBy(c: Context<Env>, runId: number): ScimError {
  const id = encodeId("run", runId), page = `${c.get("hub").publicUrl}/o/${c.get("organization").slug}/runs/${id}`;
  return new ScimError("held", `Not done: too much would change at once. The run waits for a decision: ${page}`, {
    retryAfterS: HELD_RETRY_S,
  });
}

async function rejected(c: Context<Env>, run: Run): Promise<ScimError> {
  const issues = await issuesOf(c, run);
  const error = issues.find(({ severity }) => severity === "error") ?? issues[0];
  if (error === undefined) {
    return new ScimError("unavailable", run.error?.message ?? "The run has failed", { retryAfterS: QUEUED_RETRY_S });
  }
  return new ScimError(TAKEN.has(error.code) ? "uniqueness" : "invalidValue", `${error.message}. ${error.suggestion}`);
}

/** In the words for those who may not read of other people: a provider's log is read by others than the hub's. */
async function issuesOf(c: Context<Env>, run: Run): Promise<Issue[]> {
  const issues: Issue[] = [];
  for await (const row of rowsFor(c.get("hub").db, run.organizationId, run.id, "row", undefined, "api")) {
    issues.push(...row.issues);
  }
  return issues;
}
