/**
 * What a restored database needs before a hub runs on it: numbers that were never given out, leases that nobody holds, and
 * a mark that its history was cut.
 */
import { sql } from "drizzle-orm";
import type { By } from "../model/audit.ts";
import { type Database, setOf, type Statement } from "./database.ts";
import { auditEntries } from "./schema-audit.ts";
import { hubMarks } from "./schema.ts";
import { type SequenceName, SEQUENCES } from "./sequences.ts";

export interface HubMarks {
  /** Made with the database, and the same in every copy of it. */
  readonly hubId: string;
  /** Milliseconds since 1970; null: no backup was ever restored. */
  readonly restoredAt: number | null;
  readonly backupAt: number | null;
}

export async function loadMarks(db: Database): Promise<HubMarks> {
  const [row] = await db.orm.select().from(hubMarks);
  if (row === undefined) throw new Error("The table hub_marks is empty");
  return row;
}

/** What would be sent by a hub that starts on this database. */
export interface Waiting {
  /** Pending webhook deliveries, and events that have none yet. */
  readonly deliveries: number;
  readonly mails: number;
}

export async function countWaiting(db: Database): Promise<Waiting> {
  const [row] = await db.rows<[number, number, number]>(sql`select
    (select count(*) from deliveries where status = 'pending'),
    (select count(*) from webhook_endpoints p join events e on e.id > p.seen_event
      and (p.organization_id = 0 or p.organization_id = e.organization_id)
      where p.status = 'enabled' and (p.event_types is null or e.type in (select value from json_each(p.event_types)))),
    (select count(*) from mails where status = 'queued')`);
  return { deliveries: row![0] + row![1], mails: row![2] };
}

/** The first second that is counted, 2026-01-01. */
const EPOCH_MS = 1_767_225_600_000;

/**
 * No hub gives out more numbers than this a second, over all the time since EPOCH_MS or since a restore: about a million;
 * two runs. A run's number has at most 31 bits, as its issues are numbered within it (runs/issues.ts).
 */
const paceOf = (name: SequenceName): number => name === "run" ? 2 : 2 ** 20;
/** Added in any case, for what the machine's clock does not tell. */
const stepOf = (name: SequenceName): number => name === "run" ? 2 ** 16 : 2 ** 30;

/**
 * The next number of a sequence after a restore. `known`: the highest next number that any copy is known to have. Two
 * restores in one second may give the same: see countedOver.
 */
export function nextAfterRestore(name: SequenceName, known: number, now: number): number {
  return Math.max(known, countedSeconds(now) * paceOf(name)) + stepOf(name);
}

/** Those that have begun since EPOCH_MS. */
function countedSeconds(now: number): number {
  return Math.max(0, Math.floor((now - EPOCH_MS) / 1000) + 1);
}

/** When a restore that began at `now` shares its second with no later one: milliseconds since 1970. */
export function countedOver(now: number): number {
  return EPOCH_MS + countedSeconds(now) * 1000;
}

export interface Restoring {
  /** When the backup was made. */
  readonly backupAt: number;
  /** Next numbers of the database that is replaced, by sequence; empty: there is none, or it cannot be read. */
  readonly replaced: ReadonlyMap<string, number>;
  readonly waiting: "send" | "drop";
}

/** Next numbers by sequence. */
export async function loadSequences(db: Pick<Database, "rows">): Promise<Map<string, number>> {
  return new Map(await db.rows<[string, number]>(sql`select name, next from sequences`));
}

/** Makes the database ready, in one write. Safe to repeat. */
export async function markRestored(db: Database, restoring: Restoring, now: number, by: By): Promise<void> {
  const { backupAt, replaced, waiting } = restoring;
  const stored = await loadSequences(db);
  // A clock that was set back must not give numbers again.
  const at = Math.max(now, backupAt);
  const next = SEQUENCES.map((name) => [
    name,
    nextAfterRestore(name, Math.max(stored.get(name) ?? 1, replaced.get(name) ?? 1), at),
  ]);
  await db.write([
    db.run(
      sql`insert into sequences (name, next) select value ->> 0, value ->> 1 from json_each(${JSON.stringify(next)})
      where 1 on conflict (name) do update set next = excluded.next`,
    ),
    db.run(sql`update organizations set lease_run = null, lease_owner = null, lease_until = null`),
    db.run(sql`update deliveries set sender = null, due_at = min(due_at, ${now}) where sender is not null`),
    db.run(sql`update mails set sender = null, due_at = min(due_at, ${now}) where sender is not null`),
    ...waiting === "drop" ? dropWaiting(db, now) : [],
    db.orm.update(hubMarks).set({ restoredAt: now, backupAt }),
    // In every organization: each has an admin who reads only its own audit.
    db.run(sql`insert into ${auditEntries} (organization_id, seq, at, actor_kind, actor_id, action, subjects)
      select o.id, 1 + coalesce((select max(seq) from ${auditEntries} where organization_id = o.id), 0), ${now},
        ${by.kind}, ${by.id}, 'hub.restored', '[]' from organizations o`),
  ]);
}

function dropWaiting(db: Database, now: number): Statement[] {
  return [
    db.run(sql`update deliveries set status = 'failed', finished_at = ${now}, sender = null where status = 'pending'`),
    db.run(sql`update webhook_endpoints set seen_event = max(seen_event, coalesce((select max(id) from events), 0))`),
    db.run(sql`update mails set status = 'dropped', sender = null where status = 'queued'`),
  ];
}

/** Those of the users that are stored and not erased. */
export async function listToErase(
  db: Database,
  userIds: readonly number[],
): Promise<{ userId: number; organizationId: number }[]> {
  const rows = await db.rows<[number, number]>(sql`select id, organization_id from users where id in ${setOf(userIds)}
    and id not in (select user_id from erasures) order by organization_id, id`);
  return rows.map(([userId, organizationId]) => ({ userId, organizationId }));
}

/** Ids of everybody who was erased. */
export async function listErased(db: Pick<Database, "rows">): Promise<number[]> {
  return (await db.rows<[number]>(sql`select user_id from erasures order by erased_at, user_id`)).map(([id]) => id);
}
