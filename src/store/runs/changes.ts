/** Changes for readers: of a run, of a user, and all applied ones in order. */
import { and, asc, eq, getTableColumns, isNotNull, isNull, type SQL, sql } from "drizzle-orm";
import { decodeChange, type Entry, userOfChange, withPageManager } from "../../reconcile/columns/entry.ts";
import type { DepartmentChange, UserChange } from "../../reconcile/planned-change.ts";
import type { Database } from "../database.ts";
import { departments } from "../people/schema.ts";
import { matches } from "../unchanged.ts";
import { changePages, pageBodies, pageManagers } from "./schema-plans.ts";
import type { ChangeView } from "../../model/change.ts";
import { ofChange } from "./entry-places.ts";
import { managersOf, type PageRow, supersededOf, viewPage, viewUserChange } from "./change-views.ts";

export interface ChangeList {
  readonly changes: readonly ChangeView[];
  /** Where to continue; null at the end. */
  readonly next: number | null;
}

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
      matches(changePages, { organizationId, runId }),
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

/**
 * A user's changes and those of everybody merged into them, the latest first; `before`: continue at this place, which is
 * a page and whose history it is.
 */
export async function listUserHistory(
  db: Database,
  organizationId: number,
  userId: number,
  { before, limit }: { before: number | null; limit: number },
): Promise<ChangeList> {
  const heads = await historiesOf(db, organizationId, userId, before);
  const names = await departmentNames(db, organizationId);
  const changes: ChangeView[] = [];
  for (;;) {
    const latest = heads.reduce<Head | null>(
      (one, other) => one !== null && placeOf(one) > placeOf(other) ? one : other,
      null,
    );
    if (latest === null) return { changes, next: null };
    if (changes.length === limit) return { changes, next: placeOf(latest) };
    const [row] = await selectPages(db).where(matches(changePages, { id: latest.page, organizationId }));
    const entries = row === undefined ? [] : JSON.parse(row.body) as Entry[];
    const index = entries.findIndex((entry) => userOfChange(entry) === latest.userId);
    if (index >= 0) changes.push(viewUserChange(row!, entries[index]!, index, names));
    const page = index < 0 ? null : decodeChange(entries[index]!).previousPage;
    if (page === null) heads.splice(heads.indexOf(latest), 1);
    else latest.page = page;
  }
}

/** Where one user's history continues. */
interface Head {
  readonly userId: number;
  /** Which of the histories that are shown together it is. */
  readonly place: number;
  page: number;
}

/** Histories that are shown together at most: nobody was a thousand people. */
const HISTORIES = 1024;

function placeOf({ page, place }: Head): number {
  return page * HISTORIES + place;
}

async function historiesOf(
  db: Database,
  organizationId: number,
  userId: number,
  before: number | null,
): Promise<Head[]> {
  const rows = await db.rows<[number, number | null]>(sql`with recursive m(id) as (
      select ${userId} union select u.id from m join users u on u.merged_into = m.id
    ) select u.id, u.last_page from m cross join users u on u.id = m.id and u.organization_id = ${organizationId}
    order by u.id limit ${HISTORIES}`);
  const heads = rows.flatMap(([id, page], place) => page === null ? [] : [{ userId: id, place, page }]);
  if (before === null) return heads;
  const left: Head[] = [];
  for (const head of heads) {
    const isIts = before % HISTORIES === head.place;
    let page: number | null = isIts ? Math.floor(before / HISTORIES) : head.page;
    while (page !== null && placeOf({ ...head, page }) > before) page = await pageBefore(db, page, head.userId);
    if (page !== null) left.push({ ...head, page });
  }
  return left;
}

/** The page with the user's change before the one in this page. */
async function pageBefore(db: Database, page: number, userId: number): Promise<number | null> {
  const [row] = await db.rows<[number | null]>(sql`select ${ofChange("e.value", "previousPage")}
    from page_bodies b, json_each(b.body) e where b.page_id = ${page} and ${
    ofChange("e.value", "userId")
  } = ${userId}`);
  return row?.[0] ?? null;
}

export type AppliedPage =
  | { readonly kind: "users"; readonly changes: readonly UserChange[] }
  | { readonly kind: "departments"; readonly departments: readonly DepartmentChange[] };

/** What a run applied, the last page first: changes include managers, and superseded ones are left out. */
export function loadAppliedPages(db: Database, organizationId: number, runId: number): AsyncGenerator<AppliedPage> {
  return loadPages(db, organizationId, runId, isNotNull(changePages.appliedAt));
}

/** As loadAppliedPages: what a run has planned. */
export function loadPlannedPages(db: Database, organizationId: number, runId: number): AsyncGenerator<AppliedPage> {
  return loadPages(db, organizationId, runId, isNull(changePages.appliedAt));
}

async function* loadPages(
  db: Database,
  organizationId: number,
  runId: number,
  which: SQL,
): AsyncGenerator<AppliedPage> {
  for (let before = Number.MAX_SAFE_INTEGER;;) {
    const [row] = await selectPages(db).where(and(
      matches(changePages, { organizationId, runId }),
      which,
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

/** Changes by hand, as readers will see them once their page is written. */
export async function viewHandChanges(
  db: Database,
  page: { id: number; organizationId: number; firstChange: number; managers: string | null },
  entries: readonly Entry[],
  now: number,
): Promise<ChangeView[]> {
  const row: PageRow = {
    ...page,
    runId: null,
    page: 0,
    kind: "updates",
    count: entries.length,
    parked: null,
    superseded: null,
    seq: 0,
    appliedAt: now,
    body: "",
  };
  const names = await departmentNames(db, page.organizationId);
  return entries.map((entry, index) => viewUserChange(row, entry, index, names));
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
