/**
 * A run's issues, in the order of the input with those of the whole input first. Planning stores them pass by pass; a
 * row with issues from several passes is put together here.
 */
import { and, asc, eq, gt } from "drizzle-orm";
import type { IssueCode } from "../codes.ts";
import type { FaultCode } from "../errors.ts";
import type { IssueRow } from "../reconcile/draft.ts";
import type { Cell, Issue } from "../record.ts";
import type { Database } from "./database.ts";
import { issuePages } from "./schema.ts";

/** Rows with issues, each once. */
export async function* streamIssueRows(
  db: Database,
  organizationId: number,
  runId: number,
): AsyncGenerator<IssueRow & { readonly cells: readonly Cell[] }> {
  const passes = await db.orm.selectDistinct({ pass: issuePages.pass }).from(issuePages)
    .where(and(eq(issuePages.runId, runId), eq(issuePages.organizationId, organizationId))).orderBy(issuePages.pass);
  const streams = passes.map(({ pass }) => rowsOfPass(db, organizationId, runId, pass)[Symbol.asyncIterator]());
  const heads = await Promise.all(streams.map((stream) => stream.next()));
  for (;;) {
    const open = heads.filter((head) => head.done !== true).map((head) => head.value as IssueRow);
    if (open.length === 0) return;
    const n = Math.min(...open.map((row) => row.n));
    let row: IssueRow | null = null;
    for (const [index, head] of heads.entries()) {
      if (head.done === true || head.value.n !== n) continue;
      row = row === null ? head.value : merge(row, head.value);
      heads[index] = await streams[index]!.next();
      // Issues of the whole input are rows of their own.
      if (n < 0) break;
    }
    yield row!;
  }
}

function merge(row: IssueRow, other: IssueRow): IssueRow {
  return {
    ...row,
    key: row.key ?? other.key,
    cells: row.cells.length === 0 ? other.cells : row.cells,
    issues: [...row.issues, ...other.issues],
  };
}

async function* rowsOfPass(
  db: Database,
  organizationId: number,
  runId: number,
  pass: number,
): AsyncGenerator<IssueRow> {
  for (let after = -1;;) {
    const [row] = await db.orm.select({ page: issuePages.page, body: issuePages.body }).from(issuePages).where(and(
      eq(issuePages.runId, runId),
      eq(issuePages.organizationId, organizationId),
      eq(issuePages.pass, pass),
      gt(issuePages.page, after),
    )).orderBy(asc(issuePages.page)).limit(1);
    if (row === undefined) return;
    yield* JSON.parse(row.body) as IssueRow[];
    after = row.page;
  }
}

export interface IssueView extends Omit<Issue, "code"> {
  /** Of a run that failed, the fault that stopped it is an issue of the whole input. */
  readonly code: IssueCode | FaultCode;
  readonly line: number | null;
}

/** Issues one by one, after the first `after` of them. */
export async function listIssues(
  db: Database,
  organizationId: number,
  runId: number,
  { after, limit }: { after: number; limit: number },
): Promise<{ issues: readonly IssueView[]; next: number | null }> {
  const issues: IssueView[] = [];
  let place = 0;
  for await (const row of streamIssueRows(db, organizationId, runId)) {
    for (const issue of row.issues) {
      if (place++ < after) continue;
      if (issues.length === limit) return { issues, next: place - 1 };
      issues.push({ line: row.line, ...issue });
    }
  }
  return { issues, next: null };
}
