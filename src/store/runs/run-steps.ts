/** Reads and statements that the stations of a run need. */
import { and, eq, inArray, isNull, lt, not, type SQL, sql } from "drizzle-orm";
import type { Coverage } from "../../model/run.ts";
import type { KnownDepartment } from "../../reconcile/departments/department-names.ts";
import { mergeMemories } from "../../reconcile/column-facts.ts";
import type { Database, Statement } from "../database.ts";
import { ofChange } from "./entry-places.ts";
import { MAY_PASS } from "./run-names.ts";
import type { Run } from "./runs.ts";
import { connections } from "../connections/schema.ts";
import { departmentImageOf } from "../people/departments.ts";
import { departments, links } from "../people/schema.ts";
import { runs } from "./schema.ts";

export function saveProgress(
  db: Database,
  runId: number,
  progress: { phase: string; done: number; total: number | null },
): Statement {
  return db.orm.update(runs).set({ progress }).where(eq(runs.id, runId));
}

export function updateRun(db: Database, runId: number, values: Partial<Run>): Statement {
  return db.orm.update(runs).set(values).where(eq(runs.id, runId));
}

/** As updateRun, unless the run has ended or waits for a person: a write whose answer was lost may have been made. */
export function updateAtWork(db: Database, runId: number, values: Partial<Run>): Statement {
  return db.orm.update(runs).set(values)
    .where(and(eq(runs.id, runId), inArray(runs.status, ["queued", "planning", "applying"])));
}

export async function loadDepartments(db: Database, organizationId: number): Promise<KnownDepartment[]> {
  const rows = await db.orm.select().from(departments).where(eq(departments.organizationId, organizationId));
  return rows.map((row) => ({
    id: row.id,
    version: row.version,
    lastPage: row.lastChange,
    image: departmentImageOf(row),
  }));
}

/** How many active users these departments have, by department; no entry: none. */
export async function countActiveUsers(
  db: Database,
  organizationId: number,
  departmentIds: readonly number[],
): Promise<Map<number, number>> {
  const rows = await db.rows<[number, number]>(sql`select u.department_id, count(*) from
    json_each(${JSON.stringify(departmentIds)}) j cross join users u on u.department_id = j.value
    where u.organization_id = ${organizationId} and u.status = 'active' group by u.department_id`);
  return new Map(rows);
}

/** The organization's connections, with what decides what their words count, and whether they have people. */
export async function listPeers(db: Database, organizationId: number) {
  const { id, connector, connectorDigest, preset, policy, columnMemory, createdAt } = connections;
  const hasLinks = sql<number>`exists (select 1 from links where connection_id = connections.id)`;
  return await db.orm.select({
    id,
    connector,
    connectorDigest,
    preset,
    policy,
    columnMemory,
    createdAt,
    hasLinks,
  }).from(connections).where(eq(connections.organizationId, organizationId));
}

/** Whether any user linked to the connection is missing now. */
export async function hasMissing(db: Database, connectionId: number): Promise<boolean> {
  const rows = await db.orm.select({ one: sql`1` }).from(links)
    .where(and(eq(links.connectionId, connectionId), sql`${links.missingSince} is not null`)).limit(1);
  return rows.length > 0;
}

export async function isCancelRequested(db: Database, runId: number): Promise<boolean> {
  const [row] = await db.orm.select({ asked: runs.cancelRequested }).from(runs).where(eq(runs.id, runId));
  return row?.asked === true;
}

export async function dataVersionOf(db: Database, organizationId: number): Promise<number> {
  const [row] = await db.rows<[number]>(sql`select data_version from organizations where id = ${organizationId}`);
  return row![0];
}

/** Planned changes from rows that were not applied, by action: the hub had changed, or the run stopped before them. */
export interface NotApplied {
  readonly superseded: Readonly<Record<string, number>>;
  readonly stopped: Readonly<Record<string, number>>;
  /** New departments that the run stopped before. */
  readonly departments: Readonly<Record<string, number>>;
}

/** As isMarkOnly, of an entry `e`. */
const IS_MARK_ONLY = sql`(json_type(e.value, '$.before') = 'object'
  and not exists (select 1 from json_each(e.value, '$.before') f where f.key <> 'closing'))`;

