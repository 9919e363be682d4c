/**
 * Deletes an organization's history from before an instant: changes, plans and reports, and what runs quote of their
 * inputs. Runs stay with their numbers, and the audit stays. A little at a time, each step a batch of its own, so that
 * other writers wait briefly and it may be killed anywhere.
 */
import { type SQL, sql } from "drizzle-orm";
import { type Database, setOf, type Statement } from "../database.ts";

/** Pages in one batch: some megabytes. */
const PAGES = 20;
const RUNS = 500;

const DELETED = "This text was deleted with the organization's old history";

export interface OldHistory {
  readonly organizationId: number;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** True in SQL for runs `r` that ended before it, and that no open run is about to revert. */
function isOld({ organizationId, until }: OldHistory): SQL {
  return sql`r.organization_id = ${organizationId} and r.finished_at < ${until} and not exists (select 1 from runs v
    where v.status in ('queued', 'planning', 'applying', 'planned', 'held') and v.reverts_run = r.id)`;
}

/** True in SQL for runs `r` whose row has words of their input. */
const HAS_WORDS = sql`(coalesce(r.error ->> '$.message', ${DELETED}) <> ${DELETED}
  or json_array_length(coalesce(r.input, '{}'), '$.columns') > 0)`;

/** Changes by hand that are old. */
function handPages({ organizationId, until }: OldHistory): SQL {
  return sql`from change_pages where organization_id = ${organizationId} and seq is not null and +run_id is null
    and applied_at < ${until}`;
}

/** The instant of the oldest history that is stored, in milliseconds since 1970; null: there is none. */
export async function findOldest(db: Database, organizationId: number): Promise<number | null> {
  const all = { organizationId, until: Number.MAX_SAFE_INTEGER };
  const [row] = await db.rows<[number | null]>(sql`select min(at) from (
    select min(r.finished_at) as at from runs r where ${isOld(all)} and (${HAS_WORDS}
      or exists (select 1 from change_pages where run_id = r.id) or exists (select 1 from issue_pages where run_id = r.id))
    union all select min(applied_at) ${handPages(all)})`);
  return row![0];
}

/** Deletes some of it; false: nothing is left. */
export async function deleteSome(db: Database, old: OldHistory): Promise<boolean> {
  for (const step of [somePages, someReports, someWords]) {
    const statements = await step(db, old);
    if (statements.length === 0) continue;
    await db.write(statements);
    return true;
  }
  return false;
}

async function somePages(db: Database, old: OldHistory): Promise<Statement[]> {
  const ids = (await db.rows<[number]>(sql`select * from (
    select p.id from runs r join change_pages p on p.run_id = r.id where ${isOld(old)}
    union all select id ${handPages(old)}) limit ${PAGES}`)).flat();
  if (ids.length === 0) return [];
  return [
    db.run(sql`delete from page_bodies where page_id in ${setOf(ids)}`),
    db.run(sql`delete from page_managers where page_id in ${setOf(ids)}`),
    db.run(sql`delete from change_pages where id in ${setOf(ids)}`),
  ];
}

async function someReports(db: Database, old: OldHistory): Promise<Statement[]> {
  const ids = (await db.rows<[number]>(sql`select i.rowid from runs r join issue_pages i on i.run_id = r.id
    where ${isOld(old)} limit ${PAGES}`)).flat();
  return ids.length === 0 ? [] : [db.run(sql`delete from issue_pages where rowid in ${setOf(ids)}`)];
}

/** Also of fetches, which list what they read and what was wrong with it. */
async function someWords(db: Database, old: OldHistory): Promise<Statement[]> {
  const ids = (await db.rows<[number]>(sql`select r.id from runs r where ${isOld(old)} and ${HAS_WORDS} limit ${RUNS}`))
    .flat();
  if (ids.length === 0) return [];
  return [
    db.run(sql`update runs set error = iif(error is null, null, json_set(error, '$.message', ${DELETED})),
      input = iif(input is null, null, json_set(input, '$.columns', json('[]'))),
      figures = iif(figures is null, null, json_set(figures, '$.layout', null)) where id in ${setOf(ids)}`),
    db.run(sql`update fetches set error = null, warnings = '[]', checkpoint = null, origins = '[]'
      where ended_at is not null and run_id in ${setOf(ids)}`),
  ];
}
