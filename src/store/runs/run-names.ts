/**
 * Whom held and waiting runs are about, where records come one by one: what is about others goes on, and what is about the
 * same people waits.
 *
 * Runs get names in the order in which they are looked at, and keep that place: for each name, they are applied in this
 * order. A run without names comes after all that have some.
 */
import { and, asc, eq, inArray, notInArray, type SQL, sql } from "drizzle-orm";
import { type Database, setOf, type Statement } from "../database.ts";
import { reserve } from "../sequences.ts";
import type { Run } from "./runs.ts";
import { runNames, runs } from "./schema.ts";

/** The name of everybody, for runs with too many people to name. */
export const EVERYBODY = "*";
/** The most rows whose people are named. */
export const MAX_ROWS_NAMED = 5_000;
/** The largest input whose people are compared with those of other runs. */
export const MAX_PASSING_BYTES = 32 * 1024 * 1024;

const OPEN = ["queued", "planning", "applying", "held"] as const;
const IS_OPEN = sql.raw(`h.status in (${OPEN.map((status) => `'${status}'`).join()})`);

/** In SQL: the run `r` may go past a held one as far as it is about others. */
export const MAY_PASS = sql`(r.entity = 'departments' or r.trigger = 'due'
  or exists (select 1 from drops d where d.id = r.drop_id and d.bytes <= ${MAX_PASSING_BYTES}))`;

/** In SQL: the held run `h` stops only the people whom it names. */
export const HAS_NAMES = sql.raw("exists (select 1 from run_names n where n.run_id = h.id)");

/** In SQL: the run `r` has names, and one of them is that of an earlier run that has not ended. */
export const WAITS_FOR_PEOPLE = sql`exists (select 1 from run_names a where a.run_id = r.id and (
  exists (select 1 from run_names b cross join runs h on h.id = b.run_id where b.connection_id = a.connection_id
    and b.name in (a.name, ${EVERYBODY}) and b.place < a.place and ${IS_OPEN})
  or (a.name = ${EVERYBODY} and exists (select 1 from run_names b cross join runs h on h.id = b.run_id
    where b.connection_id = a.connection_id and b.place < a.place and ${IS_OPEN}))))`;

/** The run's place among those with names; null: it has none. */
export async function placeOf(db: Database, { id: runId }: Pick<Run, "id">): Promise<number | null> {
  const [row] = await db.orm.select({ place: runNames.place }).from(runNames).where(eq(runNames.runId, runId)).limit(1);
  return row?.place ?? null;
}

/** A place after all others. */
export async function nextPlace(db: Database): Promise<number> {
  return await reserve(db, "run");
}

/** The runs ahead of this one, by those names of theirs that are among `names` or mean everybody: of several the first. */
export async function findAhead(
  db: Database,
  run: Run,
  place: number | null,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const { id, organizationId, connectionId } = run;
  const rows = await db.rows<[string, number]>(sql`select n.name, n.run_id
    from run_names n cross join runs h on h.id = n.run_id
    where n.connection_id = ${connectionId} and n.name in ${setOf([...names, EVERYBODY])}
      and n.organization_id = ${organizationId} and n.run_id <> ${id} and ${isBefore("n.place", place)} and ${IS_OPEN}
    order by n.place desc`);
  return new Map(rows);
}

/** Whether there is any run ahead of this one. */
export async function isAnyAhead(db: Database, run: Run, place: number | null): Promise<boolean> {
  const { id, organizationId, connectionId } = run;
  // Among the few runs that have not ended, not among all of the connection.
  const rows = await db.rows(sql`select 1 from runs h
    where h.status in ('queued', 'planning', 'applying', 'planned', 'held') and +h.connection_id = ${connectionId}
      and +h.organization_id = ${organizationId} and h.id <> ${id} and ${IS_OPEN}
      and exists (select 1 from run_names n where n.run_id = h.id and ${isBefore("n.place", place)}) limit 1`);
  return rows.length > 0;
}

/** A run without a place comes after all others. */
function isBefore(column: string, place: number | null): SQL {
  return place === null ? sql`true` : sql`${sql.raw(column)} < ${place}`;
}

/** Runs of the connection with names that are held, or planned again after more was added to them, oldest first. */
export async function listHeldWithNames(db: Database, { organizationId, connectionId }: Run): Promise<Run[]> {
  return await db.orm.select().from(runs).where(and(
    inArray(runs.status, ["held", "queued"]),
    eq(runs.organizationId, organizationId),
    eq(runs.connectionId, connectionId),
    sql`${runs.heldBy} <> '[]' and exists (select 1 from run_names n where n.run_id = ${runs.id})`,
  )).orderBy(asc(runs.id));
}

type Named = Pick<Run, "id" | "organizationId" | "connectionId">;

/** The statements that give the run these names and no others. */
export function setNames(db: Database, run: Named, place: number, names: readonly string[]): Statement[] {
  const others = and(eq(runNames.runId, run.id), notInArray(runNames.name, setOf(names)));
  return [db.orm.delete(runNames).where(others), addNames(db, run, place, names)];
}

/** The statement that gives the run these names beside those it has. */
export function addNames(
  db: Database,
  { id, organizationId, connectionId }: Named,
  place: number,
  names: readonly string[],
): Statement {
  return db.run(sql`insert or ignore into run_names (organization_id, connection_id, run_id, name, place)
    select ${organizationId}, ${connectionId}, ${id}, value, ${place} from json_each(${JSON.stringify(names)})`);
}

/** The statement that gives the names of a run, and its place, to the one that repeats a part of it. */
export function passNames(db: Database, { id, organizationId }: Named, runId: number): Statement {
  return db.orm.update(runNames).set({ runId }).where(
    and(eq(runNames.runId, id), eq(runNames.organizationId, organizationId)),
  );
}

/** The statement that deletes the names of runs that have ended. */
export function forgetNames(db: Database): Statement {
  return db.run(sql`delete from run_names where run_id not in (select id from runs h where ${IS_OPEN})`);
}

/** The secrets of the organization's connections that have runs with names, by which those are digested. */
export async function listNamers(db: Database, organizationId: number): Promise<{ id: number; salt: string }[]> {
  const rows = await db.rows<[number, string]>(sql`select c.id, c.salt from connections c
    where c.organization_id = ${organizationId} and exists (select 1 from run_names n where n.connection_id = c.id)`);
  return rows.map(([id, salt]) => ({ id, salt }));
}

/** The statement that deletes these names of any run of the connection. */
export function deleteNames(db: Database, organizationId: number, connectionId: number, names: readonly string[]) {
  return db.run(sql`delete from run_names where organization_id = ${organizationId} and connection_id = ${connectionId}
    and name in ${setOf(names)}`);
}
