/**
 * The audit as stored: who did what, written in the same batch as the action itself, and a chain of hashes over it.
 *
 * An entry takes its number in that batch, so the numbers are in the order of the writes. Its hash is written a moment
 * later: SQL has no SHA-256, and a hash computed before the batch would be wrong as soon as two processes write. Hashes
 * depend on the entries alone, so any number of processes may seal and write the same ones.
 */
import { toHex } from "../std/hex.ts";
import { sha256 } from "@noble/hashes/sha2.js";
import { and, desc, eq, gt, gte, lt, lte, type SQL, sql } from "drizzle-orm";
import type { AuditAction, By } from "../model/audit.ts";
import type { Database, Statement } from "./database.ts";
import { isOrAny } from "./reads.ts";
import { auditEntries, auditSeals } from "./schema-audit.ts";
import { organizations } from "./schema.ts";

export type AuditEntry = typeof auditEntries.$inferSelect;

export interface AuditNote {
  readonly action: AuditAction;
  /** Public ids, the changed thing first. Never a value. */
  readonly subjects: readonly string[];
  /** SQL if it is only known within the batch. */
  readonly organizationId: number | SQL;
}

/** True in SQL when the statement just before in the batch has changed a row. */
const BEFORE_CHANGED: SQL = sql`changes() > 0`;

/**
 * The statement that records an action, if the statement just before it in the batch changed a row; or, with a
 * `condition`, if that holds when it runs.
 */
export function recordAudit(
  db: Database,
  by: By,
  note: AuditNote,
  now: number,
  condition: SQL = BEFORE_CHANGED,
): Statement {
  return db.run(sql`
    insert into ${auditEntries}
      (organization_id, seq, at, actor_kind, actor_id, actor_name, action, subjects, request_id, address)
    select o.id, 1 + coalesce((select max(seq) from ${auditEntries} where organization_id = o.id), 0), ${now},
      ${by.kind}, ${by.id}, ${by.name}, ${note.action}, ${JSON.stringify(note.subjects)}, ${by.requestId}, ${by.address}
    from (select ${note.organizationId} as id) o where o.id is not null and ${condition}`);
}

/** The organization that every hub has: actions on the hub itself are recorded there. */
export const DEFAULT_ORGANIZATION: SQL = sql`(select id from ${organizations} where slug = 'default')`;

/** Records that a stored token was refused; at most once in `everyMs` for each token. */
export async function recordRefusal(
  db: Database,
  by: By,
  note: Omit<AuditNote, "action"> & { readonly organizationId: number },
  now: number,
  everyMs: number,
): Promise<void> {
  const again = sql`exists (select 1 from ${auditEntries} where organization_id = ${note.organizationId}
    and at > ${now - everyMs} and action = 'token.refused' and actor_id = ${by.id})`;
  const gone = sql`not exists (select 1 from ${organizations} where id = ${note.organizationId})`;
  await db.write([
    recordAudit(db, by, { ...note, action: "token.refused" }, now, sql`not ${again} and not ${gone}`),
  ]);
}

/** Null: any. */
export interface AuditFilter {
  readonly since: number | null;
  readonly until: number | null;
  readonly action: string | null;
  readonly subject: string | null;
  /** Id, name or kind of who did it. */
  readonly actor: string | null;
}

/** Youngest first; at most `limit` of those before `before` (null: from the youngest). */
export async function listAudit(
  db: Database,
  organizationId: number,
  filter: AuditFilter,
  page: { before: number | null; limit: number },
): Promise<(AuditEntry & { hash: string | null })[]> {
  const rows = await db.orm.select({ entry: auditEntries, hash: auditSeals.hash }).from(auditEntries)
    .leftJoin(
      auditSeals,
      and(eq(auditSeals.organizationId, auditEntries.organizationId), eq(auditSeals.seq, auditEntries.seq)),
    )
    .where(and(
      eq(auditEntries.organizationId, organizationId),
      page.before === null ? undefined : lt(auditEntries.seq, page.before),
      filter.since === null ? undefined : gte(auditEntries.at, filter.since),
      filter.until === null ? undefined : lt(auditEntries.at, filter.until),
      isOrAny(auditEntries.action, filter.action as AuditAction | null),
      filter.subject === null ? undefined : sql`instr(${auditEntries.subjects}, ${JSON.stringify(filter.subject)}) > 0`,
      filter.actor === null
        ? undefined
        : sql`${filter.actor} in (${auditEntries.actorId}, ${auditEntries.actorName}, ${auditEntries.actorKind})`,
    )).orderBy(desc(auditEntries.seq)).limit(page.limit);
  return rows.map(({ entry, hash }) => ({ ...entry, hash }));
}

/** The hash before the first entry. */
const BEGINNING = "0".repeat(64);
const PAGE = 500;

