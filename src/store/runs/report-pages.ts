/** Rows of a run's report, stored in pages while planning and applying go on. */
import type { IssueRow } from "../../reconcile/draft.ts";
import { and, sql } from "drizzle-orm";
import type { Database, Statement } from "../database.ts";
import { matches } from "../unchanged.ts";
import type { Renew } from "./queue.ts";
import { issuePages } from "./schema.ts";

/** Characters of JSON, after which a page is full. */
const MAX_PAGE_LENGTH = 500_000;
/** Above every pass of planning. */
const APPLY_PASS = 100;

/** A row as it is stored: JSON has no value for a cell that is not there. */
type StoredRow = IssueRow & { readonly absent?: readonly number[] };

function storedRow(row: IssueRow): StoredRow {
  const absent = row.cells.flatMap((cell, place) => cell === undefined ? [place] : []);
  return absent.length === 0 ? row : { ...row, absent };
}

/** The rows of a stored page. */
export function readReportPage(body: string): IssueRow[] {
  return (JSON.parse(body) as StoredRow[]).map(({ absent, ...row }) =>
    absent === undefined ? row : { ...row, cells: row.cells.map((cell, i) => absent.includes(i) ? undefined : cell) }
  );
}

/** All rows of a run's report, pass by pass. */
export async function* loadReport(db: Database, run: ReportedRun): AsyncGenerator<IssueRow> {
  for (let page = -1, pass = 0;;) {
    const [row] = await db.orm.select().from(issuePages).where(and(
      matches(issuePages, { runId: run.id, organizationId: run.organizationId }),
      sql`(${issuePages.pass}, ${issuePages.page}) > (${pass}, ${page})`,
    )).orderBy(issuePages.pass, issuePages.page).limit(1);
    if (row === undefined) return;
    ({ pass, page } = row);
    yield* readReportPage(row.body);
  }
}

interface ReportedRun {
  readonly id: number;
  readonly organizationId: number;
}

/** Takes rows in the order of the input, pass by pass. */
export interface ReportWriter {
  add(row: IssueRow): void;
  /** Writes the pages that are full. */
  write(): Promise<void>;
  nextPass(): Promise<void>;
  /** Writes every row that was added. */
  finish(): Promise<void>;
  /** Rows that were added. */
  count(): number;
}

export function createReportWriter(
  db: Database,
  { id: runId, organizationId }: ReportedRun,
  renew: Renew,
): ReportWriter {
  const full: string[] = [];
  let rows: string[] = [];
  let pass = 0, page = 0, length = 0, count = 0;

  function close(): void {
    if (rows.length > 0) full.push(`[${rows.join(",")}]`);
    rows = [];
    length = 0;
  }

  async function write(): Promise<void> {
    for (const body of full.splice(0)) {
      await db.write([
        db.orm.insert(issuePages).values({ runId, organizationId, pass, page: page++, body }),
        ...renew(),
      ]);
    }
  }

  async function finish(): Promise<void> {
    close();
    await write();
  }

  return {
    add(row) {
      const text = JSON.stringify(storedRow(row));
      rows.push(text);
      count++;
      length += text.length;
      if (length > MAX_PAGE_LENGTH) close();
    },
    write,
    async nextPass() {
      await finish();
      pass++;
      page = 0;
    },
    finish,
    count: () => count,
  };
}

/** The statement that adds rows that could not be applied: a page behind all others of the report. */
export function createLatePage(db: Database, run: ReportedRun, page: number, rows: readonly IssueRow[]): Statement {
  return db.orm.insert(issuePages).values({
    runId: run.id,
    organizationId: run.organizationId,
    pass: APPLY_PASS,
    page,
    body: JSON.stringify(rows.map(storedRow)),
  }).onConflictDoNothing();
}
