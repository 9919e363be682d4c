/** Writes a run's failure report beside the imported file. */
import { open, rename, rm } from "node:fs/promises";
import { Fault } from "../model/errors.ts";
import type { Hub } from "../hub.ts";
import { encodeId } from "../model/id.ts";
import { hasRowsToCorrect, reportToSend } from "../report/file.ts";
import type { StoredRun } from "../store/runs/runs.ts";

export interface WrittenReport {
  /** Null: the report may leave the hub only encrypted, and the connection has no key of the customer's. */
  readonly path: string | null;
  readonly isEncrypted: boolean;
}

/** Null: the run has no row to correct. The report of an earlier import is then left as it is. */
export async function writeFailures(hub: Hub, found: StoredRun, file: string): Promise<WrittenReport | null> {
  const { run } = found;
  if (!await hasRowsToCorrect(hub.db, found)) return null;
  const report = await reportToSend(hub, found);
  if (report.file === null) return { path: null, isEncrypted: true };
  const path = `${file}.failures.${report.file.format}${report.isOpen ? "" : ".pgp"}`;
  // It replaces an earlier report, which may be in use, only once it is complete.
  const part = `${path}.part`;
  try {
    const written = await open(part, "w", 0o600);
    try {
      for await (const chunk of await report.file.open()) await written.write(chunk);
    } finally {
      await written.close();
    }
    await rename(part, path);
  } catch (cause) {
    await rm(part, { force: true }).catch(() => {});
    throw new Fault(
      "unavailable",
      `Cannot write ${path}; the hub has it as /v1/runs/${encodeId("run", run.id)}/failures.csv`,
      { cause },
    );
  }
  return { path, isEncrypted: !report.isOpen };
}
