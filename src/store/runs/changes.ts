/** Changes for readers: of a run, of a user, and all applied ones in order. */
import { and, asc, eq, getTableColumns, isNotNull, sql } from "drizzle-orm";
import { encodeId } from "../../model/id.ts";
import { decodeChange, type Entry, userOfChange, withPageManager } from "../../reconcile/columns/entry.ts";
import type { DepartmentChange, UserChange } from "../../reconcile/planned-change.ts";
import { IMAGE_INDEX, type ImageColumn, sameStored, type Stored } from "../../reconcile/image.ts";
import { toInstant } from "../../std/time.ts";
import type { Database } from "../database.ts";
import { departments } from "../people/schema.ts";
import { changePages, pageBodies, pageManagers } from "./schema-plans.ts";
import type { ChangeView } from "../../model/change.ts";

export interface ChangeList {
  readonly changes: readonly ChangeView[];
  /** Where to continue; null at the end. */
  readonly next: number | null;
}

type PageRow = typeof changePages.$inferSelect & { readonly body: string; readonly managers: string | null };

function selectPages(db: Database) {
  return db.orm.select({ ...getTableColumns(changePages), body: pageBodies.body, managers: pageManagers.managers })
    .from(changePages).innerJoin(pageBodies, eq(pageBodies.pageId, changePages.id))
    .leftJoin(pageManagers, eq(pageManagers.pageId, changePages.id)).$dynamic();
}

/** A place in a run is `page * PLACES_A_PAGE + index`. */
const PLACES_A_PAGE = 100_000;
const SHOWN = ["departments", "creates", "updates"] as const;

/** A run's changes in the order in which they are applied, after place `after` (0: from the first). */
export async function listRunChanges(
  db: Database,
  organizationId: number,
  runId: number,
  { after, limit }: { after: number; limit: number },
): Promise<ChangeList> {
  const found: { place: number; change: ChangeView }[] = [];
  const names = await departmentNames(db, organizationId);
  for (const [id, name] of await plannedDepartmentNames(db, organizationId, runId)) names.set(id, name);
  for (let page = Math.floor(after / PLACES_A_PAGE); found.length <= limit; page++) {
    const [row] = await selectPages(db).where(and(
      eq(changePages.organizationId, organizationId),
      eq(changePages.runId, runId),
      sql`${changePages.page} >= ${page}`,
      sql`${changePages.kind} in ${SHOWN}`,
    )).orderBy(asc(changePages.page)).limit(1);
    if (row === undefined) break;
    page = row.page;
    const from = Math.max(0, after - page * PLACES_A_PAGE);
    const views = viewPage(row, names, from, limit + 1 - found.length);
    for (const { index, change } of views) found.push({ place: page * PLACES_A_PAGE + index, change });
  }
  return {
    changes: found.slice(0, limit).map(({ change }) => change),
    next: found.length > limit ? found[limit]!.place : null,
  };
}

/** Every applied change of the organization in order, after place `after` (0: from the first). */
export async function listFeed(
  db: Database,
  organizationId: number,
  { after, limit }: { after: number; limit: number },
): Promise<ChangeList> {
  const found: ChangeView[] = [];
  const names = await departmentNames(db, organizationId);
  for (let seq = after; found.length <= limit;) {
    const [row] = await selectPages(db).where(and(
      eq(changePages.organizationId, organizationId),
      isNotNull(changePages.seq),
      sql`${changePages.seq} + ${changePages.count} > ${seq + 1}`,
      // The index gives the page that holds the place, or the first one after it.
      sql`${changePages.seq} >= coalesce((select max(p.seq) from change_pages p
        where p.organization_id = ${organizationId} and p.seq <= ${seq + 1}), 0)`,
    )).orderBy(asc(changePages.seq)).limit(1);
    if (row === undefined) break;
    const from = Math.max(0, seq + 1 - row.seq!);
    for (const { change } of viewPage(row, names, from, limit + 1 - found.length)) {
      if (change.status === "applied") found.push(change);
    }
    seq = row.seq! + row.count - 1;
  }
  const changes = found.slice(0, limit);
  return { changes, next: found.length > limit ? changes.at(-1)!.seq : null };
}

