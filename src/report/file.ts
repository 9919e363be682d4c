/** A run's failure report as a file: its name, and its bytes as a stream. */
import type { Hub } from "../hub.ts";
import { encryptFor, usableKeys } from "../security/pgp.ts";
import { failureCsv, failureJson, failureWorkbook, hasReportRows } from "./report.ts";
import { whyNotUsed } from "./not-used.ts";
import { createWording } from "./wording.ts";
import { XLSX } from "./workbook.ts";
import { NOT_USED, stemOf } from "../bridge/places.ts";
import type { Issue } from "../model/record.ts";
import type { IssueRow } from "../reconcile/draft.ts";
import type { Database } from "../store/database.ts";
import { type IssueReader, rowsFor } from "../store/runs/issues.ts";
import { listPgpKeys } from "../store/connections/pgp-keys.ts";
import type { Run, StoredRun } from "../store/runs/runs.ts";

export type ReportFormat = "csv" | "xlsx" | "json";

export const REPORT_TYPES: Readonly<Record<ReportFormat, string>> = {
  csv: "text/csv; charset=utf-8",
  xlsx: XLSX,
  json: "application/json",
};

/** The input's name without extensions: `people` for `people.csv` and `people.csv.pgp`. */
export function reportStem({ drop }: StoredRun): string {
  return stemOf(drop?.name ?? "run");
}

/** The input's name with another ending: `people.failures.csv`. */
export function reportName(found: StoredRun, format: ReportFormat): string {
  return `${reportStem(found)}.failures.${format}`;
}

/** `reader`: who reads the report; by default, someone who may read those of the connection. */
export function reportBytes(
  db: Database,
  { run }: StoredRun,
  format: ReportFormat,
  reader: IssueReader = { connectionId: run.connectionId },
): ReadableStream<Uint8Array> {
  const read = () => rowsFor(db, run.organizationId, run.id, reader);
  if (format === "json") return failureJson(read());
  return tableOf(run, format, errorsFirst(read, createWording(run.input).inTheirWords));
}

function tableOf(
  { input }: Run,
  format: "csv" | "xlsx",
  rows: AsyncIterable<IssueRow> | Iterable<IssueRow>,
  isDeclared = false,
): ReadableStream<Uint8Array> {
  const { columns = [], delimiter = null, sheet } = input ?? {};
  return (format === "csv" ? failureCsv : failureWorkbook)(rows, { columns, delimiter, sheet, isDeclared });
}

/** A report that is sent again by the hub itself. */
export interface SmallFile {
  readonly name: string;
  readonly contentType: string;
  readonly content: ReadableStream<Uint8Array>;
}

/** A report of these rows alone, in the form of the input: a workbook of a workbook, everything else as CSV. */
export function reportFile(found: StoredRun, rows: readonly IssueRow[]): SmallFile {
  const format = found.run.input?.format === "xlsx" ? "xlsx" : "csv";
  return {
    name: reportName(found, format),
    contentType: REPORT_TYPES[format],
    content: tableOf(found.run, format, rows, true),
  };
}

/** Rows with errors, then those with warnings alone, in words of the sender. They are read twice, to hold none of them. */
async function* errorsFirst(read: () => AsyncIterable<IssueRow>, word: (issue: Issue) => Issue) {
  for (const wanted of [true, false]) {
    for await (const row of read()) {
      if (row.issues.some(({ severity }) => severity === "error") !== wanted) continue;
      yield { ...row, issues: row.issues.map(word) };
    }
  }
}

/** The first issues of the whole input, which are in no row. */
export async function wholeInputIssues(db: Database, { run }: StoredRun, limit: number): Promise<Issue[]> {
  const found: Issue[] = [];
  for await (const { n, issues } of rowsFor(db, run.organizationId, run.id, { connectionId: run.connectionId })) {
    // They come first.
    if (n >= 0) break;
    found.push(...issues);
    if (found.length >= limit) break;
  }
  return found.slice(0, limit);
}

/** Whether there is a row to correct. Issues of the whole input are none. */
export async function hasRowsToCorrect(db: Database, { run }: StoredRun): Promise<boolean> {
  return await hasReportRows(rowsFor(db, run.organizationId, run.id, "row"));
}

/**
 * The form in which a run's report may be sent without a request for it: by mail, to a server, or beside a file.
 *
 * If the connection uses OpenPGP, or the input was encrypted, the report is encrypted for the customer's registered keys;
 * without a usable key, `file` is null, and only a link may be sent. Otherwise it is plain. A workbook gets a workbook back,
 * everything else CSV.
 */
export interface ReportToSend {
  /** True: people's values may also be in the message around it. */
  readonly isOpen: boolean;
  readonly file: {
    readonly name: string;
    /** Of the report itself, also where it is encrypted. */
    readonly format: ReportFormat;
    readonly contentType: string;
    open(): Promise<ReadableStream<Uint8Array>>;
  } | null;
}

/**
 * What goes back to where a file came from: the report; a note why, if the file, or rows of it, were not used and there is
 * no report to send; null, if every row was used.
 */
export async function fileToReturn(
  hub: Pick<Hub, "db" | "now">,
  found: StoredRun,
): Promise<Pick<NonNullable<ReportToSend["file"]>, "name" | "contentType" | "open"> | null> {
  const report = await reportToSend(hub, found);
  // Rows of a run that was never applied need no correction: a report would say that all other rows were used.
  const wasApplied = found.run.status !== "superseded" && found.run.status !== "cancelled";
  if (wasApplied && report.file !== null && await hasRowsToCorrect(hub.db, found)) return report.file;
  const why = whyNotUsed(found.run, report.isOpen);
  if (why === null) return null;
  return {
    name: `${reportStem(found)}${NOT_USED}`,
    contentType: "text/plain; charset=utf-8",
    open: () => Promise.resolve(new Blob([`${why}.\r\n`]).stream()),
  };
}

export async function reportToSend(hub: Pick<Hub, "db" | "now">, found: StoredRun): Promise<ReportToSend> {
  const { run } = found;
  const format = run.input?.format === "xlsx" ? "xlsx" : "csv";
  const name = reportName(found, format);
  const plain = () => reportBytes(hub.db, found, format);
  const keys = await listPgpKeys(hub.db, run.organizationId, run.connectionId);
  if (keys.length === 0 && !run.encrypted) {
    return {
      isOpen: true,
      file: { name, format, contentType: REPORT_TYPES[format], open: () => Promise.resolve(plain()) },
    };
  }
  const theirs = keys.filter(({ owner, retiredAt }) => owner === "customer" && retiredAt === null);
  const usable = await usableKeys(theirs.map(({ publicKey }) => publicKey), hub.now());
  if (usable.length === 0) return { isOpen: false, file: null };
  return {
    isOpen: false,
    file: {
      name: `${name}.pgp`,
      format,
      contentType: "application/octet-stream",
      open: () => encryptFor(usable, plain(), name, hub.now()),
    },
  };
}
