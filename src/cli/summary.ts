/** The result of a run, in words and as an exit code. No I/O. */
import type { WrittenReport } from "./failures.ts";
import type { RunView } from "../model/run.ts";
import { count, guardInWords, guardTitle } from "../notify/words.ts";
import { DONE, FAILED, HELD, ROW_ERRORS } from "../runtime/command.ts";

const COUNTS = ["created", "updated", "deactivated", "reactivated", "unchanged", "skipped", "failed"] as const;

export function exitCodeOf(run: RunView): number {
  switch (run.status) {
    case "succeeded":
    case "partial":
    case "planned":
      return run.counts.failed > 0 ? ROW_ERRORS : DONE;
    case "skipped":
      return DONE;
    case "held":
      return HELD;
    default:
      return FAILED;
  }
}

/** Lines for a person. `report`: where the failure report was written; null: the run has none. */
export function summarize(run: RunView, report: WrittenReport | null): string[] {
  const lines = [headline(run), countsOf(run)];
  const { missing, warned, departments_created, departments_updated } = run.counts;
  const also = [
    departments_created > 0 ? `${count(departments_created, "department")} created` : "",
    departments_updated > 0 ? `${count(departments_updated, "department")} updated` : "",
    missing > 0 ? `${count(missing, "person", "people")} missing from the input` : "",
    warned > 0 ? `${count(warned, "row")} with warnings` : "",
  ].filter((part) => part !== "");
  if (also.length > 0) lines.push(also.join(", "));
  for (const held of run.held_by) {
    lines.push(
      COMPARES_NOTHING.has(held.guard)
        ? `${guardTitle(held)}. ${guardInWords(held)}`
        : `The guard "${held.guard}" counts ${number(held.count)}: at most ${number(held.limit)} of ${
          number(held.base)
        }`,
    );
  }
  if (run.status === "held" || run.status === "planned") {
    lines.push(
      `To apply it as planned: POST /v1/runs/${run.id}/approve with {"plan_hash": "${run.plan_hash}"}`,
    );
  }
  if (report !== null) lines.push(whereToCorrect(run, report));
  return lines.filter((line) => line !== "");
}

/** Guards that hold for another reason than a count above a limit. */
const COMPARES_NOTHING: ReadonlySet<string> = new Set(["column", "field_gone", "revert", "parts"]);

function whereToCorrect(run: RunView, { path, isEncrypted }: WrittenReport): string {
  if (path === null) {
    return `What to correct is in /v1/runs/${run.id}/failures.csv of the hub: the connection uses PGP, and has no key of the ` +
      "customer's to encrypt a report with";
  }
  return isEncrypted
    ? `What to correct is in ${path}: decrypt it, correct it, and import it encrypted again`
    : `What to correct is in ${path}: correct it there and import that file`;
}

function headline(run: RunView): string {
  const name = run.drop?.name ?? run.id;
  switch (run.status) {
    case "succeeded":
      return `Imported ${name} (${run.id})`;
    case "partial":
      return `Imported ${name} without the rows that failed (${run.id})`;
    case "planned":
      return `Planned ${name}; nothing is applied (${run.id})`;
    case "held":
      return `Held ${name}; nothing is applied (${run.id})`;
    case "skipped":
    case "failed":
      return `${run.status === "failed" ? "Cannot import" : "Nothing to do for"} ${name}: ${
        run.error?.message ?? "no reason was given"
      } (${run.id})`;
    default:
      return `The run of ${name} is ${run.status} (${run.id})`;
  }
}

function countsOf(run: RunView): string {
  if (run.counts.read === 0) return "";
  const parts = COUNTS.filter((name) => run.counts[name] > 0).map((name) => `${number(run.counts[name])} ${name}`);
  return `${count(run.counts.read, "row")} read: ${parts.join(", ")}`;
}

function number(value: number): string {
  return value.toLocaleString("en");
}
