/** Writes a run's failure report beside the file that was imported. */
import { open, rename, rm } from "node:fs/promises";
import { Fault } from "../errors.ts";
import type { Hub } from "../hub.ts";
import { encodeId } from "../id.ts";
import { failureCsv } from "../report.ts";
import { streamIssueRows } from "../store/issues.ts";
import type { Run } from "../store/runs.ts";

/** Gives where it is, or null when the run has no issues: then a report of an earlier import stays as it is. */
export async function writeFailures(hub: Hub, run: Run, path: string): Promise<string | null> {
  const rows = streamIssueRows(hub.db, run.organizationId, run.id)[Symbol.asyncIterator]();
  const first = await rows.next();
  if (first.done) return null;
  const all = (async function* () {
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => rows };
  })();
  const csv = failureCsv(all, { columns: run.input?.columns ?? [], delimiter: run.input?.delimiter ?? null });
  // Under another name until it is whole: it may stand in for a report that somebody has begun to mend.
  const part = `${path}.part`;
  try {
    const file = await open(part, "w", 0o600);
    try {
      for await (const chunk of csv) await file.write(chunk);
    } finally {
      await file.close();
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
  return path;
}
