/** The warning about a value that was used, but may not be what was meant. No I/O. No clock. */

import type { Cell, Issue } from "../../model/record.ts";
import { showCell, valueOf } from "./issue.ts";
import type { Refusal } from "./value.ts";

export function doubtIssue(field: string, cell: Cell, { code, because, suggestion }: Refusal): Issue {
  return {
    severity: "warning",
    code,
    field,
    value: valueOf(cell),
    message: `${showCell(cell)} was used as ${field}, but ${because}`,
    suggestion,
  };
}
