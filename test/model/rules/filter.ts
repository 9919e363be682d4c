/** Whether a row is one to import, by the connection's filters. */
import type { RowCondition, RulePolicy } from "./state.ts";

export type Verdict = "wanted" | "filtered" | "unclear";

/** `status`: the row's employment status, null where there is none. */
export function judgeRow(
  row: Readonly<Record<string, string>>,
  status: string | null,
  { only_statuses: statuses, only_rows: conditions = [] }: RulePolicy,
): Verdict {
  const verdicts = conditions.map((condition) => judgeCell(row[condition.column], condition));
  if (statuses !== undefined) {
    verdicts.push(status === null ? "unclear" : statuses.map(fold).includes(fold(status)) ? "wanted" : "filtered");
  }
  return verdicts.find((verdict) => verdict === "filtered") ?? verdicts.find((verdict) => verdict === "unclear") ??
    "wanted";
}

/** An empty cell adds and deactivates nobody; a column that is not there leaves nobody out. */
function judgeCell(cell: string | undefined, condition: RowCondition): Verdict {
  if (cell === undefined) return "wanted";
  const isNamed = (list: readonly string[]) => list.map(fold).includes(fold(cell));
  if ("is_not" in condition) return isNamed(condition.is_not) ? "filtered" : "wanted";
  return isNamed(condition.is) ? "wanted" : cell.trim() === "" ? "unclear" : "filtered";
}

const fold = (text: string) => text.trim().toLowerCase();
