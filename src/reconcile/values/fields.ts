/**
 * The reader of each field: an organization's rules go in, readers by field name come out. No I/O. No clock.
 */

import type { CustomField, KeyField } from "../../model/record.ts";
import type { ActiveWords, DateFormat } from "../../model/value-settings.ts";
import type { Phones } from "../phones.ts";
import { createArchivedReader, createStatusReader, readYesNo } from "./boolean.ts";
import { createCustomReader } from "./custom.ts";
import { createDateReader, type DateOrder } from "./date.ts";
import { readEmail } from "./email.ts";
import { createLanguageReader, createTimezoneReader } from "./locale.ts";
import { readPhone } from "./phone.ts";
import { createNameReader, createTextReader, readId } from "./text.ts";
import { type Reader, withoutDoubt } from "./value.ts";

export interface ReadingRules {
  /** The field whose values a manager_key has; null reads it as an id. */
  readonly key: KeyField | null;
  readonly dateFormat: DateFormat;
  readonly activeWords: ActiveWords;
  readonly phones: Phones;
  readonly customFields: readonly CustomField[];
  /** Where the order of a column's dates is noted; absent: there is no column. */
  readonly dateOrder?: (field: string) => DateOrder;
}

/**
 * Readers of a user's fields and of the custom ones. `is_archived` is the opposite of `is_active`, for sources that
 * have it. Of `is_active` some readings are letters (values/boolean.ts).
 */
export function createUserReaders(rules: ReadingRules): ReadonlyMap<string, Reader> {
  const text = createTextReader(254), name = createNameReader(254);
  const { dateFormat, dateOrder } = rules;
  const readers = new Map<string, Reader>([
    ["employee_id", readId],
    ["source_id", readId],
    ["email", readEmail],
    ["first_name", name],
    ["last_name", createNameReader(150)],
    ["preferred_name", name],
    ["username", text],
    ["title", text],
    ["department_name", text],
    ["manager_id", readId],
    ["manager_email", readEmail],
    ["manager_key", createKeyReader(rules)],
    ["location", text],
    ["phone", readPhone],
    ["mobile_phone", readPhone],
    ["hire_date", createDateReader(dateFormat, { order: dateOrder?.("hire_date") })],
    ["deactivation_date", createDateReader(dateFormat, { openEnd: true, order: dateOrder?.("deactivation_date") })],
    ["employment_status", text],
    ["is_active", createStatusReader(rules.activeWords)],
    ["is_archived", createArchivedReader(rules.activeWords)],
    ["on_leave", readYesNo],
    ["timezone", createTimezoneReader()],
    ["language", createLanguageReader()],
  ]);
  for (const field of rules.customFields) {
    if (readers.has(field.key)) continue;
    const order = field.type === "date" ? dateOrder?.(field.key) : undefined;
    readers.set(field.key, createCustomReader(field, dateFormat, order));
  }
  return readers;
}

/** Reads a source key into its comparable form: an email in lower case, a phone's number, an id as it is. */
export function createKeyReader({ key, phones }: Pick<ReadingRules, "key" | "phones">): Reader {
  if (key === "email") return readEmail;
  if (key !== "mobile_phone") return readId;
  return (cell) => {
    const phone = withoutDoubt(readPhone(cell));
    return typeof phone === "string" ? phones.fold(phone) : phone;
  };
}
