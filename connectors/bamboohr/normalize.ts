/**
 * One row of BambooHR to one record. Pure.
 *
 * BambooHR has many spellings of an empty value. It reports Active until a person's last day, so for active people a
 * termination date in the past is from an earlier employment.
 */
import type { Connector, FetchedRecord, NormalizeContext } from "../../src/connector.ts";

type Cell = FetchedRecord[string];
type Normalize = NonNullable<Connector["normalize"]>;
type Row = Parameters<Normalize>[0];
type Normalized = ReturnType<Normalize>;

/** Absent and withheld cells leave their fields alone. */
export function normalizeRow(row: Row, { fields, today }: NormalizeContext): Normalized {
  const record: Record<string, Cell> = {};
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i], cell = row.cells[i];
    if (field != null && cell !== undefined) record[field] = plain(cell);
  }
  // A missing value would mean active.
  record.is_active = statusOf(record.is_active);
  const { is_active: active, deactivation_date: leaves } = record;
  if (active === "yes" && typeof leaves === "string" && leaves < today) record.deactivation_date = null;
  return record;
}

/** A status other than Active and Inactive is neither yes nor no: the row is refused, and the person left alone. */
function statusOf(cell: Cell): string {
  const text = typeof cell === "string" ? cell.toLowerCase() : "blank";
  return text === "active" ? "yes" : text === "inactive" ? "no" : `(${text})`;
}

/** Empty values in any spelling become null, numbers become texts (as ids must), several choices become one text. */
export function plain(cell: Cell): string | null {
  if (cell === null || cell === undefined) return null;
  if (Array.isArray(cell)) return plain(cell.map(labelOf).filter((each) => each !== "").join(", "));
  if (typeof cell === "object") return plain(labelOf(cell));
  if (typeof cell === "boolean") return cell ? "yes" : "no";
  const text = String(cell).trim();
  // An amount without its number is only a currency: " USD".
  if (text === "" || text === "0000-00-00" || (text !== cell && /^[A-Z]{3}$/.test(text))) return null;
  return text;
}

function labelOf(value: unknown): string {
  if (value !== null && typeof value === "object" && "label" in value) return String(value.label);
  return value === null || typeof value === "object" ? "" : String(value);
}
