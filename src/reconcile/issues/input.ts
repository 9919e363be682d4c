/** Issues of a whole input, which belong to no row. Pure. */
import type { Issue } from "../../model/record.ts";
import { issueOf } from "../../model/wording.ts";
import type { Noted } from "../column-notes.ts";
import { showCell } from "../values/issue.ts";

export function statusNotInSource(status: string): Issue {
  return issueOf(
    { severity: "warning", code: "status_not_in_source", field: "employment_status", value: status },
    [`No row has the employment status "${status}", which this connection imports`],
    "Choose the connection's statuses again, as the source spells them now",
  );
}

/** `column`: of the filter of rows. */
export function filterColumnMissing(column: string): Issue {
  return issueOf(
    { severity: "warning", code: "filter_column_missing", field: column, value: null },
    [`There is no column "${column}", by which this connection chooses its rows: nobody was left out by it`],
    "Send the column, or correct its name in the connection's only_rows",
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

/** Of several files that together hold everybody, one before this was not used, or not as a whole. */
export function partsBroken(): Issue {
  return issueOf(
    { severity: "warning", code: "missing_unclear", field: null, value: null },
    ["A file that holds everybody together with this one was not used as a whole, so nobody is taken as missing"],
    "Correct that file, and send all of them again together",
  );
}

/** Rows without their last cells. */
export function cellsMissing({ count, lines }: { readonly count: number; readonly lines: readonly number[] }): Issue {
  const cells = count === 1 ? "1 row has fewer cells" : `${count} rows have fewer cells`;
  return issueOf(
    { severity: "warning", code: "cells_missing", field: null, value: null },
    [`${cells} than the header${placesOf(count, lines)}: the missing ones at the end were left as they are`],
    "Do nothing if a spreadsheet has left empty cells out; to clear fields, send the empty cells",
  );
}

/** Rows that a sheet does not show. */
export function rowsHidden({ count, lines }: { readonly count: number; readonly lines: readonly number[] }): Issue {
  const rows = count === 1 ? "1 row of the sheet is" : `${count} rows of the sheet are`;
  return issueOf(
    { severity: "warning", code: "rows_hidden", field: null, value: null },
    [`${rows} hidden${placesOf(count, lines)}, by hand or by a filter: hidden rows are read like all others`],
    "Delete the rows if they are not meant; otherwise do nothing, or show them",
  );
}

/** ` (lines 3, 4 and 7 more)`; nothing where there are no lines. */
function placesOf(count: number, lines: readonly number[]): string {
  const more = count > lines.length ? ` and ${count - lines.length} more` : "";
  return lines.length === 0 ? "" : ` (${count === 1 ? "line" : "lines"} ${lines.join(", ")}${more})`;
}

/** Cells of one column that show the same about it. */
export function columnNoted({ code, field, count, lines, values }: Noted): Issue {
  const value = values[0]!, where = placesOf(count, lines);
  const [message, suggestion] = COLUMN_TEXTS[code]({ field, where, values, shown: showCell(value), count });
  return issueOf({ severity: "warning", code, field, value }, [message], suggestion);
}

interface ColumnText {
  readonly field: string;
  /** ` (lines 3 and 4)`. */
  readonly where: string;
  readonly shown: string;
  readonly values: readonly string[];
  readonly count: number;
}

/** The message and the suggestion of what cells show about their column. */
const COLUMN_TEXTS: {
  readonly [code in Noted["code"]]: (text: ColumnText) => readonly [message: string, suggestion: string];
} = {
  placeholder_value: ({ field, where, shown, count }) => [
    `${cellsOf(count, field)} ${count === 1 ? "holds" : "hold"} a placeholder like ${shown}${where}: it says nothing`,
    "Leave such cells empty to clear the field; otherwise do nothing",
  ],
  html_entity: ({ field, where, shown, count }) => [
    `${cellsOf(count, field)} ${
      count === 1 ? "has" : "have"
    } characters as web pages write them, like ${shown}${where}`,
    "Let the export write plain text, like & for &amp;",
  ],
  date_order_suspect: ({ field, where, shown, count }) => [
    `${cellsOf(count, field)} like ${shown}${where} can be read in two orders, and the other dates of the column fit ` +
    "only the one that is not declared: such dates were not used",
    "Set the connection's date_format to the order of the source, and send the file again",
  ],
  status_unclear: ({ field, where, values, count }) => [
    `${count === 1 ? "1 row has" : `${count} rows have`} ${values.map(showCell).join(", ")} in the column "${field}"` +
    `${where}, and no column says who is active: these people were neither created nor changed`,
    `Map "${field}" to is_active, or to employment_status and choose the statuses to import (only_statuses); to import ` +
    "everybody, map it to nothing",
  ],
};

function cellsOf(count: number, field: string): string {
  return `${count} ${count === 1 ? "cell" : "cells"} of "${field}"`;
}

/** A status column that earlier inputs had, and this one does not. */
export function statusGone(): Issue {
  return issueOf(
    { severity: "warning", code: "column_vanished", field: "is_active", value: null },
    ["Earlier inputs had a column for who is active, this one has none: everybody's status was left as it was"],
    "Check the export: if the column was renamed, map its new header; do nothing if it was taken out on purpose",
  );
}

/** `header`: what the column was called. */
export function columnVanished(field: string, header: string): Issue {
  return issueOf(
    { severity: "warning", code: "column_vanished", field, value: null },
    [
      `The last full input had a column for "${field}"${
        header === field ? "" : `, called "${header}"`
      }, this one has ` +
      "none: the field was left as it was",
    ],
    "Check the export: if the column was renamed, map its new header; do nothing if it was taken out on purpose",
  );
}