/** A user's changes, the latest first; `before`: continue with this page. */
export async function listUserHistory(
  db: Database,
  organizationId: number,
  userId: number,
  { before, limit }: { before: number | null; limit: number },
): Promise<ChangeList> {
  const [user] = await db.rows<[number | null]>(sql`select last_page from users
    where id = ${userId} and organization_id = ${organizationId}`);
  let page = before ?? user?.[0] ?? null;
  const names = await departmentNames(db, organizationId);
  const changes: ChangeView[] = [];
  while (page !== null && changes.length < limit) {
    const [row] = await selectPages(db)
      .where(and(eq(changePages.id, page), eq(changePages.organizationId, organizationId)));
    if (row === undefined) {
      page = null;
      break;
    }
    const entries = JSON.parse(row.body) as Entry[];
    const index = entries.findIndex((entry) => userOfChange(entry) === userId);
    if (index < 0) break;
    changes.push(viewUserChange(row, entries[index]!, index, names));
    page = decodeChange(entries[index]!).previousPage;
  }
  return { changes, next: page };
}

export type AppliedPage =
  | { readonly kind: "users"; readonly changes: readonly UserChange[] }
  | { readonly kind: "departments"; readonly departments: readonly DepartmentChange[] };

/** What a run applied, the last page first: changes include managers, and superseded ones are left out. */
export async function* loadAppliedPages(
  db: Database,
  organizationId: number,
  runId: number,
): AsyncGenerator<AppliedPage> {
  for (let before = Number.MAX_SAFE_INTEGER;;) {
    const [row] = await selectPages(db).where(and(
      eq(changePages.organizationId, organizationId),
      eq(changePages.runId, runId),
      isNotNull(changePages.appliedAt),
      sql`${changePages.page} < ${before}`,
      sql`${changePages.kind} in ${SHOWN}`,
    )).orderBy(sql`${changePages.page} desc`).limit(1);
    if (row === undefined) return;
    before = row.page;
    const superseded = supersededOf(row);
    if (row.kind === "departments") {
      const departments = (JSON.parse(row.body) as DepartmentChange[]).filter((_, index) => !superseded.has(index));
      yield { kind: "departments", departments };
      continue;
    }
    const managers = managersOf(row);
    const entries = JSON.parse(row.body) as Entry[];
    yield {
      kind: "users",
      changes: entries.map((entry, index) => withPageManager(decodeChange(entry), managers[index]))
        .filter((_, index) => !superseded.has(index)),
    };
  }
}

function viewPage(
  row: PageRow,
  names: ReadonlyMap<number, string>,
  from: number,
  limit: number,
): { index: number; change: ChangeView }[] {
  const entries = JSON.parse(row.body) as unknown[];
  const views: { index: number; change: ChangeView }[] = [];
  for (let index = from; index < entries.length && views.length < limit; index++) {
    if (row.kind === "departments") {
      const change = entries[index] as DepartmentChange;
      // A department that waits to be closed has not changed yet.
      if (change.before !== null && Object.keys(change.before).every((field) => field === "closing")) continue;
      views.push({ index, change: viewDepartmentChange(row, change, index, names) });
    } else views.push({ index, change: viewUserChange(row, entries[index] as Entry, index, names) });
  }
  return views;
}

function viewUserChange(row: PageRow, entry: Entry, index: number, names: ReadonlyMap<number, string>): ChangeView {
  const change = withPageManager(decodeChange(entry), managersOf(row)[index]);
  const { after, before } = change;
  const fields: Record<string, { before: unknown; after: unknown }> = {};
  for (const [column, place] of Object.entries(IMAGE_INDEX)) {
    if (column === "source_id" || column === "field_sources" || column === "edited_by_hand") continue;
    if (
      before === null ? after[place] === null || (column === "on_leave" && after[place] === 0) : !(column in before)
    ) continue;
    const was = before === null ? null : before[column as ImageColumn]!;
    if (column === "custom") addCustom(fields, was, after[place]!);
    else fields[nameOf(column)] = { before: shown(column, was, names), after: shown(column, after[place]!, names) };
  }
  return {
    ...common(row, index),
    action: change.action,
    entity: "user",
    subject: {
      id: encodeId("usr", change.userId),
      email: after[IMAGE_INDEX.email] as string | null,
      employee_id: after[IMAGE_INDEX.employee_id] as string | null,
    },
    line: change.line,
    fields,
    reason: change.reason,
  };
}

