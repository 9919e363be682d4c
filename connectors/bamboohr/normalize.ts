/**
 * One row of BambooHR to one record. Pure.
 *
 * BambooHR has many ways to say nothing, and says Active until the day: a date that has passed is of an earlier time.
 */
import type { Connector, FetchedRecord, NormalizeContext } from "../../src/connector.ts";

type Cell = FetchedRecord[string];
type Row = Parameters<Connector["normalize"]>[0];
type Normalized = ReturnType<Connector["normalize"]>;

/** A cell that is absent, or was withheld, leaves its field alone. */
export function normalizeRow(row: Row, { fields, today }: NormalizeContext): Normalized {
  const record: Record<string, Cell> = {};
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i], cell = row.cells[i];
    if (field != null && cell !== undefined) record[field] = plain(cell);
  }
  // Left out, it would mean active.
  record.is_active = statusOf(record.is_active);
  const { is_active: active, deactivation_date: leaves } = record;
  if (active === "yes" && typeof leaves === "string" && leaves < today) record.deactivation_date = null;
  return record;
}

/** Anything but Active and Inactive is neither yes nor no, so that the row is refused and the person left alone. */
function statusOf(cell: Cell): string {
  const text = typeof cell === "string" ? cell.toLowerCase() : "blank";
  return text === "active" ? "yes" : text === "inactive" ? "no" : `(${text})`;
}

/** Empty in any of its spellings is null; numbers are texts, as ids must be; several choices are one text. */
export function plain(cell: Cell): string | null {
  if (cell === null || cell === undefined) return null;
  if (Array.isArray(cell)) return plain(cell.map(labelOf).filter((each) => each !== "").join(", "));
  if (typeof cell === "object") return plain(labelOf(cell));
  if (typeof cell === "boolean") return cell ? "yes" : "no";
  const text = String(cell).trim();
  // A sum without its number is only a currency: " USD".
  if (text === "" || text === "0000-00-00" || (text !== cell && /^[A-Z]{3}$/.test(text))) return null;
  return text;
}

function labelOf(value: unknown): string {
  if (value !== null && typeof value === "object" && "label" in value) return String(value.label);
  return value === null || typeof value === "object" ? "" : String(value);
}
