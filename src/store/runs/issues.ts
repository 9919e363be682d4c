/**
 * A run's issues in the order of the input, with those of the whole input first. Planning stores them pass by pass; here
 * a row with issues from several passes is merged.
 */
import { and, asc, eq, gt, sql } from "drizzle-orm";
import type { IssueRow } from "../../reconcile/draft.ts";
import { encodeId } from "../../model/id.ts";
import type { Cell, Issue } from "../../model/record.ts";
import { type Audience, issueFor, usersIn } from "../../model/wording.ts";
import type { Database } from "../database.ts";
import { issuePages } from "./schema.ts";
import { readReportPage } from "./report-pages.ts";
import { matches } from "../unchanged.ts";
import type { ListedIssue } from "../../model/issue.ts";

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
      // Issues of the whole input stay separate rows.
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
    const [row] = await db.orm.select({ page: issuePages.page, body: issuePages.body }).from(issuePages)
      .where(and(matches(issuePages, { runId, organizationId, pass }), gt(issuePages.page, after)))
      .orderBy(asc(issuePages.page)).limit(1);
    if (row === undefined) return;
    yield* readReportPage(row.body);
    after = row.page;
  }
}

/**
 * Whom a reader may see in the messages: `people`: everyone; a connection: people who are linked to it; `row`: nobody but
 * the person of the row itself.
 */
export type IssueReader = "people" | "row" | { readonly connectionId: number };

/** The rows, with messages that name only people whom the reader may see. `isShown`: the issues to give; by default all. */
export async function* rowsFor(
  db: Database,
  organizationId: number,
  runId: number,
  reader: IssueReader,
  isShown: (issue: Issue) => boolean = () => true,
  audience: Audience = "person",
): AsyncGenerator<IssueRow> {
  let waiting: IssueRow[] = [];
  for await (const row of streamIssueRows(db, organizationId, runId)) {
    const issues = row.issues.filter(isShown);
    if (issues.length > 0) waiting.push({ ...row, issues });
    if (waiting.length < TOGETHER) continue;
    yield* await worded(db, organizationId, waiting, reader, audience);
    waiting = [];
  }
  yield* await worded(db, organizationId, waiting, reader, audience);
}

/** Rows that are checked together. */
const TOGETHER = 200;

/** The rows with the texts for the reader. */
export async function worded<R extends IssueRow>(
  db: Database,
  organizationId: number,
  rows: readonly R[],
  reader: IssueReader,
  audience: Audience = "person",
): Promise<R[]> {
  const linked = new Set([0]);
  if (typeof reader === "object") {
    const named = JSON.stringify([...new Set(rows.flatMap(({ issues }) => issues.flatMap(usersIn)))]);
    const found = named === "[]" ? [] : await db.rows<[number]>(sql`select l.user_id from json_each(${named}) j
      cross join links l on l.user_id = j.value and +l.connection_id = ${reader.connectionId}
      join connections c on c.id = l.connection_id and c.organization_id = ${organizationId}`);
    for (const [id] of found) linked.add(id);
  }
  const knows = (user: number) => reader === "people" || (reader !== "row" && linked.has(user));
  return rows.map((row) => ({ ...row, issues: row.issues.map((issue) => issueFor(issue, knows, audience)) }));
}

/** An issue by its number in the run (issueNumber), with its row's key; null: there is none. */
export async function findIssue(
  db: Database,
  organizationId: number,
  runId: number,
  number: number,
): Promise<{ readonly key: string | null; readonly issue: Issue } | null> {
  const wanted = number - issueNumber(runId, 0);
  if (wanted < 0 || wanted >= MOST_ISSUES) return null;
  let place = 0;
  for await (const row of streamIssueRows(db, organizationId, runId)) {
    if (wanted < place + row.issues.length) return { key: row.key, issue: row.issues[wanted - place]! };
    place += row.issues.length;
  }
  return null;
}

/** Issues that can be numbered in one run. */
const MOST_ISSUES = 2 ** 22;

/** The number behind the id of the run's issue at this place. */
function issueNumber(runId: number, place: number): number {
  return runId * MOST_ISSUES + place;
}

/** The first rows with issues that together have `limit` issues or more; all of them if they have fewer. */
export async function listIssueRows(
  db: Database,
  organizationId: number,
  runId: number,
  limit: number,
  reader: IssueReader,
): Promise<IssueRow[]> {
  const rows: IssueRow[] = [];
  let issues = 0;
  for await (const row of rowsFor(db, organizationId, runId, reader)) {
    rows.push(row);
    if ((issues += row.issues.length) >= limit) break;
  }
  return rows;
}

/** Issues one by one, after the first `after` of them, worded as in rowsFor for clients of the API. */
export async function listIssues(
  db: Database,
  organizationId: number,
  runId: number,
  { after, limit }: { after: number; limit: number },
  reader: IssueReader = "row",
): Promise<{ issues: readonly ListedIssue[]; next: number | null }> {
  const issues: ListedIssue[] = [];
  let place = 0;
  for await (const row of rowsFor(db, organizationId, runId, reader, undefined, "api")) {
    for (const issue of row.issues) {
      if (place++ < after) continue;
      if (issues.length === limit) return { issues, next: place - 1 };
      issues.push({ id: encodeId("iss", issueNumber(runId, place - 1)), line: row.line, ...issue });
    }
  }
  return { issues, next: null };
}
