/** Runs that hold a person in their reports, errors, columns or plan: found for an erasure, and emptied with it. */
import { sql } from "drizzle-orm";
import type { Counts } from "../../model/run.ts";
import type { IssueRow } from "../../reconcile/draft.ts";
import { type Database, setOf, type Statement } from "../database.ts";
import { replaceElements } from "./json-elements.ts";

/** A page of a report. */
export interface IssuePage {
  readonly runId: number;
  readonly pass: number;
  readonly page: number;
  readonly connectionId: number;
}

/** What is to be emptied in runs. */
export interface FoundInRuns {
  /** Pages of reports with the rows to replace, and what is left of those. */
  readonly issues: readonly (IssuePage & { readonly rows: readonly { index: number; row: IssueRow }[] })[];
  /** Runs whose error names the person. */
  readonly errors: readonly number[];
  /** Runs whose input had the person for a column, with the columns that are left. */
  readonly columns: readonly InputColumns[];
  /** By run: the hash and the counts of plans that change because the person leaves them. */
  readonly plans: ReadonlyMap<number, { readonly hash: string; readonly counts: Counts | null }>;
}

export interface InputColumns {
  readonly runId: number;
  readonly columns: readonly string[];
}

/** Pages read at once: some megabytes. */
const WINDOW = 8;

export async function* readIssuePages(
  db: Database,
  organizationId: number,
): AsyncGenerator<IssuePage & { readonly body: string }> {
  for (let at: [number, number, number] = [0, -1, -1];;) {
    const rows = await db.rows<[number, number, number, number, string]>(sql`
      select i.run_id, i.pass, i.page, r.connection_id, i.body from issue_pages i join runs r on r.id = i.run_id
      where i.organization_id = ${organizationId} and (i.run_id, i.pass, i.page) > (${at[0]}, ${at[1]}, ${at[2]})
      order by i.run_id, i.pass, i.page limit ${WINDOW}`);
    for (const [runId, pass, page, connectionId, body] of rows) yield { runId, pass, page, connectionId, body };
    if (rows.length < WINDOW) return;
    const [runId, pass, page] = rows.at(-1)!;
    at = [runId, pass, page];
  }
}

/** Runs that failed as a whole, with their error as JSON. */
export async function listErrors(db: Database, organizationId: number): Promise<{ id: number; error: string }[]> {
  const rows = await db.rows<[number, string]>(sql`select id, error from runs
    where organization_id = ${organizationId} and error is not null`);
  return rows.map(([id, error]) => ({ id, error }));
}

/** The columns of every input whose run is stored, as they were read. */
export async function listColumns(db: Database, organizationId: number): Promise<InputColumns[]> {
  const rows = await db.rows<[string, string]>(sql`select json_group_array(id), columns from
    (select id, input -> '$.columns' as columns from runs where organization_id = ${organizationId} and input is not null)
    group by columns`);
  return rows.flatMap(([ids, columns]) =>
    (JSON.parse(ids) as number[]).map((runId) => ({ runId, columns: JSON.parse(columns) as string[] }))
  );
}

/** Runs of these connections that still have an input to read. */
export async function listWaitingInputs(
  db: Database,
  organizationId: number,
  connections: readonly number[],
): Promise<number[]> {
  const rows = await db.rows<[number]>(sql`select id from runs where organization_id = ${organizationId}
    and status = 'queued'
    and (drop_id is not null or id in (select run_id from fetches where started_at is not null and ended_at is null))
    and connection_id in ${setOf(connections)} order by id`);
  return rows.map(([id]) => id);
}

/** All runs of the organization that wait, the oldest first. */
export async function listQueuedRuns(db: Database, organizationId: number): Promise<number[]> {
  const rows = await db.rows<[number]>(sql`select id from runs where organization_id = ${organizationId}
    and status = 'queued' order by id`);
  return rows.map(([id]) => id);
}

/**
 * The statements that empty the runs. `dataVersion`: the organization's, before the batch. `erased`: the text that
 * replaces a message.
 */
export function emptyRuns(
  db: Database,
  { organizationId, dataVersion }: { organizationId: number; dataVersion: number },
  { issues, errors, columns, plans }: FoundInRuns,
  erased: string,
): Statement[] {
  return [
    ...issues.map(({ runId, pass, page, rows }) =>
      db.run(sql`update issue_pages
        set body = ${replaceElements("body", rows.map(({ index, row }) => [index, JSON.stringify(row)]))}
        where run_id = ${runId} and pass = ${pass} and page = ${page}`)
    ),
    db.run(sql`update runs set error = json_set(error, '$.message', ${erased}) where id in ${setOf(errors)}`),
    ...columns.flatMap(({ runId, columns }) => [
      db.run(sql`update runs set input = json_set(input, '$.columns', json(${JSON.stringify(columns)})),
        figures = iif(figures is null, null, json_set(figures, '$.layout', null)) where id = ${runId}`),
      db.run(sql`update connections set layout = null where id = (select connection_id from runs where id = ${runId})`),
    ]),
    // Plans that were current stay current: they do not depend on this person's values.
    db.run(sql`update runs set plan_version = ${dataVersion + 1} where organization_id = ${organizationId}
      and status in ('planned', 'held') and plan_version = ${dataVersion}`),
    ...[...plans].map(([id, { hash, counts }]) =>
      db.run(sql`update runs set plan_hash = ${hash}, counts = ${counts === null ? null : JSON.stringify(counts)}
        where id = ${id} and status in ('planned', 'held')`)
    ),
    db.run(sql`update runs set note = null where organization_id = ${organizationId} and note is not null`),
    db.run(
      sql`update fetches set unchanged = iif(unchanged is null, null, ''), error = null, warnings = '[]', checkpoint = null, origins = '[]'
      where organization_id = ${organizationId} and ended_at is not null
        and run_id not in (select id from runs where status in ('queued', 'planning'))`,
    ),
  ];
}
