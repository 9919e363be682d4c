/**
 * What each field of a file may hold, in words for the people who fill it in: for the templates' second sheet and for
 * docs/fields.md. Data and pure functions.
 */
import { type CustomField, DEPARTMENT_FIELDS, type USER_FIELDS } from "./record.ts";

export interface Explanation {
  /** What the field may hold. */
  readonly holds: string;
  /** What an empty cell does. */
  readonly empty: string;
  readonly examples: string;
}

const CLEARS = "Empties the field";
const KEEPS = "Changes nothing";
const REQUIRED =
  "Is an error where your organization requires the field, as it does by default; else empties the field";
const DATE_FORMS =
  "A date: 2024-01-31, 2024/01/31, 31.01.2024 or 31-Jan-2024. With slashes, as in 31/01/2024, day and " +
  "month are in the order that the connection's date_format sets";
const DATES = "2024-01-31; 31.01.2024; 31-Jan-2024";
const TEXT_254 = "Text of up to 254 characters";
const PHONE = "A phone number of up to 50 characters, kept as it is written";

/** `is_archived` is the opposite of `is_active`, for systems that have it. */
export type ExplainedField = (typeof USER_FIELDS)[number] | "is_archived";

export const USER_EXPLANATIONS: Readonly<Record<ExplainedField, Explanation>> = {
  employee_id: {
    holds: "The person's number or code at your company: text of up to 100 characters, different for each person. " +
      "Zeros in front and capital letters count",
    empty: "Empties the field; is an error where it is the key",
    examples: "000123; A-17",
  },
  source_id: {
    holds:
      "The person's fixed number in the system that the file comes from: text of up to 100 characters. It is used " +
      "where it is the key, and not shown in the hub",
    empty: "Is an error where it is the key",
    examples: "48213",
  },
  email: {
    holds: "One email address of up to 254 characters, different for each active person. Capital letters do not count",
    empty: `${REQUIRED}. Is an error where it is the key`,
    examples: "ana@example.com",
  },
  first_name: { holds: "The given name: text of up to 254 characters", empty: REQUIRED, examples: "Ana" },
  last_name: { holds: "The family name: text of up to 150 characters", empty: REQUIRED, examples: "Novak; 't Hart" },
  preferred_name: {
    holds: `The name that the person goes by: text of up to 254 characters`,
    empty: CLEARS,
    examples: "Annie",
  },
  username: { holds: TEXT_254, empty: CLEARS, examples: "anovak" },
  title: { holds: `The job title: text of up to 254 characters`, empty: CLEARS, examples: "Engineer" },
  department_name: {
    holds: "The department's name, of up to 254 characters. A department that does not exist yet is created",
    empty: CLEARS,
    examples: "Finance",
  },
  manager_id: {
    holds:
      "The employee_id of the person's manager, who may be anywhere in the file. It counts more than manager_email",
    empty: "The person has no manager, unless manager_email names one",
    examples: "000100",
  },
  manager_email: {
    holds: "The email address of the person's manager, who may be anywhere in the file",
    empty: "The person has no manager, unless manager_id names one",
    examples: "lee@example.com",
  },
  manager_key: {
    holds: "The manager by the key of the same connection, such as the number in the source system",
    empty: "The person has no manager, unless manager_id or manager_email names one",
    examples: "48001",
  },
  location: { holds: TEXT_254, empty: CLEARS, examples: "Berlin" },
  phone: { holds: PHONE, empty: CLEARS, examples: "+49 30 1234567; 030 1234567 ext. 12" },
  mobile_phone: {
    holds: PHONE,
    empty: "Empties the field; is an error where it is the key",
    examples: "+1 202 555 0143",
  },
  hire_date: { holds: `The first day of work. ${DATE_FORMS}`, empty: CLEARS, examples: DATES },
  deactivation_date: {
    holds: `The day on which the person leaves and is deactivated, which may be to come. ${DATE_FORMS}`,
    empty: "The person does not leave: empties the field",
    examples: DATES,
  },
  employment_status: {
    holds:
      "The status as your system names it: text of up to 254 characters. A connection may import some statuses only",
    empty: CLEARS,
    examples: "Full-time; On leave",
  },
  is_active: {
    holds: "Whether the person works for you: yes or no (also true, false, y, n, 1, 0), or a word such as active, on " +
      "leave, inactive, terminated, leaver, archived or suspended",
    empty:
      "Says nothing: a person whom the hub knows stays as they are, and nobody new is added, unless the column has " +
      "no words, or words of leavers alone",
    examples: "yes; no; active; terminated",
  },
  is_archived: {
    holds: "Whether the person is archived, that is, has left: yes or no",
    empty: "Says nothing: a person whom the hub knows stays as they are",
    examples: "no; yes",
  },
  on_leave: {
    holds: "Whether the person is away for a longer time: yes or no (also true, false, y, n, 1, 0)",
    empty: "Means no",
    examples: "yes; no",
  },
  timezone: { holds: "The name of a time zone in the IANA list", empty: CLEARS, examples: "Europe/Berlin" },
  language: { holds: "The code of a language, with or without a country", empty: CLEARS, examples: "en; pt-BR" },
};

