/**
 * People as a file, in the columns of the template and the organization's custom fields: users in pages in, a stream out.
 *
 * The file can be imported again as it is, into the same organization or another one, and reads as the same people. No
 * I/O except for the given pages, no clock.
 */
import { keep } from "../intake/apostrophe.ts";
import type { CustomField } from "../model/record.ts";
import { USER_TEMPLATES } from "../model/templates.ts";
import { streamOf, streamText } from "../std/streams.ts";
import type { StoredUser } from "../store/people/users.ts";
import { BYTE_ORDER_MARK, lineOf } from "./csv.ts";
import { writeWorkbook } from "./workbook.ts";

export type PeopleFormat = "csv" | "xlsx" | "ndjson";

type Pages = AsyncIterable<readonly StoredUser[]>;

/** A field's value: text, `true`, a number, or a list of options; null: the field is empty. */
type FieldValue = string | number | boolean | readonly string[] | null;

const COLUMNS = USER_TEMPLATES.custom.map(({ field }) => field);

function columnsOf(customFields: readonly CustomField[]): string[] {
  return [...COLUMNS, ...customFields.map(({ key }) => key)];
}

/** The people of all pages, in their order. */
export function peopleFile(
  format: PeopleFormat,
  pages: Pages,
  customFields: readonly CustomField[],
): ReadableStream<Uint8Array> {
  if (format === "csv") return streamText(csvText(pages, customFields));
  if (format === "ndjson") return streamText(ndjsonText(pages, customFields));
  const header = columnsOf(customFields);
  const widths = header.map(({ length }) => Math.max(12, Math.min(length + 2, 40)));
  return streamOf(writeWorkbook([{ name: "People", widths, rows: sheetRows(pages, customFields) }]));
}

async function* csvText(pages: Pages, customFields: readonly CustomField[]): AsyncGenerator<string, undefined> {
  yield BYTE_ORDER_MARK + lineOf(columnsOf(customFields));
  for await (const page of pages) {
    for (const user of page) yield lineOf(textsOf(user, customFields));
  }
}

async function* sheetRows(
  pages: Pages,
  customFields: readonly CustomField[],
): AsyncGenerator<readonly string[]> {
  yield columnsOf(customFields).map(keep);
  for await (const page of pages) {
    for (const user of page) yield textsOf(user, customFields).map(keep);
  }
}

async function* ndjsonText(pages: Pages, customFields: readonly CustomField[]): AsyncGenerator<string, undefined> {
  for await (const page of pages) {
    for (const user of page) {
      const record = Object.entries(fieldsOf(user, customFields)).map(([field, value]) => [field, jsonValue(value)]);
      yield `${JSON.stringify(Object.fromEntries(record))}\n`;
    }
  }
}

/** Texts are read from JSON as from a cell. */
function jsonValue(value: FieldValue): unknown {
  return typeof value === "string" ? keep(value) : Array.isArray(value) ? value.map(keep) : value;
}

/** The person by the names of a record's fields. */
function fieldsOf({ user, department, manager }: StoredUser, customFields: readonly CustomField[]) {
  const fields: Record<string, FieldValue> = {
    employee_id: user.employeeId,
    email: user.email,
    first_name: user.firstName,
    last_name: user.lastName,
    preferred_name: user.preferredName,
    username: user.username,
    title: user.title,
    department_name: department?.name ?? null,
    manager_id: manager?.employeeId ?? null,
    // Where there is an id, the address could only contradict it: of two people with one address, one may have left.
    manager_email: manager !== null && manager.employeeId === null ? manager.email : null,
    location: user.location,
    phone: user.phone,
    mobile_phone: user.mobilePhone,
    hire_date: user.hireDate,
    deactivation_date: user.deactivationDate,
    employment_status: user.employmentStatus,
    is_active: user.status === "active",
    on_leave: user.onLeave,
    timezone: user.timezone,
    language: user.language,
  };
  for (const { key } of customFields) fields[key] = (user.custom?.[key] ?? null) as FieldValue;
  return fields;
}

/** The person's cells, each as its own text. */
function textsOf(user: StoredUser, customFields: readonly CustomField[]): string[] {
  const fields = fieldsOf(user, customFields);
  return columnsOf(customFields).map((name) => textOf(fields[name] ?? null));
}

function textOf(value: FieldValue): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  // The options of such a field have no commas, and each is read as a cell.
  return Array.isArray(value) ? value.map(keep).join(",") : String(value ?? "");
}
