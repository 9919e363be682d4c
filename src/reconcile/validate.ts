/**
 * Validation of users: a source record goes in, usable values, the status and issues come out.
 *
 * The rules are compiled once; a record without mistakes allocates nothing but its result. Whether an error rejects the
 * row depends on the row's user, so that is left to matching. No I/O. No clock: today is passed in.
 */

import type { Cell, Issue, KeyField, SourceRecord } from "../model/record.ts";
import type { ActiveWords, DateFormat } from "../model/value-settings.ts";
import type { ColumnNote } from "./column-notes.ts";
import { examplePerson } from "./examples.ts";
import { foldName } from "./fold.ts";
import { missingField, missingKey, unknownStatus } from "./issues/required.ts";
import type { Phones } from "./phones.ts";
import { groupsOf, requiredFields, type Requirements } from "./requirements.ts";
import { doubtIssue } from "./values/doubt.ts";
import { createUserReaders } from "./values/fields.ts";
import { refusedIssue } from "./values/issue.ts";
import { PLACEHOLDER } from "./values/text.ts";
import { type Doubtful, isDoubtful, isRefusal, type Reader, type Refusal, type Value } from "./values/value.ts";

export interface ValidationRules extends Requirements {
  readonly key: KeyField;
  readonly dateFormat: DateFormat;
  readonly activeWords: ActiveWords;
  readonly phones: Phones;
  readonly emptyCells: "clear" | "keep";
  /** Employment statuses to import; null: all. Compared folded. */
  readonly onlyStatuses: readonly string[] | null;
  /** `wait`: people whose hire_date is after today are neither active nor inactive. */
  readonly preHires: "import" | "wait";
  /** YYYY-MM-DD in the organization's time zone. */
  readonly today: string;
}

/** The reason why a record is inactive. */
export type InactiveReason = "is_active" | "deactivation_date" | "filtered";

/** Usable values by field: null clears the field, an absent one leaves it alone. on_leave is never null, but false. */
export type Values = Readonly<Record<string, Value>>;

export interface Validated {
  /** Comparable form of the source key; null: it could not be read. */
  readonly key: string | null;
  /** Without source_id, is_active and is_archived, which are not stored. Emails are folded. */
  readonly values: Values;
  /** null: unknown, so the status is left alone. */
  readonly active: boolean | null;
  /** Null unless inactive. An explicit status counts before a date or a filter. */
  readonly activeReason: InactiveReason | null;
  /** A deactivation_date after today, or a hire_date that is waited for: the row must be planned again each day. */
  readonly deactivationFuture: boolean;
  /** One shared empty array when there are none. */
  readonly issues: readonly Issue[];
  /** What cells say about their columns. One shared empty array when they say nothing. */
  readonly notes: readonly ColumnNote[];
  /** An error rejects the row, unless the row is inactive and matches a user. */
  readonly fatal: boolean;
  /** The key, or what the status depends on, could not be read: rejects the row in any case. */
  readonly keyFatal: boolean;
}

/** The role of a field, besides being stored. */
type Role = "plain" | "active" | "archived" | "leaves" | "starts" | "status" | "on_leave" | "key_only";

interface Step {
  readonly name: string;
  readonly read: Reader;
  readonly role: Role;
  readonly isKey: boolean;
  readonly required: boolean;
  /** The fields of which a person needs one, with this one among them; null: it may be empty. */
  readonly oneOf: readonly string[] | null;
}

const ROLES = new Map<string, Role>([
  ["is_active", "active"],
  ["is_archived", "archived"],
  ["deactivation_date", "leaves"],
  ["hire_date", "starts"],
  ["employment_status", "status"],
  ["on_leave", "on_leave"],
  ["source_id", "key_only"],
]);

