/** Why a file, or rows of it, were not used: one sentence for who sent it. No I/O, no clock. */
import { withoutQuotes } from "../model/quoting.ts";
import type { Counts } from "../model/run.ts";
import type { Run } from "../store/runs/runs.ts";

/** Null: every row was used, or the input is the one that was applied last. `isOpen`: the sentence may quote the file. */
export function whyNotUsed(run: Pick<Run, "status" | "error" | "counts">, isOpen: boolean): string | null {
  const { status, error, counts } = run;
  switch (status) {
    case "superseded":
      return "Nothing of the file was used: a newer file with the same people in it came before this one was used; if " +
        "each file has only what changed, ask your administrator to have all files taken";
    case "cancelled":
      return `${howMuch(counts)}: its run was cancelled in Muster; ask your administrator before you send it again`;
    case "failed": {
      const why = (isOpen ? error : withoutQuotes(error))?.message;
      return why === undefined ? `${howMuch(counts)}: its run failed` : `${howMuch(counts)}: ${why}`;
    }
    default:
      return counts === null || counts.failed === 0 ? null : rowsLeftOut(counts.failed);
  }
}

/** A report that may not lie here, because no key of the customer is known, comes as a link by mail. */
function rowsLeftOut(failed: number): string {
  const rows = failed === 1 ? "1 row of the file was" : `${failed} rows of the file were`;
  return `${rows} not used: the report comes to your technical contact as a link by mail`;
}

/** A run that ended while it was applied may have changed people by then. */
function howMuch(counts: Counts | null): string {
  const { created = 0, updated = 0, deactivated = 0, reactivated = 0 } = counts ?? {};
  return created + updated + deactivated + reactivated > 0
    ? "Only a part of the file was used"
    : "Nothing of the file was used";
}
