/** Runs whose inputs together are one full input: its parts. */
import { and, eq, sql } from "drizzle-orm";
import type { Database, Statement } from "../database.ts";
import type { Run } from "./runs.ts";
import { runs } from "./schema.ts";

/** A part whose run has ended; a part that a newer version has taken the place of is none. */
export type EndedPart = Pick<Run, "id" | "status" | "figures">;

/** The parts of the full input that begins with run `first` that have ended, oldest first. */
export async function listEndedParts(db: Database, { organizationId, id }: Run, first: number): Promise<EndedPart[]> {
  return await db.orm.select({ id: runs.id, status: runs.status, figures: runs.figures }).from(runs).where(and(
    eq(runs.organizationId, organizationId),
    sql`(${runs.partOf} = ${first} or ${runs.id} = ${first}) and ${runs.id} <> ${id}
      and ${runs.status} in ('succeeded', 'partial', 'failed', 'cancelled', 'skipped')`,
  )).orderBy(runs.id);
}

/**
 * Makes the runs that follow a part parts of the same full input, if it is being applied, has failed, or was cancelled for
 * what it would change: then that full input is not whole. Cancelled where the question was whether the files belong together,
 * it leaves the others to themselves.
 */
export function joinFollowing(db: Database, { id, organizationId }: Pick<Run, "id" | "organizationId">): Statement {
  return db.run(sql`update runs set part_of = p.part_of from (select part_of, parts from runs
      where id = ${id} and organization_id = ${organizationId} and parts is not null and (status in ('applying', 'failed')
        or (status = 'cancelled' and not exists
          (select 1 from json_each(held_by) held where held.value ->> 'guard' = 'parts')))) p
    where runs.id in (select value from json_each(p.parts)) and runs.organization_id = ${organizationId}
      and runs.status = 'queued'`);
}

/** Lets the runs that follow a held part wait for it, also those that came before it. */
export function holdFollowing(db: Database, { id, organizationId }: Pick<Run, "id" | "organizationId">): Statement {
  return db.run(sql`update runs set waits_for = ${id} where organization_id = ${organizationId} and status = 'queued'
    and id in (select j.value from runs h, json_each(h.parts) j where h.id = ${id} and h.status = 'held')`);
}

/** Lets a newer version of a part take its place. */
export function takePlaceOfPart(db: Database, { organizationId, partOf }: Run, by: number): Statement[] {
  if (partOf === null) return [];
  return [
    db.run(sql`update runs set part_of = ${partOf} where id = ${by} and organization_id = ${organizationId}
      and status = 'queued'`),
  ];
}
