/** From a row to what it says: values by field, a status, and what is wrong with it. */
import { judgeRow } from "./filter.ts";
import { foldPhone, isPhone } from "./phones.ts";
import type { Column, Connection, Field, ManagerField, Memory } from "./state.ts";
import { FIELDS, MANAGER_FIELDS } from "./state.ts";

export interface RowError {
  readonly code: string;
  readonly field: Column;
}

export interface Record_ {
  readonly line: number;
  /** The used cells, cleaned; what is not there says nothing. */
  readonly cells: ReadonlyMap<Column, string>;
  readonly key: string | null;
  /** Null: the cell is empty. Absent: the row says nothing of the field. */
  readonly values: { readonly [field in Field]?: string | null };
  /** Whom it names as manager, in the same way. */
  readonly manager: { readonly [field in ManagerField]?: string | null };
  /** Unclear: a filter finds nothing to go by. Then the person stays as they are, and nobody is created. */
  readonly status: "active" | "inactive" | "nothing" | "unclear";
  /** Inactive for no other reason than that a filter leaves the row out. */
  readonly isFiltered: boolean;
  /** What the cell of `is_active` says; null: nothing that can be read. */
  readonly word: "active" | "inactive" | null;
  /** Whether it is the cell of `is_active` that is empty, in a column that is there. */
  readonly isBlank: boolean;
  /** What rejects the row, unless it says inactive of somebody known. */
  readonly errors: readonly RowError[];
  /** Fields whose cells cannot be used, whether or not that rejects the row, each with its code. */
  readonly unread: readonly string[];
}

const PLACEHOLDERS = new Set(["NULL", "null", "nan", "NaN", "n/a", "N/A", "-"]);
const NAMES: readonly Column[] = ["first_name", "last_name"];
const REQUIRED: readonly Field[] = ["email", "first_name", "last_name"];
const ACTIVE = new Set(["yes", "true", "y", "on", "1", "x", "active", "enabled", "employed", "current", "on leave"]);
const INACTIVE = new Set(["no", "false", "n", "off", "0", "inactive", "disabled", "terminated", "leaver", "left"]);
const LIMITS: Readonly<Record<Field, number>> = {
  employee_id: 100,
  email: 254,
  mobile_phone: 50,
  first_name: 254,
  last_name: 150,
  title: 254,
  department_name: 254,
  employment_status: 254,
  hire_date: 254,
  deactivation_date: 254,
};

const isOfManager = (column: Column) => (MANAGER_FIELDS as readonly Column[]).includes(column);

/** The columns of an input that are used, in its order. */
export function columnsOf(headers: readonly string[]): Column[] {
  return headers.filter((header) =>
    header === "is_active" || ([...FIELDS, ...MANAGER_FIELDS] as readonly string[]).includes(header)
  ) as Column[];
}

/** What the connection remembers with these rows read. */
export function remember(
  memory: Memory,
  columns: readonly Column[],
  rows: readonly Readonly<Record<string, string>>[],
): Memory {
  const cellsOf = (column: Column) => columns.includes(column) ? rows.map((row) => clean(row[column]!)) : [];
  const words = cellsOf("is_active").map((word) => word.toLowerCase());
  return {
    ...memory,
    activeRead: memory.activeRead || words.some((word) => ACTIVE.has(word)),
    inactiveRead: memory.inactiveRead || words.some((word) => INACTIVE.has(word)),
    dateRead: memory.dateRead || cellsOf("deactivation_date").some(isDate),
  };
}

