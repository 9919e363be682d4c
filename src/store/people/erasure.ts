/**
 * Erases a person in one batch, from all that was found of them (people/erase.ts). The batch is written only if nothing
 * has changed since the search.
 */
import { sql } from "drizzle-orm";
import type { By } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import { recordAudit } from "../audit.ts";
import type { Database, Statement } from "../database.ts";
import { forgetAnswers } from "../idempotency.ts";
import { hasMoved, unlessMoved } from "../moved.ts";
import { forgetReplies } from "../notify/deliveries.ts";
import { claimOrganization, type Lease, releaseLease, renewLease } from "../runs/queue.ts";
import { emptyEvents, type FoundInEvents } from "./erased-events.ts";
import { emptyFiles, type FoundInFiles } from "./erased-files.ts";
import { emptyPages, type FoundInPages } from "./erased-pages.ts";
import { emptyRuns, type FoundInRuns } from "./erased-runs.ts";
import { blankUser, forgetUser } from "./erased-user.ts";
import { forgetLeaver } from "./leavers.ts";
import { type Erasure, recordErasure } from "./erasures.ts";
import type { EraseStep } from "./places.ts";
import type { User } from "./users.ts";

/** Keeps runs of the organization from beginning; null while one is at work, or another process holds the lease. */
export async function holdOrganization(db: Database, organizationId: number, owner: string): Promise<Lease | null> {
  const isIdle = sql`not exists (select 1 from runs where organization_id = ${organizationId}
    and status in ('planning', 'applying'))`;
  return await claimOrganization(db, organizationId, { name: owner }, null, isIdle);
}

/** Fails when another process has the lease by now (isFenced). */
export async function renewHold(db: Database, hold: Lease): Promise<void> {
  await db.write(renewLease(db, hold));
}

/** Fails like `renewHold`. */
export async function releaseOrganization(db: Database, hold: Lease): Promise<void> {
  await db.write([releaseLease(db, hold)]);
}

/** What is to be emptied. */
export interface Found {
  readonly pages: FoundInPages;
  readonly runs: FoundInRuns;
  readonly events: FoundInEvents;
  readonly files: FoundInFiles;
  /** Statements that empty free text which names the person (erased-words.ts). */
  readonly words: readonly Statement[];
  /** How many changes of the person had values. */
  readonly changes: number;
  /** Connections whose inputs may hold the person. */
  readonly connections: readonly number[];
  /** Every text that may name the person. */
  readonly names: readonly string[];
  /** Statements that remove the person from the names of held runs. */
  readonly waiting: readonly Statement[];
  /** The record of an earlier erasure of the same person; null: this is the first. */
  readonly erasure: Erasure | null;
  /** Names of connectors that a bridge speaks for, and the bridges that may have files of the organization. */
  readonly bridged: readonly string[];
  readonly bridges: readonly number[];
}

/** The text that replaces what was erased. */
export const ERASED = "This text was erased together with a person";

/** Empties everything that was found; false, and nothing is written, when something has changed since then. */
export async function eraseFound(
  db: Database,
  hold: Lease,
  user: User,
  dataVersion: number,
  found: Found,
  now: number,
  by: By,
): Promise<boolean> {
  const { id: userId, organizationId } = user;
  const { connections } = found;
  // In this order. Each place of a person has its step (places.ts).
  const steps: Record<EraseStep, readonly Statement[]> = {
    changes: emptyPages(db, { organizationId, userId }, found.pages),
    runs: emptyRuns(db, { organizationId, dataVersion }, found.runs, ERASED),
    events: emptyEvents(db, { organizationId, userId }, found.events, connections, ERASED),
    files: emptyFiles(db, organizationId, connections, found.files),
    words: found.words,
    answers: [forgetReplies(db, organizationId), forgetAnswers(db, organizationId)],
    links: forgetUser(db, user, found.names),
    names: found.waiting,
    user: [...await blankUser(db, user, now), forgetLeaver(db, userId)],
  };
  const statements: Statement[] = [
    ...renewLease(db, hold),
    db.run(sql`select ${
      unlessMoved(sql`data_version = ${dataVersion}
        and exists (select 1 from users where id = ${userId} and version = ${user.version})`)
    } from organizations where id = ${organizationId}`),
    ...Object.values(steps).flat(),
    db.run(sql`update organizations set data_version = data_version + 1 where id = ${organizationId}`),
    ...recordFound(db, user, found, now),
    recordAudit(db, by, { organizationId, action: "user.erased", subjects: [encodeId("usr", userId)] }, now, sql`true`),
    releaseLease(db, hold),
  ];
  try {
    await db.write(statements);
    return true;
  } catch (error) {
    if (!hasMoved(error)) throw error;
    return false;
  }
}

function recordFound(db: Database, { id, organizationId }: User, found: Found, now: number): Statement[] {
  const counts = {
    changes: found.changes,
    report_rows: found.runs.issues.reduce((sum, { rows }) => sum + rows.length, 0),
    drops: found.files.drops.length,
    uploads: found.files.uploads.length,
  };
  const { connections, bridged, bridges } = found;
  return recordErasure(db, { organizationId, userId: id, counts, connections, bridged, bridges }, found.erasure, now);
}