function viewDepartmentChange(
  row: PageRow,
  change: DepartmentChange,
  index: number,
  names: ReadonlyMap<number, string>,
): ChangeView {
  const name = (id: unknown) =>
    id === null || id === undefined ? null : names.get(id as number) ?? encodeId("dep", id as number);
  const was = change.before, now = change.after;
  const fields: Record<string, { before: unknown; after: unknown }> = {};
  const has = (field: keyof typeof now) => was === null ? now[field] !== null : field in was;
  if (has("name")) fields.name = { before: was?.name ?? null, after: now.name };
  if (has("parent_id")) fields.parent = { before: name(was?.parent_id), after: name(now.parent_id) };
  if (has("external_id")) fields.department_id = { before: was?.external_id ?? null, after: now.external_id };
  if (was !== null && "active" in was) fields.is_active = { before: was.active === 1, after: now.active === 1 };
  return {
    ...common(row, index),
    action: change.action,
    entity: "department",
    subject: { id: encodeId("dep", change.departmentId), name: now.name },
    line: change.line,
    fields,
    reason: change.reason,
  };
}

function common(row: PageRow, index: number) {
  const superseded = supersededOf(row).has(index);
  return {
    id: encodeId("chg", row.firstChange + index),
    status: superseded ? "superseded" : row.appliedAt === null ? "planned" : "applied",
    run: row.runId === null ? null : encodeId("run", row.runId),
    applied_at: row.appliedAt === null || superseded ? null : toInstant(row.appliedAt),
    seq: row.seq === null || superseded ? null : row.seq + index,
  } as const;
}

/** A change by hand, as readers will see it once its page is written. */
export async function viewHandChange(
  db: Database,
  page: { id: number; organizationId: number; firstChange: number; managers: string | null },
  entry: Entry,
  now: number,
): Promise<ChangeView> {
  const row: PageRow = {
    ...page,
    runId: null,
    page: 0,
    kind: "updates",
    count: 1,
    parked: null,
    superseded: null,
    seq: 0,
    appliedAt: now,
    body: "",
  };
  return viewUserChange(row, entry, 0, await departmentNames(db, page.organizationId));
}

function addCustom(fields: Record<string, { before: unknown; after: unknown }>, was: Stored, now: Stored): void {
  const before = (was ?? {}) as Record<string, unknown>, after = (now ?? {}) as Record<string, unknown>;
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (!sameStored(before[key] ?? null, after[key] ?? null)) {
      fields[key] = { before: before[key] ?? null, after: after[key] ?? null };
    }
  }
}

function nameOf(column: string): string {
  return column === "department_id" ? "department_name" : column === "manager_id" ? "manager" : column;
}

function shown(column: string, value: Stored, names: ReadonlyMap<number, string>): unknown {
  if (value === null) return null;
  if (column === "department_id") return names.get(value as number) ?? encodeId("dep", value as number);
  if (column === "manager_id") return encodeId("usr", value as number);
  return column === "on_leave" ? value === 1 : value;
}

function managersOf(row: PageRow): (number | null)[] {
  return row.managers === null ? [] : JSON.parse(row.managers);
}

function supersededOf(row: PageRow): Set<number> {
  return new Set(row.superseded === null ? [] : JSON.parse(row.superseded) as number[]);
}

/** Names of the departments that a plan will create. */
async function plannedDepartmentNames(
  db: Database,
  organizationId: number,
  runId: number,
): Promise<[number, string][]> {
  return await db.rows<[number, string]>(sql`select d.value ->> '$.departmentId', d.value ->> '$.after.name'
    from change_pages p join page_bodies b on b.page_id = p.id, json_each(b.body) d where p.organization_id = ${organizationId} and p.run_id = ${runId}
      and p.kind = 'departments' and d.value ->> '$.version' = 0`);
}

async function departmentNames(db: Database, organizationId: number): Promise<Map<number, string>> {
  const rows = await db.orm.select({ id: departments.id, name: departments.name }).from(departments)
    .where(eq(departments.organizationId, organizationId));
  return new Map(rows.map(({ id, name }) => [id, name]));
}