/** Hash of an entry: SHA-256 over the hash before it, a line break, and the entry as a JSON array. Hex. */
export function hashEntry(before: string, entry: AuditEntry): string {
  const { organizationId, seq, at, actorKind, actorId, actorName, action, subjects, requestId, address } = entry;
  const row = [organizationId, seq, at, actorKind, actorId, actorName, action, subjects, requestId, address];
  return toHex(sha256(new TextEncoder().encode(`${before}\n${JSON.stringify(row)}`)));
}

/** Continues the organization's chain to its last entry. Several processes may do so at once. */
export async function sealAudit(db: Database, organizationId: number): Promise<void> {
  for (;;) {
    const [last] = await db.orm.select().from(auditSeals).where(eq(auditSeals.organizationId, organizationId))
      .orderBy(desc(auditSeals.seq)).limit(1);
    const entries = await pageAfter(db, auditEntries, organizationId, last?.seq ?? 0);
    if (entries.length === 0) return;
    let hash = last?.hash ?? BEGINNING;
    const seals = entries.map((entry) => [entry.seq, hash = hashEntry(hash, entry)]);
    await db.write([
      db.run(sql`insert into ${auditSeals} (organization_id, seq, hash)
        select ${organizationId}, value ->> 0, value ->> 1 from json_each(${JSON.stringify(seals)}) j
        where value ->> 0 > coalesce((select max(seq) from ${auditSeals} where organization_id = ${organizationId}), 0)
          and exists (select 1 from ${organizations} where id = ${organizationId})
        order by j.key`),
    ]);
    if (entries.length < PAGE) return;
  }
}

/** Organizations with entries that are not in the chain yet. */
export async function listUnsealed(db: Database): Promise<number[]> {
  const rows = await db.rows<[number]>(sql`select id from ${organizations} o
    where coalesce((select max(seq) from ${auditEntries} where organization_id = o.id), 0)
      > coalesce((select max(seq) from ${auditSeals} where organization_id = o.id), 0)`);
  return rows.map(([id]) => id);
}

export interface Verification {
  /** How many entries, from the first, are as they were when they were sealed. */
  readonly rows: number;
  /** How many entries after those are not sealed yet. */
  readonly unsealed: number;
  /** The hash of the last verified entry; 64 zeros: there is none. */
  readonly head: string;
  /** The first entry that contradicts the chain. */
  readonly broken: { readonly seq: number; readonly what: string } | null;
}

/** Verifies the organization's chain from its beginning. `known`: an entry's hash as it was read some time ago. */
export async function verifyAudit(
  db: Database,
  organizationId: number,
  known: { seq: number; hash: string } | null = null,
): Promise<Verification> {
  const [ends] = await db.rows<[number, number]>(sql`select
    coalesce((select max(seq) from ${auditEntries} where organization_id = ${organizationId}), 0),
    coalesce((select max(seq) from ${auditSeals} where organization_id = ${organizationId}), 0)`);
  const [lastEntry, lastSeal] = ends!;
  let head = BEGINNING;
  const broken = (seq: number, what: string): Verification => ({
    rows: seq - 1,
    unsealed: Math.max(0, lastEntry - lastSeal),
    head,
    broken: { seq, what },
  });
  if (known !== null && known.seq > lastEntry) return broken(lastEntry + 1, "it is gone, and was there once");
  for (let after = 0; after < Math.max(lastEntry, lastSeal); after += PAGE) {
    const entries = new Map(
      (await pageAfter(db, auditEntries, organizationId, after)).map((entry) => [entry.seq, entry]),
    );
    const seals = new Map(
      (await pageAfter(db, auditSeals, organizationId, after)).map((seal) => [seal.seq, seal.hash]),
    );
    for (let seq = after + 1; seq <= Math.min(after + PAGE, Math.max(lastEntry, lastSeal)); seq++) {
      const entry = entries.get(seq);
      if (entry === undefined) return broken(seq, "it is gone");
      if (seq > lastSeal) continue;
      const hash = hashEntry(head, entry);
      const sealed = seals.get(seq);
      if (sealed === undefined) return broken(seq, "its hash is gone");
      if (sealed !== hash) return broken(seq, "it is not what was sealed");
      if (known?.seq === seq && known.hash !== hash) return broken(seq, "its hash is not the one known from before");
      head = hash;
    }
  }
  return { rows: Math.min(lastEntry, lastSeal), unsealed: Math.max(0, lastEntry - lastSeal), head, broken: null };
}

async function pageAfter<T extends typeof auditEntries | typeof auditSeals>(
  db: Database,
  table: T,
  organizationId: number,
  after: number,
): Promise<T["$inferSelect"][]> {
  return await db.orm.select().from(table as typeof auditEntries)
    .where(and(eq(table.organizationId, organizationId), gt(table.seq, after), lte(table.seq, after + PAGE)))
    .orderBy(table.seq);
}
