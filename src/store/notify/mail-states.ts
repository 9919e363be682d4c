/** What was mailed to the technical contact about each feed, and whether there is a contact. */
import { and, eq, sql } from "drizzle-orm";
import { type Feed, type Hold, WELL } from "../../model/mail-rules.ts";
import type { Database, Statement } from "../database.ts";
import type { Run } from "../runs/runs.ts";
import type { RunStatus } from "../../model/run.ts";
import { contactInSql } from "./contacts.ts";
import { mailStates } from "./schema-mails.ts";
import { connections } from "../connections/schema.ts";
import { first } from "../reads.ts";
import { runs } from "../runs/schema.ts";
import { organizations } from "../schema.ts";

export interface MailState {
  readonly feed: Feed;
  readonly hold: Hold | null;
  /** The status of the held run in `hold`; null: there is no such run. */
  readonly holdStatus: RunStatus | null;
}

/** The connector of the run's connection, if there is a technical contact; else null. */
export async function connectorToTellOf(db: Database, run: Run): Promise<string | null> {
  const feed = await loadFeed(db, run);
  return feed?.contact == null ? null : feed.connector;
}

/** The connector of the run's connection, if there is no technical contact; else null. */
export async function connectorWithoutContact(db: Database, run: Run): Promise<string | null> {
  const feed = await loadFeed(db, run);
  return feed === null || feed.contact !== null ? null : feed.connector;
}

async function loadFeed(db: Database, run: Run): Promise<{ connector: string; contact: string | null } | null> {
  return await first(
    db.orm.select({ connector: connections.connector, contact: contactInSql() }).from(connections)
      .innerJoin(organizations, eq(organizations.id, connections.organizationId))
      .where(and(eq(connections.id, run.connectionId), eq(connections.organizationId, run.organizationId))),
  );
}

export async function loadMailState(db: Database, run: Run): Promise<MailState> {
  const [row] = await db.orm.select({ feed: mailStates.feed, hold: mailStates.hold, holdStatus: runs.status })
    .from(mailStates).leftJoin(runs, sql`${runs.id} = ${mailStates.hold} ->> '$.runId'`)
    .where(and(eq(mailStates.connectionId, run.connectionId), eq(mailStates.entity, run.entity)));
  return row ?? { feed: WELL, hold: null, holdStatus: null };
}

export function saveMailState(db: Database, run: Run, state: Pick<MailState, "feed" | "hold">): Statement {
  const { feed, hold } = state;
  return db.orm.insert(mailStates).values({
    connectionId: run.connectionId,
    entity: run.entity,
    organizationId: run.organizationId,
    feed,
    hold,
  }).onConflictDoUpdate({ target: [mailStates.connectionId, mailStates.entity], set: { feed, hold } });
}

export interface StandingHold {
  readonly hold: Hold;
  readonly organizationId: number;
  readonly connectionId: number;
  readonly entity: Run["entity"];
  readonly heldBy: Run["heldBy"];
}

/** Runs that are still held and were mailed about, with the guards that hold them now. */
export async function listStandingHolds(db: Database): Promise<StandingHold[]> {
  const rows = await db.orm.select({
    hold: mailStates.hold,
    organizationId: mailStates.organizationId,
    connectionId: mailStates.connectionId,
    entity: mailStates.entity,
    heldBy: runs.heldBy,
  }).from(mailStates).innerJoin(runs, sql`${runs.id} = ${mailStates.hold} ->> '$.runId'`)
    .where(and(eq(runs.status, "held"), eq(runs.organizationId, mailStates.organizationId)));
  return rows.map((row) => ({ ...row, hold: row.hold! }));
}

/** True in SQL while the hold is as it was read: no other process has mailed about it again. */
export function holdIsStill({ connectionId, entity, hold }: StandingHold) {
  return sql`exists (select 1 from ${mailStates} where connection_id = ${connectionId} and entity = ${entity}
    and hold ->> '$.runId' = ${hold.runId} and hold ->> '$.mailedAt' = ${hold.mailedAt})`;
}

export function saveHold(db: Database, standing: StandingHold, hold: Hold): Statement {
  return db.orm.update(mailStates).set({ hold }).where(and(
    eq(mailStates.connectionId, standing.connectionId),
    eq(mailStates.entity, standing.entity),
    holdIsStill(standing),
  ));
}
