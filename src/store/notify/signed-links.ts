/** What is stored of signed links: that they were opened, and which were revoked, up to an instant. */
import { and, eq, inArray, lt, max, sql } from "drizzle-orm";
import type { By } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import { recordAudit } from "../audit.ts";
import type { Database, Statement } from "../database.ts";
import { auditEntries } from "../schema-audit.ts";
import { deleteLinks } from "./run-links.ts";
import { events } from "./schema-events.ts";
import { linkRevocations } from "./schema-links.ts";
import { mails } from "./schema-mails.ts";

/** Several loads of a page within this time count as one opening. */
const OPENING_MS = 60_000;

/** Records that a link of the run was opened; `by` has the kind of link and the address, `link` is the stored one. */
export async function recordOpening(
  db: Database,
  by: By,
  run: { readonly id: number; readonly organizationId: number },
  link: number | undefined,
  now: number,
): Promise<void> {
  const subjects = [encodeId("run", run.id), ...(link === undefined ? [] : [encodeId("lnk", link)])];
  const again = sql`exists (select 1 from ${auditEntries} where organization_id = ${run.organizationId}
    and at > ${now - OPENING_MS} and action = 'link.opened' and actor_id = ${by.id} and address is ${by.address}
    and subjects = ${JSON.stringify(subjects)})`;
  if ((await db.rows(sql`select 1 where ${again}`)).length > 0) return;
  const note = { action: "link.opened", subjects, organizationId: run.organizationId } as const;
  await db.write([recordAudit(db, by, note, now, sql`not ${again}`)]);
}

/**
 * Revokes every link of the run that was made so far; of all runs when `runId` is null. Links of later messages are valid.
 *
 * Messages of another process may have the time of a clock that is ahead of `now`. So links are revoked up to the latest
 * message that is stored: which ones are revoked depends on no clock.
 */
export async function revokeLinks(
  db: Database,
  organizationId: number,
  runId: number | null,
  now: number,
  by: By,
): Promise<void> {
  const latest = (table: typeof events | typeof mails) =>
    sql`coalesce((select max(created_at) from ${table} where organization_id = ${organizationId}
      and (${runId} is null or run_id = ${runId})), 0)`;
  const before = sql`max(${now}, ${latest(events)}, ${latest(mails)})`;
  const revocation: Statement = db.orm.insert(linkRevocations).values({
    organizationId,
    runId: runId ?? 0,
    before,
  } as never).onConflictDoUpdate({
    target: [linkRevocations.organizationId, linkRevocations.runId],
    set: { before: sql`max(${linkRevocations.before}, excluded.before)` },
  });
  const subjects = [runId === null ? encodeId("org", organizationId) : encodeId("run", runId)];
  await db.write([
    deleteLinks(db, organizationId, runId),
    revocation,
    recordAudit(db, by, { action: "link.revoked", subjects, organizationId }, now),
  ]);
}

/** Whether a link of the run that was made at `mintedAt` is revoked. */
export async function isRevoked(
  db: Database,
  organizationId: number,
  runId: number,
  mintedAt: number,
): Promise<boolean> {
  const [row] = await db.orm.select({ before: max(linkRevocations.before) }).from(linkRevocations)
    .where(and(eq(linkRevocations.organizationId, organizationId), inArray(linkRevocations.runId, [0, runId])));
  return row?.before != null && mintedAt <= row.before;
}

/** The statement that deletes revocations from before `until`, whose links have all expired. */
export function forgetRevocations(db: Database, until: number): Statement {
  return db.orm.delete(linkRevocations).where(lt(linkRevocations.before, until));
}