const NO_ISSUES: readonly Issue[] = Object.freeze([]);
const NO_NOTES: readonly ColumnNote[] = Object.freeze([]);
/** Fields in which a placeholder says that there is nothing: nobody is above, no day to leave. */
const EMPTY_BY_PLACEHOLDER: ReadonlySet<string> = new Set([
  "deactivation_date",
  "manager_id",
  "manager_email",
  "manager_key",
]);
/** Values that count as absent, so that known people keep what is there. */
const DAMAGED: ReadonlySet<string> = new Set(["text_damaged", "spreadsheet_error"]);
/** A character as HTML writes it. */
const ENTITY = /&(?:[a-z][a-z\d]{1,30}|#\d{1,7}|#x[\da-f]{1,6});/i;

/** The state of the current record. One object for all records of a run, as a million would be garbage. */
interface Reading {
  values: Record<string, Value>;
  issues: Issue[] | null;
  notes: ColumnNote[] | null;
  key: string | null;
  keySeen: boolean;
  fatal: boolean;
  keyFatal: boolean;
  /** Whether a status column says that the person is inactive. */
  saysInactive: boolean;
  /** Whether a value that decides the status could not be read. */
  statusUnreadable: boolean;
  leaves: string | null;
  starts: string | null;
  status: string | null;
  /** Fields without a usable value of which a person needs one, or another. */
  emptied: string[] | null;
}

/** The rules, ready to be applied to each record. */
interface Compiled {
  readonly rules: ValidationRules;
  readonly steps: ReadonlyMap<string, Step>;
  /** Whether an employment status is to be imported; null: all are. */
  readonly isWanted: ((status: string) => boolean) | null;
  /** Empty cells clear their fields. */
  readonly clears: boolean;
  /** Fields of which a person needs one. */
  readonly groups: readonly (readonly string[])[];
}

/** Compiles the rules. The validator keeps caches, so make one per run; it never throws. */
export function createValidator(rules: ValidationRules): (record: SourceRecord) => Validated {
  const compiled: Compiled = {
    rules,
    steps: compile(rules),
    isWanted: rules.onlyStatuses === null ? null : createStatusFilter(rules.onlyStatuses),
    clears: rules.emptyCells === "clear",
    groups: groupsOf(rules),
  };
  // Records of one input have the same fields in the same order, so the last record's steps nearly always fit.
  const lastSteps: (Step | null)[] = [];
  const reading = {} as Reading;

  return (record) => {
    begin(reading);
    let place = 0;
    for (const name in record) {
      let step = lastSteps[place];
      if (step === undefined || step === null || step.name !== name) {
        step = compiled.steps.get(name) ?? null;
        lastSteps[place] = step;
      }
      place++;
      const cell = record[name];
      if (step === null || cell === undefined) continue;
      const value = step.read(cell);
      if (step.isKey) reading.keySeen = true;
      if (value === null) noteEmpty(reading, step, compiled);
      else if (value === PLACEHOLDER) notePlaceholder(reading, step, compiled, cell as string);
      else if (typeof value === "object" && isRefusal(value)) noteRefusal(reading, step, compiled, cell, value);
      else if (typeof value === "object" && isDoubtful(value)) noteDoubtful(reading, step, compiled, cell, value);
      else noteValue(reading, step, value, compiled);
    }
    if (!reading.keySeen) {
      addIssue(reading, missingKey(rules.key));
      reading.keyFatal = true;
    }
    const example = examplePerson(reading.key, rules.key, reading.values);
    if (example !== null) {
      addIssue(reading, example);
      reading.keyFatal = true;
    }
    return judge(reading, compiled);
  };
}

function begin(reading: Reading): void {
  reading.values = {};
  reading.issues = null;
  reading.notes = null;
  reading.key = null;
  reading.keySeen = false;
  reading.fatal = false;
  reading.keyFatal = false;
  reading.saysInactive = false;
  reading.statusUnreadable = false;
  reading.leaves = null;
  reading.starts = null;
  reading.status = null;
  reading.emptied = null;
}

function addIssue(reading: Reading, issue: Issue): void {
  (reading.issues ??= []).push(issue);
}

/** An empty cell clears its field, or leaves it alone; the key and required fields must not be empty. */
function noteEmpty(reading: Reading, { name, role, isKey, required, oneOf }: Step, { clears }: Compiled): void {
  if (isKey) {
    addIssue(reading, missingKey(name));
    reading.keyFatal = true;
  } else if (required) {
    if (!clears) return;
    addIssue(reading, missingField([name]));
    reading.fatal = true;
  } else if (clears && role !== "active" && role !== "archived") {
    reading.values[name] = role === "on_leave" ? false : null;
    if (oneOf !== null) (reading.emptied ??= []).push(name);
  }
}

/** A placeholder says nothing, as if the column were not there. */
function notePlaceholder(reading: Reading, step: Step, compiled: Compiled, value: string): void {
  (reading.notes ??= []).push({ code: "placeholder_value", field: step.name, value });
  if (step.isKey || EMPTY_BY_PLACEHOLDER.has(step.name)) noteEmpty(reading, step, compiled);
}

/** Drops an unusable value. In the key, in required fields, and where it decides the status, it is an error. */
function noteRefusal(reading: Reading, step: Step, { isWanted }: Compiled, cell: Cell, refusal: Refusal): void {
  const { name, role, isKey, required } = step;
  const decides = role === "active" || role === "archived" || role === "leaves" ||
    role === "status" && isWanted !== null;
  const fatal = required && !DAMAGED.has(refusal.code);
  addIssue(reading, refusedIssue(isKey || decides || fatal ? "error" : "warning", name, cell, refusal));
  if (isKey) reading.keyFatal = true;
  else if (decides) reading.statusUnreadable = true;
  else if (fatal) reading.fatal = true;
  else if (step.oneOf !== null && !DAMAGED.has(refusal.code)) (reading.emptied ??= []).push(name);
}

/** A record that has all of such fields, and no usable value in them, would leave its person without any. */
function judgeGroups(reading: Reading, { groups }: Compiled): void {
  const { emptied, values } = reading;
  for (const group of groups) {
    if (!group.every((name) => emptied!.includes(name))) continue;
    for (const name of group) delete values[name];
    addIssue(reading, missingField(group));
    reading.fatal = true;
  }
}

/** Uses a value with a warning. */
function noteDoubtful(reading: Reading, step: Step, compiled: Compiled, cell: Cell, { value, doubt }: Doubtful): void {
  addIssue(reading, doubtIssue(step.name, cell, doubt));
  noteValue(reading, step, value, compiled);
}

function noteValue(
  reading: Reading,
  { name, role, isKey }: Step,
  value: Exclude<Value, null>,
  { rules }: Compiled,
): void {
  if (isKey) reading.key = name === "mobile_phone" ? rules.phones.fold(value as string) : value as string;
  switch (role) {
    case "key_only":
      return;
    case "active":
      if (value === false) reading.saysInactive = true;
      return;
    case "archived":
      if (value === true) reading.saysInactive = true;
      return;
    case "leaves":
      reading.leaves = value as string;
      break;
    case "starts":
      reading.starts = value as string;
      break;
    case "status":
      reading.status = value as string;
  }
  reading.values[name] = value;
  if (typeof value !== "string" || !value.includes("&")) return;
  const entity = ENTITY.exec(value);
  if (entity !== null) (reading.notes ??= []).push({ code: "html_entity", field: name, value: entity[0] });
}

/** The record's status, and whether it can be used. */
function judge(reading: Reading, compiled: Compiled): Validated {
  const { rules, isWanted } = compiled;
  if (reading.emptied !== null) judgeGroups(reading, compiled);
  const { leaves, starts, status } = reading;
  const activeReason = whyInactive(reading, rules.today, isWanted);
  const waits = rules.preHires === "wait" && starts !== null && starts > rules.today;
  let active: boolean | null = activeReason === null;
  if (reading.statusUnreadable) {
    // In a row that is inactive anyway, a typo cannot make anybody active.
    if (activeReason !== null) reading.fatal = true;
    else {
      active = null;
      reading.keyFatal = true;
    }
  } else if (active && waits) active = null;
  else if (active && isWanted !== null && status === null) {
    active = null;
    addIssue(reading, unknownStatus());
  }
  return {
    key: reading.key,
    values: reading.values,
    active,
    activeReason,
    deactivationFuture: waits || (leaves !== null && leaves > rules.today),
    issues: reading.issues ?? NO_ISSUES,
    notes: reading.notes ?? NO_NOTES,
    fatal: reading.fatal,
    keyFatal: reading.keyFatal,
  };
}

function whyInactive(
  { saysInactive, leaves, status }: Reading,
  today: string,
  isWanted: Compiled["isWanted"],
): InactiveReason | null {
  if (saysInactive) return "is_active";
  if (leaves !== null && leaves <= today) return "deactivation_date";
  return isWanted !== null && status !== null && !isWanted(status) ? "filtered" : null;
}

function compile(rules: ValidationRules): ReadonlyMap<string, Step> {
  const required = new Set(requiredFields(rules)), groups = groupsOf(rules);
  const steps = new Map<string, Step>();
  for (const [name, read] of createUserReaders(rules)) {
    const role = ROLES.get(name) ?? "plain";
    const isKey = name === rules.key;
    if (role === "key_only" && !isKey) continue;
    const oneOf = groups.find((group) => group.includes(name)) ?? null;
    steps.set(name, { name, read, role, isKey, required: required.has(name), oneOf });
  }
  return steps;
}

function createStatusFilter(wanted: readonly string[]): (status: string) => boolean {
  const folded = new Set(wanted.map(foldName));
  return (status) => folded.has(foldName(status));
}
