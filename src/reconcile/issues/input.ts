/** Issues of a whole input, which belong to no row. Pure. */
import type { Issue } from "../../model/record.ts";
import { issueOf } from "../../model/wording.ts";

export function statusNotInSource(status: string): Issue {
  return issueOf(
    { severity: "warning", code: "status_not_in_source", field: "employment_status", value: status },
    [`No row has the employment status "${status}", which this connection imports`],
    "Choose the connection's statuses again, as the source spells them now",
  );
}

/** `line`: line of the first row whose key cannot be read; null: the input may have been cut off. */
export function missingUnclear(line: number | null): Issue {
  return issueOf(
    { severity: "warning", code: "missing_unclear", field: null, value: null },
    [
      line === null
        ? "The last line has no line end, so nobody is taken as missing: rows may have been cut off"
        : `The key of line ${line} cannot be read, so nobody is taken as missing: it may be anybody's row`,
    ],
    line === null ? "Check that the export is whole, and let it end its last line" : "Correct the row",
  );
}

export function columnVanished(field: string): Issue {
  return issueOf(
    { severity: "warning", code: "column_vanished", field, value: null },
    [`The last full input had a column for "${field}", this one has none: the field was left as it was`],
    "Check the export, or do nothing if the column was taken out on purpose",
  );
}
