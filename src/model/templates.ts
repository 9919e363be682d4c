/**
 * Templates: the columns of a file that people fill in, for each preset, and two example rows. Data only.
 *
 * The example rows show what a row looks like, and are to be replaced. Their keys are reserved: a row that still has one
 * is refused by name (reconcile/examples.ts), so that nobody imports an example by mistake.
 */
import type { PRESETS } from "./preset.ts";
import type { CustomField } from "./record.ts";

/** A header as the system spells it, and the field that it is read as. */
export interface TemplateColumn {
  readonly header: string;
  readonly field: string;
}

const named = (...fields: readonly string[]): TemplateColumn[] => fields.map((field) => ({ header: field, field }));

/** Without custom fields. */
export const USER_TEMPLATES: Readonly<Record<keyof typeof PRESETS, readonly TemplateColumn[]>> = {
  custom: named(
    "employee_id",
    "email",
    "first_name",
    "last_name",
    "preferred_name",
    "username",
    "title",
    "department_name",
    "manager_id",
    "manager_email",
    "location",
    "phone",
    "mobile_phone",
    "hire_date",
    "deactivation_date",
    "employment_status",
    "is_active",
    "on_leave",
    "timezone",
    "language",
  ),
  betterworks: [
    ...named("employee_id", "email", "first_name", "last_name", "preferred_name", "title", "department_name"),
    ...named("manager_id", "manager_email", "location"),
    { header: "phone_number", field: "phone" },
    ...named("hire_date", "deactivation_date", "is_active", "on_leave"),
  ],
  connecteam: [
    { header: "First name", field: "first_name" },
    { header: "Last name", field: "last_name" },
    { header: "Mobile phone", field: "mobile_phone" },
    { header: "Email", field: "email" },
    { header: "Title", field: "title" },
    { header: "Archive", field: "is_archived" },
  ],
  "ops-com": [
    { header: "unique_id", field: "source_id" },
    { header: "user_name", field: "username" },
    ...named("first_name", "last_name", "email"),
    { header: "phone_cell", field: "mobile_phone" },
    { header: "employ_no", field: "employee_id" },
    { header: "employee_phone", field: "phone" },
  ],
};

export const DEPARTMENT_TEMPLATE: readonly TemplateColumn[] = named(
  "name",
  "parent",
  "department_id",
  "is_active",
  "deactivation_date",
);

/** One value for each example row. */
export type ExamplePair = readonly [string, string];

/** The values that no person has: ids of no source, addresses and phone numbers that are reserved for examples. */
export const EXAMPLE_IDS: ExamplePair = ["EXAMPLE-1", "EXAMPLE-2"];
export const EXAMPLE_EMAILS: ExamplePair = ["first.example@example.com", "second.example@example.com"];
export const EXAMPLE_MOBILES: ExamplePair = ["+1 202 555 0198", "+1 202 555 0199"];
export const EXAMPLE_DEPARTMENTS: ExamplePair = ["Example department", "Example team"];

export const USER_EXAMPLES: Readonly<Record<string, ExamplePair>> = {
  employee_id: EXAMPLE_IDS,
  source_id: EXAMPLE_IDS,
  email: EXAMPLE_EMAILS,
  first_name: ["First", "Second"],
  last_name: ["Example", "Example"],
  preferred_name: ["", "Sec"],
  username: ["first.example", "second.example"],
  title: ["Head of Examples", "Example Assistant"],
  department_name: EXAMPLE_DEPARTMENTS,
  manager_id: ["", EXAMPLE_IDS[0]],
  manager_email: ["", EXAMPLE_EMAILS[0]],
  location: ["Example City", "Example City"],
  phone: ["+1 202 555 0196", "+1 202 555 0197"],
  mobile_phone: EXAMPLE_MOBILES,
  hire_date: ["2024-01-31", "2024-02-29"],
  deactivation_date: ["", ""],
  employment_status: ["Full-time", "Part-time"],
  is_active: ["yes", "yes"],
  is_archived: ["no", "no"],
  on_leave: ["no", "no"],
  timezone: ["Europe/Berlin", "Europe/Berlin"],
  language: ["en", "de"],
};

export const DEPARTMENT_EXAMPLES: Readonly<Record<string, ExamplePair>> = {
  name: EXAMPLE_DEPARTMENTS,
  parent: ["", EXAMPLE_DEPARTMENTS[0]],
  department_id: EXAMPLE_IDS,
  is_active: ["yes", "yes"],
  deactivation_date: ["", ""],
};

/** Example values for a custom field. */
export function customExamples({ type, options }: Pick<CustomField, "type" | "options">): ExamplePair {
  switch (type) {
    case "text":
      return ["Example text", "Another text"];
    case "number":
      return ["12", "37.5"];
    case "date":
      return ["2024-01-31", "2024-02-29"];
    case "boolean":
      return ["yes", "no"];
    case "select":
      return [options[0] ?? "", options[1] ?? ""];
    case "multi_select":
      return [options.slice(0, 2).join(", "), options[0] ?? ""];
    case "email":
      return EXAMPLE_EMAILS;
    case "phone":
      return EXAMPLE_MOBILES;
    case "url":
      return ["https://example.com/first", "https://example.com/second"];
  }
}
