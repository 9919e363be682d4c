/** Where a person is in the words of others: rows of reports, errors and columns of runs, and events about them. */
import type { IssueRow } from "../reconcile/draft.ts";
import { type EventIssue, type FoundInEvents, readEventWords } from "../store/people/erased-events.ts";
import {
  type FoundInRuns,
  type IssuePage,
  listColumns,
  listErrors,
  readIssuePages,
} from "../store/people/erased-runs.ts";
import { ERASED } from "../store/people/erasure.ts";
import type { PersonSearch } from "./person-search.ts";
import type { Traces } from "./traces.ts";

export async function findInReports(search: PersonSearch): Promise<Omit<FoundInRuns, "plans">> {
  const { hub: { db }, organizationId, traces } = search;
  const issues: FoundInRuns["issues"][number][] = [];
  for await (const { rows, ...page } of rowsOf(search)) {
    issues.push({ ...page, rows: rows.map(({ index, row }) => ({ index, row: emptied(row, traces) })) });
  }
  const errors = (await listErrors(db, organizationId)).filter(({ error }) => traces.mayName(error));
  const columns = (await listColumns(db, organizationId)).flatMap(({ runId, columns }) => {
    const left = traces.withoutNames(columns);
    return left === null ? [] : [{ runId, columns: left }];
  });
  return { issues, errors: errors.map(({ id }) => id), columns };
}

/** Pages of reports with the rows that are the person's or mention them. */
export async function* rowsOf(search: PersonSearch): AsyncGenerator<RowsOfPage> {
  const { hub: { db }, organizationId, traces, connections } = search;
  for await (const { body, ...page } of readIssuePages(db, organizationId)) {
    await search.renew();
    if (!traces.mayName(body)) continue;
    const rows = (JSON.parse(body) as IssueRow[]).map((row, index) => ({ index, row }))
      .filter(({ row }) => traces.isIn(row));
    if (rows.length === 0) continue;
    connections.add(page.connectionId);
    yield { ...page, rows };
  }
}

type RowsOfPage = IssuePage & { readonly rows: readonly { readonly index: number; readonly row: IssueRow }[] };

export async function findInEvents(search: PersonSearch): Promise<FoundInEvents> {
  const { hub: { db }, organizationId, traces } = search;
  const messages: number[] = [];
  const issues: [number, unknown[]][] = [];
  let read = 0;
  for await (const event of readEventWords(db, organizationId)) {
    if (++read % 1000 === 0) await search.renew();
    if (event.message !== null && traces.mayName(JSON.stringify(event.message))) messages.push(event.id);
    const left = event.issues.map((issue) => withoutNames(issue, traces));
    if (left.some((issue, index) => issue !== event.issues[index])) issues.push([event.id, left]);
  }
  return { messages, issues };
}

/** The same issue, if it does not name the person. */
function withoutNames(issue: EventIssue, traces: Traces): EventIssue {
  const field = withoutName(issue.field, traces);
  // Events of earlier versions have no source keys.
  const key = issue.source_key === undefined ? undefined : withoutName(issue.source_key, traces);
  if (field === issue.field && key === issue.source_key) return issue;
  return { ...issue, field, ...(key === undefined ? {} : { source_key: key }) };
}

/** A file without a header has values in the place of its fields' names. */
function withoutName(field: string | null, traces: Traces): string | null {
  return field === null || traces.isNamedIn(field) ? null : field;
}

/** The row's place and the kinds of its issues stay; its values and messages are gone. */
function emptied(row: IssueRow, traces: Traces): IssueRow {
  return {
    n: row.n,
    line: row.line,
    key: null,
    origin: null,
    cells: [],
    issues: row.issues.map(({ severity, code, field }) => ({
      severity,
      code,
      field: withoutName(field, traces),
      value: null,
      message: ERASED,
      suggestion: "There is nothing left to do here",
    })),
  };
}
