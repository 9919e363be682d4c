/** A run's failure report as a file: its name, and its bytes as they are made. Whoever serves or sends it gets the same. */
import { failureCsv, failureJson } from "../report.ts";
import type { Database } from "../store/database.ts";
import { streamIssueRows } from "../store/issues.ts";
import type { StoredRun } from "../store/runs.ts";

export type ReportFormat = "csv" | "json";

/** The input's name with another ending: `people.failures.csv`. */
export function reportName({ drop }: StoredRun, format: ReportFormat): string {
  return `${(drop?.name ?? "run").replace(/\.\w+$/, "")}.failures.${format}`;
}

export function reportBytes(
  db: Database,
  { run }: StoredRun,
  format: ReportFormat,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const rows = streamIssueRows(db, run.organizationId, run.id);
  const input = { columns: run.input?.columns ?? [], delimiter: run.input?.delimiter ?? null };
  return format === "csv" ? failureCsv(rows, input) : failureJson(rows);
}
