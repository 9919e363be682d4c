/** A run's failure report as a file: its name, and its bytes as a stream. */
import type { Hub } from "../hub.ts";
import { encryptFor, usableKeys } from "../security/pgp.ts";
import { failureCsv, failureJson } from "./report.ts";
import type { Database } from "../store/database.ts";
import { type IssueReader, rowsFor } from "../store/runs/issues.ts";
import { listPgpKeys } from "../store/connections/pgp-keys.ts";
import type { StoredRun } from "../store/runs/runs.ts";

export type ReportFormat = "csv" | "json";

/** The input's name without extensions: `people` for `people.csv` and `people.csv.pgp`. */
export function reportStem({ drop }: StoredRun): string {
  return (drop?.name ?? "run").replace(/(?:\.(?:pgp|gpg|asc))+$/i, "").replace(/\.\w+$/, "");
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
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const rows = rowsFor(db, run.organizationId, run.id, reader);
  const input = { columns: run.input?.columns ?? [], delimiter: run.input?.delimiter ?? null };
  return format === "csv" ? failureCsv(rows, input) : failureJson(rows);
}

/**
 * The form in which a run's report may be sent without a request for it: by mail, to a server, or beside a file.
 *
 * If the connection uses OpenPGP, or the input was encrypted, the report is encrypted for the customer's registered keys;
 * without a usable key, `file` is null, and only a link may be sent. Otherwise the report is a plain CSV.
 */
export interface ReportToSend {
  /** True: people's values may also be in the message around it. */
  readonly isOpen: boolean;
  readonly file: {
    readonly name: string;
    readonly contentType: string;
    open(): Promise<ReadableStream<Uint8Array>>;
  } | null;
}

export async function reportToSend(hub: Pick<Hub, "db" | "now">, found: StoredRun): Promise<ReportToSend> {
  const { run } = found;
  const name = reportName(found, "csv");
  const plain = () => reportBytes(hub.db, found, "csv");
  const keys = await listPgpKeys(hub.db, run.organizationId, run.connectionId);
  if (keys.length === 0 && !run.encrypted) {
    return {
      isOpen: true,
      file: { name, contentType: "text/csv; charset=utf-8", open: () => Promise.resolve(plain()) },
    };
  }
  const theirs = keys.filter(({ owner, retiredAt }) => owner === "customer" && retiredAt === null);
  const usable = await usableKeys(theirs.map(({ publicKey }) => publicKey), hub.now());
  if (usable.length === 0) return { isOpen: false, file: null };
  return {
    isOpen: false,
    file: {
      name: `${name}.pgp`,
      contentType: "application/octet-stream",
      open: () => encryptFor(usable, plain(), name, hub.now()),
    },
  };
}