export async function countNotApplied(db: Database, runId: number): Promise<NotApplied> {
  // People who are missing, or whose manager appeared later, have no row in the input.
  const reason = ofChange("e.value", "reason");
  const ofRow = sql`(${reason} is null or ${reason} not in ('missing', 'manager appeared'))`;
  const superseded = await db.rows<[string, number]>(sql`select ${ofChange("e.value", "action")}, count(*)
    from change_pages p join page_bodies b on b.page_id = p.id, json_each(b.body) e
    where p.run_id = ${runId} and p.superseded is not null
      and e.key in (select value from json_each(p.superseded)) and ${ofRow} group by 1`);
  const stopped = await db.rows<[string, string, number]>(sql`select p.kind,
      case p.kind when 'departments' then e.value ->> '$.action' else ${ofChange("e.value", "action")} end, count(*)
    from change_pages p join page_bodies b on b.page_id = p.id, json_each(b.body) e
    where p.run_id = ${runId} and p.applied_at is null
      and ((p.kind = 'departments' and not ${IS_MARK_ONLY}) or (p.kind in ('creates', 'updates') and ${ofRow})) group by 1, 2`);
  const sum = (rows: readonly (readonly [string, number])[]) => {
    const sums: Record<string, number> = {};
    for (const [action, count] of rows) sums[action] = (sums[action] ?? 0) + count;
    return sums;
  };
  return {
    superseded: sum(superseded),
    stopped: sum(stopped.filter(([kind]) => kind !== "departments").map(([, action, count]) => [action, count])),
    departments: sum(stopped.filter(([kind]) => kind === "departments").map(([, action, count]) => [action, count])),
  };
}

/** The statement that stores what the columns of an input showed of which at least a part was applied. */
export async function rememberColumns(
  db: Database,
  { organizationId, connectionId, figures }: Run,
): Promise<readonly Statement[]> {
  const columns = figures?.columns;
  if (columns === undefined) return [];
  const isOurs = and(eq(connections.id, connectionId), eq(connections.organizationId, organizationId));
  // Other runs may have been applied since the plan was made. None is now: only one of an organization is at a time.
  const [row] = await db.orm.select({ before: connections.columnMemory }).from(connections).where(isOurs);
  const columnMemory = mergeMemories(row?.before ?? null, columns);
  return [db.orm.update(connections).set({ columnMemory }).where(isOurs)];
}

/** The statement that stores in the connection what an applied input showed. */
export function rememberApplied(db: Database, run: Run): Statement[] {
  const { figures, entity, connectionId, organizationId } = run;
  if (figures === null) return [];
  const applied =
    sql`json_object('run', ${run.id}, 'sha256', ${figures.sha256}, 'settingsVersion', ${figures.settingsVersion},
    'referenceVersion', ${figures.referenceVersion}, 'readingVersion', ${figures.readingVersion ?? null},
    'hadIssues', exists(select 1 from issue_pages where run_id = ${run.id}),
    'dataVersion', (select data_version from organizations where id = ${organizationId}))`;
  const baseline: SQL = figures.baseline === null
    ? sql`baseline`
    : sql`json_set(baseline, ${`$.${entity}`}, json(${JSON.stringify(figures.baseline)}))`;
  return [
    db.run(sql`update connections set
      last_applied = json_set(last_applied, ${`$.${entity}`}, ${applied}),
      baseline = ${baseline}, full_inputs = full_inputs + ${figures.baseline !== null && entity === "users" ? 1 : 0},
      key = coalesce(key, ${entity === "users" ? figures.key : null}), layout = coalesce(${figures.layout}, layout)
      where id = ${connectionId}`),
  ];
}

export function clearHoldNext(db: Database, connectionId: number): Statement {
  return db.orm.update(connections).set({ holdNext: false }).where(eq(connections.id, connectionId));
}

/** After a revert, the next input waits for approval, even if it is the same one again. */
export function holdNextRun(db: Database, connectionId: number): Statement {
  return db.orm.update(connections).set({ holdNext: true, lastApplied: {} }).where(eq(connections.id, connectionId));
}

/** Departments that wait to be closed and have no active user left. */
export async function listClosable(db: Database, organizationId: number): Promise<number[]> {
  const rows = await db.rows<[number]>(sql`select id from departments d where organization_id = ${organizationId}
    and closing = 1 and active = 1
    and not exists (select 1 from users u where u.department_id = d.id and u.status = 'active')`);
  return rows.map(([id]) => id);
}

/**
 * Older runs of the connection that are held, oldest first. A diff does not meet those that stop only the people whom they
 * name, if it may go past them.
 */
export async function listHeldBefore(db: Database, run: Run, coverage: Coverage): Promise<Run[]> {
  const stopsOthers = sql`exists (select 1 from run_names n where n.run_id = ${runs.id})
    and exists (select 1 from runs r where r.id = ${run.id} and ${MAY_PASS})`;
  return await db.orm.select().from(runs).where(and(
    eq(runs.connectionId, run.connectionId),
    lt(runs.id, run.id),
    inArray(runs.status, ["held"]),
    isNull(runs.finishedAt),
    coverage === "diff" ? not(stopsOthers) : undefined,
  )).orderBy(runs.id);
}
