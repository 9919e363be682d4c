/** A run's plan as stored: written while planning goes on, hashed, opened page by page, removed. */
import { and, asc, eq, gt, inArray, isNull, sql } from "drizzle-orm";
import { toJson } from "../../reconcile/columns/json-array.ts";
import type { PageDraft, PageStore } from "../../reconcile/columns/pages.ts";
import type { IssueRow } from "../../reconcile/draft.ts";
import type { DepartmentChange } from "../../reconcile/planned-change.ts";
import { sha256Hex } from "../../std/hex.ts";
import type { Database } from "../database.ts";
import { EVERYWHERE, type Packing } from "./drop-content.ts";
import { createPageStore } from "./plan-pages.ts";
import type { Renew } from "./queue.ts";
import { createReportWriter } from "./report-pages.ts";
import { changePages, pageBodies, pageManagers } from "./schema-plans.ts";
import { issuePages } from "./schema.ts";
import type { Staging } from "./staging.ts";

/** Where a run's plan is stored while it is made. Every write renews the run's lease. */
export interface PlanStore extends PageStore {
  writeDepartments(changes: readonly DepartmentChange[]): Promise<void>;
  /** Adds a row to the report. Full pages wait for `writeReport`. */
  report(row: IssueRow): void;
  /** Writes the pages of the report that are full. */
  writeReport(): Promise<void>;
  /** The next rows are from another pass over the input. */
  nextPass(): Promise<void>;
  /** Writes the rest of the report. */
  finish(): Promise<void>;
  /** Rows of the report so far. */
  readonly reported: number;
}

/** Removes what an earlier attempt left, then takes pages for this run. */
export async function createPlanStore(
  db: Database,
  organizationId: number,
  runId: number,
  renew: Renew,
  packing: Packing = EVERYWHERE,
  staging: Staging | null = null,
): Promise<PlanStore> {
  await clearPlan(db, runId, renew);
  const run = { id: runId, organizationId };
  const pages = createPageStore(db, run, renew, packing, staging);
  const report = createReportWriter(db, run, renew);
  return {
    ...pages,
    writeDepartments: (changes) =>
      pages.write({ page: 0, kind: "departments", count: changes.length, body: toJson(changes), parked: null }),
    report: report.add,
    writeReport: report.write,
    nextPass: report.nextPass,
    finish: report.finish,
    get reported() {
      return report.count();
    },
  };
}

/** Removes a plan that has not been applied, with its issues. */
export async function clearPlan(
  db: Database,
  runId: number,
  renew: Renew,
  options: { keepIssues?: boolean } = {},
): Promise<void> {
  const open = and(eq(changePages.runId, runId), isNull(changePages.appliedAt));
  const ids = db.orm.select({ id: changePages.id }).from(changePages).where(open);
  await db.write([
    db.orm.delete(pageBodies).where(inArray(pageBodies.pageId, ids)),
    db.orm.delete(pageManagers).where(inArray(pageManagers.pageId, ids)),
    db.orm.delete(changePages).where(open),
    ...(options.keepIssues === true ? [] : [db.orm.delete(issuePages).where(eq(issuePages.runId, runId))]),
    ...renew(),
  ]);
}

/**
 * SHA-256 over the hashes of every page of the plan, hex: its changes and the versions of what they touch. `others`: the runs
 * that are approved with it.
 */
export async function hashPlan(db: Database, runId: number, others: readonly number[] = []): Promise<string> {
  const pages = await db.rows<[string]>(
    sql`select p.kind || ' ' || coalesce(b.sha256, '-') || ' ' || coalesce(m.sha256, '-')
    from change_pages p join page_bodies b on b.page_id = p.id left join page_managers m on m.page_id = p.id
    where p.run_id = ${runId} order by p.page`,
  );
  return await sha256Hex(["plan", ...pages.map(([page]) => page), ...others].join("\n"));
}

export interface OpenPage {
  readonly id: number;
  readonly page: number;
  readonly kind: PageDraft["kind"];
  readonly count: number;
  readonly parked: boolean;
}

/** The first pages that are not applied yet. */
export async function nextPages(db: Database, runId: number, limit: number): Promise<OpenPage[]> {
  return await listPages(db, runId, -1, limit);
}

/** The first pages behind page `after` that are not applied yet. */
export async function listPages(db: Database, runId: number, after: number, limit: number): Promise<OpenPage[]> {
  const rows = await db.orm.select({
    id: changePages.id,
    page: changePages.page,
    kind: changePages.kind,
    count: changePages.count,
    parked: sql<number>`${changePages.parked} is not null`,
  }).from(changePages).where(
    and(eq(changePages.runId, runId), gt(changePages.page, after), isNull(changePages.appliedAt)),
  )
    .orderBy(asc(changePages.page)).limit(limit);
  return rows.map((row) => ({ ...row, parked: row.parked === 1 }));
}

export async function countPages(db: Database, runId: number): Promise<{ applied: number; total: number }> {
  const [row] = await db.rows<[number, number]>(
    sql`select count(applied_at), count(*) from change_pages where run_id = ${runId}`,
  );
  return { applied: row![0], total: row![1] };
}