export const DEPARTMENT_EXPLANATIONS: Readonly<Record<(typeof DEPARTMENT_FIELDS)[number], Explanation>> = {
  name: {
    holds: "The department's name: text of up to 254 characters, different for each department",
    empty: "Is an error",
    examples: "Finance",
  },
  parent: {
    holds: "The name of the department one level up",
    empty: "The department is at the top",
    examples: "Operations",
  },
  department_id: {
    holds:
      "The department's fixed number or code, of up to 100 characters. With it, another name renames the department",
    empty: "The department is found by its name",
    examples: "D-20",
  },
  is_active: {
    holds: "Whether the department exists: yes or no, or a word such as active or inactive",
    empty: "Means yes",
    examples: "yes; no",
  },
  deactivation_date: {
    holds: `The day on which the department closes. ${DATE_FORMS}`,
    empty: "The department does not close",
    examples: DATES,
  },
};

/** What each type of a custom field may hold; `options` and lengths are the field's own. */
export const TYPE_EXPLANATIONS: Readonly<Record<CustomField["type"], Explanation>> = {
  text: { holds: "Text", empty: CLEARS, examples: "Blue" },
  number: {
    holds: "A number of up to 15 digits, with a dot before decimals and nothing between thousands",
    empty: CLEARS,
    examples: "12; 1234.5",
  },
  date: { holds: DATE_FORMS, empty: CLEARS, examples: DATES },
  boolean: { holds: "Yes or no (also true, false, y, n, 1, 0)", empty: CLEARS, examples: "yes; no" },
  select: { holds: "One of the field's options", empty: CLEARS, examples: "" },
  multi_select: { holds: "Any of the field's options, separated by commas", empty: CLEARS, examples: "" },
  email: { holds: "One email address", empty: CLEARS, examples: "ana@example.com" },
  phone: { holds: PHONE, empty: CLEARS, examples: "+1 202 555 0143" },
  url: {
    holds: "A web address that begins with https:// or http://",
    empty: CLEARS,
    examples: "https://example.com/ana",
  },
};

/** A custom field with its own name, options and length. */
export function explainCustom({ key, label, type, required, options, maxLength }: CustomField): Explanation {
  const { holds, empty, examples } = TYPE_EXPLANATIONS[type];
  const hasOptions = type === "select" || type === "multi_select";
  const about = label === key ? "" : `${label}. `;
  const length = type === "text" ? ` of up to ${maxLength ?? 254} characters` : "";
  const list = !hasOptions ? "" : options.length === 0 ? ", of which there are none yet" : `: ${options.join("; ")}`;
  return {
    holds: `${about}${holds}${length}${list}`,
    empty: required ? "Is an error: every person needs a value" : empty,
    examples: !hasOptions
      ? examples
      : type === "select"
      ? options.slice(0, 2).join("; ")
      : options.slice(0, 2).join(", "),
  };
}

/** The explanation for files of a connection with this policy of empty cells. */
export function withEmptyCells(explanation: Explanation, emptyCells: "clear" | "keep"): Explanation {
  return emptyCells === "keep" ? { ...explanation, empty: KEEPS } : explanation;
}