export function readRecord(
  row: Readonly<Record<string, string>>,
  line: number,
  columns: readonly Column[],
  connection: Connection,
  memory: Memory,
  today: string,
): Record_ {
  const cells = new Map<Column, string>();
  for (const column of columns) {
    const cell = clean(row[column]!);
    if (!PLACEHOLDERS.has(cell) || NAMES.includes(column)) cells.set(column, cell);
    else if (column === "deactivation_date" || isOfManager(column)) cells.set(column, "");
  }
  const values: { [field in Field]?: string | null } = {}, errors: RowError[] = [], unread: string[] = [];
  for (const field of FIELDS) {
    const cell = cells.get(field);
    if (cell === undefined) continue;
    const code = errorOf(field, cell);
    // Where empty cells clear nothing, they say nothing.
    if (code === null && (cell !== "" || connection.policy.empty_cells === "clear")) values[field] = read(field, cell);
    if (code !== null) unread.push(`${code} ${field}`);
    if (code !== null && rejects(field, connection)) errors.push({ code, field });
  }
  const manager: { [field in ManagerField]?: string | null } = {};
  for (const field of MANAGER_FIELDS) {
    const cell = cells.get(field);
    if (cell === undefined || (cell === "" && connection.policy.empty_cells === "keep")) continue;
    const kind = field === "manager_id" ? "employee_id" : "email";
    const code = errorOf(kind, cell);
    if (code === null) manager[field] = read(kind, cell);
    else unread.push(`${code} ${field}`);
  }
  for (const field of REQUIRED) {
    if (values[field] === null && connection.policy.empty_cells === "clear") {
      errors.push({ code: "required_field_missing", field });
    }
  }
  const own = values[connection.key] ?? null, key = own && connection.key === "mobile_phone" ? foldPhone(own) : own;
  const isPast = (date: string) => connection.policy.leavers === "on_date" ? date <= today : date < today;
  const verdict = judgeRow(row, values.employment_status ?? null, connection.policy);
  const { status, isUnreadable } = statusOf(cells, columns, memory, isPast, verdict);
  const isFiltered = status === "inactive" && statusOf(cells, columns, memory, isPast, "wanted").status !== "inactive";
  if (isUnreadable) errors.push({ code: "value_invalid", field: "is_active" });
  const isBlank = cells.get("is_active") === "" || (columns.includes("is_active") && !cells.has("is_active"));
  const said = cells.get("is_active")?.toLowerCase() ?? "";
  const word = ACTIVE.has(said) ? "active" : INACTIVE.has(said) ? "inactive" : null;
  return { line, cells, key, values, manager, status, isFiltered, word, isBlank, errors, unread };
}

function statusOf(
  cells: ReadonlyMap<Column, string>,
  columns: readonly Column[],
  memory: Memory,
  isPast: (date: string) => boolean,
  verdict: ReturnType<typeof judgeRow>,
) {
  const word = cells.get("is_active")?.toLowerCase() ?? "", date = cells.get("deactivation_date") ?? "";
  const isUnreadable = word !== "" && !ACTIVE.has(word) && !INACTIVE.has(word);
  if (INACTIVE.has(word) || (isDate(date) && isPast(date))) return { status: "inactive", isUnreadable } as const;
  if (verdict === "filtered") return { status: "inactive", isUnreadable } as const;
  if (verdict === "unclear") return { status: "unclear", isUnreadable } as const;
  const hasWords = memory.activeRead || memory.inactiveRead;
  const hasNeither = !columns.includes("is_active") && !columns.includes("deactivation_date");
  if ((word === "" && hasWords) || (hasNeither && memory.dateRead)) return { status: "nothing", isUnreadable } as const;
  return { status: "active", isUnreadable } as const;
}

/** Why the cell cannot be used, or null. */
function errorOf(field: Field, cell: string): string | null {
  if (cell === "") return null;
  if (field === "email") return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(cell) ? null : "email_invalid";
  if (field === "hire_date" || field === "deactivation_date") return isDate(cell) ? null : "date_invalid";
  if (field === "mobile_phone" && cell.length <= LIMITS[field] && !isPhone(cell)) return "value_invalid";
  return [...cell].length > LIMITS[field] ? "too_long" : null;
}

/** Whether an error in the field rejects the row, rather than the value alone. */
function rejects(field: Field, { key, policy }: Connection): boolean {
  if (field === "employment_status") return policy.only_statuses !== undefined;
  return field === key || REQUIRED.includes(field) || field === "deactivation_date";
}

function read(field: Field, cell: string): string | null {
  if (cell === "") return null;
  return field === "email" ? cell.toLowerCase() : cell;
}

function clean(cell: string): string {
  return cell.trim().normalize("NFC");
}

function isDate(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
