/**
 * Whom held and waiting runs are about, where records come one by one: what is about others goes on, and what is about the
 * same people waits.
 *
 * Runs with names keep their order for each name: by number, a run that repeats what an earlier one could not apply first.
 * A run without names is new, and comes after all of them.
 */
import { and, asc, eq, inArray, sql } from "drizzle-orm";
import { type Database, setOf, type Statement } from "../database.ts";
import type { Run } from "./runs.ts";
import { runNames, runs } from "./schema.ts";

/** The name of everybody, for runs with too many people to name. */
export const EVERYBODY = "*";
/** The most rows whose people are named. */
export const MAX_ROWS_NAMED = 5_000;
/** The largest input whose people are compared with those of other runs. */
export const MAX_PASSING_BYTES = 32 * 1024 * 1024;
/** In SQL: the run `r` may go past a held run as far as it is about others. */
export const MAY_PASS = sql`exists (select 1 from drops d where d.id = r.drop_id and d.bytes <= ${MAX_PASSING_BYTES})`;

const IS_OPEN = sql.raw("h.status in ('queued', 'planning', 'applying', 'held')");

/** In SQL: the run `h`, which has names, comes before the run `r`, which has some too, and has not ended. */
const IS_AHEAD = sql.raw(`(h.status = 'held' or (h.status in ('queued', 'planning', 'applying')
  and (h.trigger <> 'retry', h.id) < (r.trigger <> 'retry', r.id)))`);

/** In SQL: the run `r` is about somebody whom an earlier run is about. False for runs without names. */
export const WAITS_FOR_PEOPLE = sql`exists (select 1 from run_names a join run_names b
    on b.connection_id = a.connection_id and b.run_id <> a.run_id
      and (b.name = a.name or b.name = ${EVERYBODY} or a.name = ${EVERYBODY})
    join runs h on h.id = b.run_id where a.run_id = r.id and ${IS_AHEAD})`;

/** In SQL: the held run `h` stops only the people whom it names. */
export const HAS_NAMES = sql.raw("exists (select 1 from run_names n where n.run_id = h.id)");

export async function hasNames(db: Database, { id: runId }: Pick<Run, "id">): Promise<boolean> {
  const found = await db.orm.select({ runId: runNames.runId }).from(runNames).where(eq(runNames.runId, runId)).limit(1);
  return found.length > 0;
}

/** The runs ahead of this one, by the names of theirs that are among `names`: of several the first. */
export async function findAhead(
  db: Database,
  run: Run,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await db.rows<[string, number]>(sql`select n.name, n.run_id ${runsAhead(run)}
    and (n.name in ${setOf(names)} or n.name = ${EVERYBODY}) order by h.trigger = 'retry', n.run_id desc`);
  return new Map(rows);
}

/** Whether there is any run ahead of this one. */
export async function isAnyAhead(db: Database, run: Run): Promise<boolean> {
  return (await db.rows(sql`select 1 ${runsAhead(run)} limit 1`)).length > 0;
}

function runsAhead({ id, organizationId, connectionId }: Run) {
  return sql`from run_names n join runs h on h.id = n.run_id join runs r on r.id = ${id}
    where n.organization_id = ${organizationId} and n.connection_id = ${connectionId} and h.id <> r.id
      and case when exists (select 1 from run_names o where o.run_id = r.id) then ${IS_AHEAD} else ${IS_OPEN} end`;
}

/** Held runs of the connection that stop only the people in them, and those that are planned again, oldest first. */
export async function listHeldWithNames(db: Database, { organizationId, connectionId }: Run): Promise<Run[]> {
  return await db.orm.select().from(runs).where(and(
    eq(runs.organizationId, organizationId),
    eq(runs.connectionId, connectionId),
    inArray(runs.status, ["held", "queued"]),
    sql`${runs.heldBy} <> '[]' and exists (select 1 from run_names n where n.run_id = ${runs.id})`,
  )).orderBy(asc(runs.id));
}

type Named = Pick<Run, "id" | "organizationId" | "connectionId">;

/** The statements that give the run these names and no others. */
export function setNames(db: Database, run: Named, names: readonly string[]): Statement[] {
  return [db.orm.delete(runNames).where(eq(runNames.runId, run.id)), addNames(db, run, names)];
}

/** The statement that gives the run these names beside those it has. */
export function addNames(
  db: Database,
  { id, organizationId, connectionId }: Named,
  names: readonly string[],
): Statement {
  return db.run(sql`insert or ignore into run_names (organization_id, connection_id, run_id, name)
    select ${organizationId}, ${connectionId}, ${id}, value from json_each(${JSON.stringify(names)})`);
}

/** The statement that gives the names of a run to the one that repeats a part of it. */
export function passNames(db: Database, from: Named, runId: number): Statement {
  const { id, organizationId } = from;
  return db.orm.update(runNames).set({ runId }).where(
    and(eq(runNames.runId, id), eq(runNames.organizationId, organizationId)),
  );
}

/** The statement that deletes the names of runs that have ended. */
export function forgetNames(db: Database): Statement {
  return db.run(sql`delete from run_names where run_id not in (select id from runs h where ${IS_OPEN})`);
}
