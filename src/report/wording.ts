/** How the sender of an input calls its fields, and who its rows are about. No I/O. */
import type { Cell } from "../model/record.ts";
import type { Run } from "../store/runs/runs.ts";

/** Of a name or an id. */
const MAX_SHOWN = 60;
/** Of a value that somebody decides by: as long as the hub takes any of these. */
const MAX_VALUE = 254;

/** How the run's input calls its fields and names its people. */
export function createWording(input: Run["input"]) {
  const { columns = [], fields = [] } = input ?? {};
  // Columns that named an erased person are gone, so the others have other places than their fields.
  const isKnown = columns.length === fields.length;
  const places = new Map(isKnown ? fields.flatMap((field, place) => field === null ? [] : [[field, place]]) : []);
  const names = [...places].map(([field, place]) => [field, columns[place]!.trim()] as const)
    .filter(([field, header]) => header !== field && header !== "");
  const cellOf = (cells: readonly Cell[], field: string, most = MAX_SHOWN) => {
    const cell = cells[places.get(field) ?? -1];
    const text = typeof cell === "string" || typeof cell === "number" ? String(cell).trim() : "";
    return text.length > most ? `${[...text.slice(0, most)].slice(0, -1).join("")}…` : text;
  };
  return {
    personOf(cells: readonly Cell[]): string | null {
      const name = ["first_name", "last_name"].map((field) => cellOf(cells, field)).filter(Boolean).join(" ");
      const ids = ["employee_id", "source_id", "email"].map((field) => cellOf(cells, field).replace(/^'/, ""));
      const id = ids.find(Boolean) ?? "";
      if (name === "") return id === "" ? null : id;
      return id === "" ? name : `${name} (${id})`;
    },
    /** What the row has in these fields, without those that are empty. */
    valuesOf(cells: readonly Cell[], wanted: readonly string[]): string[] {
      return wanted.map((field) => cellOf(cells, field, MAX_VALUE).replace(/^'/, "")).filter(Boolean);
    },
    inTheirWords<I extends { readonly field: string | null; readonly message: string; readonly suggestion: string }>(
      issue: I,
    ): I {
      const named = names.filter(([field]) => field === issue.field || field.includes("_"));
      const inHeaders = (text: string) => named.reduce((left, [field, header]) => renamed(left, field, header), text);
      return {
        ...issue,
        field: names.find(([field]) => field === issue.field)?.[1] ?? issue.field,
        message: inHeaders(issue.message),
        suggestion: inHeaders(issue.suggestion),
      };
    },
  };
}

/** The text with the field's name replaced, where it is not part of a quoted value. */
function renamed(text: string, field: string, header: string): string {
  const plain = field.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const named = new RegExp(`(?<![\\w'-])${plain}(?![\\w'@-])`, "g");
  return text.split(/("[^"]*")/).map((part) =>
    part.startsWith('"') ? part === `"${field}"` ? `"${header}"` : part : part.replace(named, `"${header}"`)
  ).join("");
}
