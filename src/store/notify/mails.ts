/** The outbox of mails: queued in the batch that causes them, leased while they are sent, stored for a month. */
import { and, eq, lt, ne, or, type SQL, sql } from "drizzle-orm";
import type { Turns } from "../../std/turns.ts";
import { type Database, insertIf, type Statement, writeNamed } from "../database.ts";
import { addToTally } from "../figures.ts";
import { type MAIL_TYPES, type MailFacts, mails } from "./schema-mails.ts";
import type { Holder } from "../lease.ts";
import { endLeases, keepSender } from "./senders.ts";
import { isOrAny, listLatest } from "../reads.ts";
import { isStored, matches } from "../unchanged.ts";

export type Mail = typeof mails.$inferSelect;

export interface NewMail {
  /** Reserved by the caller. */
  readonly id: number;
  readonly organizationId: number;
  readonly connectionId: number | null;
  readonly runId: number | null;
  readonly type: (typeof MAIL_TYPES)[number];
  readonly facts: MailFacts;
}

/** The statement that queues a mail, if `condition` holds when it runs. */
export function queueMail(db: Database, mail: NewMail, now: number, condition: SQL = sql`1`): Statement {
  return db.run(insertIf(mails, { ...mail, dueAt: now, createdAt: now }, condition));
}

/** True in SQL until a mail about this file, left since then, was queued. */
export function isNotMailed({ connectionId, file, since }: { connectionId: number; file: string; since: number }): SQL {
  return sql`not exists (select 1 from ${mails} where connection_id = ${connectionId} and type = 'file.not_used'
    and facts ->> '$.notUsed.file' = ${file} and facts ->> '$.notUsed.since' = ${since})`;
}

/** True in SQL while fewer than `most` test mails of the organization were queued after this moment. */
export function mayTestAgain(organizationId: number, after: number, most: number): SQL {
  return sql`(select count(*) from ${mails} where organization_id = ${organizationId} and type = 'contact.test'
    and created_at > ${after}) < ${most}`;
}

/**
 * Claims up to `limit` due mails, of organizations in the order of `turns`, and counts the attempt. No other process takes
 * them while the sender's lease lasts (senders.ts). The sender must have settled what it claimed before.
 */
export async function claimMails(
  db: Database,
  now: number,
  { sender, limit, turns }: { sender: Holder; limit: number; turns: Turns },
): Promise<Mail[]> {
  const claimants = sql`select distinct sender as name from mails where status = 'queued' and sender is not null`;
  await endLeases(
    db,
    claimants,
    sender,
    (isTheirs) => db.orm.update(mails).set({ sender: null }).where(sql`${isTheirs} and status = 'queued'`),
  );
  // What is claimed already is a claim whose answer was lost.
  const isDue = sql`status = 'queued' and due_at <= ${now} and (sender is null or sender = ${sender.name})`;
  // A read does not wait for the write gate; a write does.
  const due = await db.rows<[number]>(
    sql`select organization_id from mails where ${isDue} group by organization_id order by min(due_at), min(id)`,
  );
  if (due.length === 0) {
    turns.forget();
    return [];
  }
  const order = JSON.stringify(turns.order(due, ([organizationId]) => organizationId).flat());
  // The first of each organization before the second of any.
  const chosen = sql`select m.id from (select id, organization_id, due_at,
      row_number() over (partition by organization_id order by due_at, id) as place from mails where ${isDue}) m
    left join json_each(${order}) o on o.value = m.organization_id
    order by m.place, o.key is null, o.key, m.due_at, m.id limit ${limit}`;
  const { changed } = await writeNamed(db, {
    sender: keepSender(db, sender),
    changed: db.orm.update(mails).set({
      attempts: sql`${mails.attempts} + 1`,
      epoch: sql`${mails.epoch} + 1`,
      sender: sender.name,
    }).where(sql`${mails.id} in (${chosen})`).returning(),
  });
  for (const { organizationId } of changed) turns.took(organizationId, 1);
  return [...changed].sort((a, b) => a.id - b.id);
}

/** True in SQL for other tables while the claim is the mail's last one, and the mail is not settled. */
export function isStillClaimed({ id, epoch }: Mail): SQL {
  return isStored(mails, { id, epoch, status: "queued" });
}

/** Writes the outcome of an attempt; an end is counted. Does nothing when the mail was claimed again since. */
export async function settleMail(
  db: Database,
  mail: Mail,
  values: Partial<Pick<Mail, "status" | "dueAt" | "lastError" | "sentAt" | "attempts">>,
): Promise<void> {
  await db.write([
    ...(values.status === undefined ? [] : [
      addToTally(db, "muster_mails_total", values.status, 1, isStillClaimed(mail)),
    ]),
    db.orm.update(mails).set({ ...values, sender: null })
      .where(matches(mails, { id: mail.id, epoch: mail.epoch, status: "queued" })),
  ]);
}

/** As listLatest. */
export function listMails(
  db: Database,
  organizationId: number,
  filter: { status: Mail["status"] | null },
  page: { before: number | null; limit: number },
): Promise<Mail[]> {
  return listLatest(db, mails, organizationId, isOrAny(mails.status, filter.status), page);
}

/**
 * The statement that deletes mails that were queued before `until`, sent or not; and those that an address asked for to sign
 * in, once they are settled.
 */
export function forgetMails(db: Database, until: number): Statement {
  const isOver = and(eq(mails.type, "member.sign_in"), ne(mails.status, "queued"));
  return db.orm.delete(mails).where(or(lt(mails.createdAt, until), isOver));
}
