/** Where a run's plan is kept: pages of changes and pages of rows with issues, written while planning goes on. */
import { sha256Hex, toHex } from "../../std/hex.ts";
import { and, asc, eq, inArray, isNull, type SQL, sql } from "drizzle-orm";
import type { IssueRow } from "../../reconcile/draft.ts";
import type { DepartmentChange } from "../../reconcile/planned-change.ts";
import type { Entry } from "../../reconcile/columns/entry.ts";
import { toJson } from "../../reconcile/columns/json-array.ts";
import type { PageDraft, PageStore } from "../../reconcile/columns/pages.ts";
import type { Database, Statement } from "../database.ts";
import { EVERYWHERE, type Packing } from "./drop-content.ts";
import { changePages, pageBodies, pageManagers } from "./schema-plans.ts";
import { issuePages } from "./schema.ts";
import { reserve } from "../sequences.ts";
import type { Staging } from "./staging.ts";

/** Said with every write of a run, so that nobody else takes it over. */
export type Renew = () => Statement[];

export interface PlanStore extends PageStore {
  writeDepartments(changes: readonly DepartmentChange[]): Promise<void>;
  /** Takes a row of the report. What fills a page by that waits to be written. */
  report(row: IssueRow): void;
  /** Writes the pages of the report that are full. */
  writeReport(): Promise<void>;
  nextPass(): Promise<void>;
  /** Writes what is still held back. */
  finish(): Promise<void>;
  /** Rows of the report written so far. */
  readonly reported: number;
}

const MAX_ISSUE_BYTES = 500_000;

/** Empties what an earlier attempt left, then takes pages for this run. */
export async function createPlanStore(
  db: Database,
  organizationId: number,
  runId: number,
  renew: Renew,
  packing: Packing = EVERYWHERE,
  staging: Staging | null = null,
): Promise<PlanStore> {
  const hashOf = (bytes: Uint8Array) => {
    const hash = packing.createSha256();
    hash.update(bytes);
    return toHex(hash.digest());
  };
  await clearPlan(db, runId, renew);
  /** Pages that are staged, by their number. */
  const staged = new Map<number, number>();
  const page = (number: number) => and(eq(changePages.runId, runId), eq(changePages.page, number));
  let pass = 0, issuePage = 0, reported = 0;
  let texts: string[] = [];
  let bytes = 0;
  /** Pages of the report that are full. */
  const full: string[] = [];

  function closeReport(): void {
    if (texts.length > 0) full.push(`[${texts.join(",")}]`);
    texts = [];
    bytes = 0;
  }

  async function writeReport(): Promise<void> {
    for (const body of full.splice(0)) {
      await db.write([
        db.orm.insert(issuePages).values({ runId, organizationId, pass, page: issuePage++, body }),
        ...renew(),
      ]);
    }
  }

  async function flush(): Promise<void> {
    closeReport();
    await writeReport();
  }

  async function write(draft: PageDraft): Promise<void> {
    const [id, firstChange] = [await reserve(db, "page"), await reserve(db, "change", draft.count)];
    await db.write([
      db.orm.insert(changePages).values({
        id,
        organizationId,
        runId,
        page: draft.page,
        kind: draft.kind,
        firstChange,
        count: draft.count,
        parked: draft.parked === null ? null : JSON.stringify(draft.parked),
      }),
      db.orm.run(sql`insert into page_bodies (page_id, body, sha256)
        values (${id}, ${asText(draft.body)}, ${hashOf(draft.body)})`) as Statement,
      ...renew(),
    ]);
    if (draft.kind !== "creates" || staging === null) return;
    staged.set(draft.page, id);
    staging.add(id);
  }

  return {
    write,
    async read(number) {
      const [row] = await db.orm.select({ body: pageBodies.body }).from(changePages)
        .innerJoin(pageBodies, eq(pageBodies.pageId, changePages.id)).where(page(number));
      return JSON.parse(row!.body) as Entry[];
    },
    async replace(number, body, count) {
      if (staged.has(number)) staging!.remove(staged.get(number)!);
      const id = db.orm.select({ id: changePages.id }).from(changePages).where(page(number));
      await db.write([
        ...(count === 0
          ? [
            db.orm.delete(pageBodies).where(inArray(pageBodies.pageId, id)),
            db.orm.delete(changePages).where(page(number)),
          ]
          : [
            db.orm.update(pageBodies).set({ body: asText(body), sha256: hashOf(body) }).where(
              inArray(pageBodies.pageId, id),
            ),
            db.orm.update(changePages).set({ count }).where(page(number)),
          ]),
        ...renew(),
      ]);
    },
    async setManagers(number, managers) {
      await db.write([
        db.orm.run(sql`insert into page_managers (page_id, managers, sha256)
          select id, ${asText(managers)}, ${
          hashOf(managers)
        } from change_pages where run_id = ${runId} and page = ${number}`) as Statement,
        ...renew(),
      ]);
    },
    async writeDepartments(changes) {
      await write({ page: 0, kind: "departments", count: changes.length, body: toJson(changes), parked: null });
    },
    report(row) {
      const text = JSON.stringify(row);
      reported++;
      texts.push(text);
      bytes += text.length;
      if (bytes > MAX_ISSUE_BYTES) closeReport();
    },
    writeReport,
    async nextPass() {
      await flush();
      pass++;
      issuePage = 0;
    },
    finish: flush,
    get reported() {
      return reported;
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

/** SHA-256 over the hashes of every page of the plan, hex: its changes and the versions of what they touch. */
export async function hashPlan(db: Database, runId: number): Promise<string> {
  const pages = await db.rows<[string]>(
    sql`select p.kind || ' ' || coalesce(b.sha256, '-') || ' ' || coalesce(m.sha256, '-')
    from change_pages p join page_bodies b on b.page_id = p.id left join page_managers m on m.page_id = p.id
    where p.run_id = ${runId} order by p.page`,
  );
  return await sha256Hex(["plan", ...pages.map(([page]) => page)].join("\n"));
}

/** UTF-8 as the text that it is: as a text of ours it would be encoded once more on its way. */
function asText(utf8: Uint8Array): SQL<string> {
  return sql`cast(${utf8} as text)`;
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
  const rows = await db.orm.select({
    id: changePages.id,
    page: changePages.page,
    kind: changePages.kind,
    count: changePages.count,
    parked: sql<number>`${changePages.parked} is not null`,
  }).from(changePages).where(and(eq(changePages.runId, runId), isNull(changePages.appliedAt)))
    .orderBy(asc(changePages.page)).limit(limit);
  return rows.map((row) => ({ ...row, parked: row.parked === 1 }));
}

export async function countPages(db: Database, runId: number): Promise<{ applied: number; total: number }> {
  const [row] = await db.rows<[number, number]>(
    sql`select count(applied_at), count(*) from change_pages where run_id = ${runId}` as SQL,
  );
  return { applied: row![0], total: row![1] };
}

/** Rows that were left out while applying, after every other page of the report. */
export function createLatePage(
  db: Database,
  run: { id: number; organizationId: number },
  page: number,
  rows: readonly IssueRow[],
): Statement {
  return db.orm.insert(issuePages).values({
    runId: run.id,
    organizationId: run.organizationId,
    pass: APPLY_PASS,
    page,
    body: JSON.stringify(rows),
  }).onConflictDoNothing();
}

/** Beyond every pass of planning. */
const APPLY_PASS = 100;
