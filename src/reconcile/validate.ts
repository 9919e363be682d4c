/**
 * Validation of users: source records go in, usable values, the status and issues come out.
 *
 * All records of a batch are read before any is judged, as cells of one row show what those of another mean. The rules
 * are compiled once; a record without mistakes allocates nothing but its results. Whether an error rejects the row
 * depends on the row's user, so that is left to matching. No I/O. No clock: today is passed in.
 */

import type { Cell, Issue, KeyField, SourceRecord } from "../model/record.ts";
import type { ActiveWords, DateFormat } from "../model/value-settings.ts";
import type { ColumnFacts } from "./column-facts.ts";
import type { ColumnNote } from "./column-notes.ts";
import { examplePerson } from "./examples.ts";
import { missingField, missingKey } from "./issues/required.ts";
import { createJudge, type StatusRules } from "./judge-status.ts";
import type { RowVerdict } from "./row-filter.ts";
import type { Phones } from "./phones.ts";
import { groupsOf, requiredFields, type Requirements } from "./requirements.ts";
import type { ReadRecord, Validated } from "./validated.ts";
import type { Letter } from "./values/boolean.ts";
import { doubtIssue } from "./values/doubt.ts";
import { createUserReaders } from "./values/fields.ts";
import { refusedIssue } from "./values/issue.ts";
import { PLACEHOLDER } from "./values/text.ts";
import { type Doubtful, isDoubtful, isRefusal, type Reader, type Refusal, type Value } from "./values/value.ts";

export interface ValidationRules extends Requirements, StatusRules {
  readonly key: KeyField;
  readonly dateFormat: DateFormat;
  readonly activeWords: ActiveWords;
  readonly phones: Phones;
  readonly emptyCells: "clear" | "keep";
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
type Reading = { -readonly [property in Exclude<keyof ReadRecord, "notes">]: ReadRecord[property] } & {
  values: Record<string, Value>;
  notes: ColumnNote[] | null;
  keySeen: boolean;
  /** Fields without a usable value of which a person needs one, or another. */
  emptied: string[] | null;
};

/** The rules, ready to be applied to each record. */
interface Compiled {
  readonly rules: ValidationRules;
  readonly facts: ColumnFacts;
  readonly steps: ReadonlyMap<string, Step>;
  /** Empty cells clear their fields. */
  readonly clears: boolean;
  /** Fields of which a person needs one. */
  readonly groups: readonly (readonly string[])[];
}

/**
 * Compiles the rules. The validator keeps caches, so make one per plan; it never throws. `facts`: what the columns mean
 * is asked of them, and what the records show is added. `rows`: what the filter of rows says of each record's row.
 */
export function createValidator(
  rules: ValidationRules,
  facts: ColumnFacts,
): (records: readonly SourceRecord[], rows?: readonly RowVerdict[]) => Validated[] {
  const compiled: Compiled = {
    rules,
    facts,
    steps: compile(rules, facts),
    clears: rules.emptyCells === "clear",
    groups: groupsOf(rules),
  };
  const read = createRecordReader(compiled), judge = createJudge(rules, facts);
  return (records, rows) => records.map(read).map((record, i) => judge(record, rows?.[i]));
}

/** Reads what the cells of a record say. */
function createRecordReader(compiled: Compiled): (record: SourceRecord) => ReadRecord {
  const { rules } = compiled;
  // Records of one input have the same fields in the same order, so the last record's steps nearly always fit.
  const lastSteps: (Step | null)[] = [];

  return (record) => {
    const reading = begin();
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
      if (step.role === "leaves") reading.leavesGiven = true;
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
    if (example === null) noteFacts(reading, compiled);
    else {
      addIssue(reading, example);
      reading.keyFatal = true;
    }
    if (reading.emptied !== null) judgeGroups(reading, compiled);
    return reading;
  };
}

/** Notes what the record shows of its columns. */
function noteFacts({ word, leaves }: Reading, { facts }: Compiled): void {
  if (word !== null && word !== "blank") facts.noteStatus(word);
  if (leaves !== null) facts.noteLeavingDay();
}

function begin(): Reading {
  return {
    values: {},
    issues: null,
    notes: null,
    key: null,
    keySeen: false,
    fatal: false,
    keyFatal: false,
    word: null,
    statusUnreadable: false,
    leaves: null,
    leavesGiven: false,
    starts: null,
    status: null,
    emptied: null,
  };
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
  } else if (role === "active" || role === "archived") {
    reading.word = "blank";
  } else if (clears) {
    reading.values[name] = role === "on_leave" ? false : null;
    if (oneOf !== null) (reading.emptied ??= []).push(name);
  }
}

/** A placeholder says nothing, as if the column were not there. */
function notePlaceholder(reading: Reading, step: Step, compiled: Compiled, value: string): void {
  (reading.notes ??= []).push({ code: "placeholder_value", field: step.name, value });
  const isStatus = step.role === "active" || step.role === "archived";
  if (step.isKey || isStatus || EMPTY_BY_PLACEHOLDER.has(step.name)) noteEmpty(reading, step, compiled);
}

/** Drops an unusable value. In the key, in required fields, and where it decides the status, it is an error. */
function noteRefusal(reading: Reading, step: Step, { rules }: Compiled, cell: Cell, refusal: Refusal): void {
  const { name, role, isKey, required } = step;
  const decides = role === "active" || role === "archived" || role === "leaves" ||
    role === "status" && rules.onlyStatuses !== null;
  if (refusal.code === "date_order_suspect" && !decides) {
    (reading.notes ??= []).push({ code: refusal.code, field: name, value: String(cell) });
    return;
  }
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
    case "archived":
      reading.word = role === "active" ? value as boolean | Letter : value === false;
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

function compile(rules: ValidationRules, facts: ColumnFacts): ReadonlyMap<string, Step> {
  const required = new Set(requiredFields(rules)), groups = groupsOf(rules);
  const steps = new Map<string, Step>();
  for (const [name, read] of createUserReaders({ ...rules, dateOrder: facts.orderOf })) {
    const role = ROLES.get(name) ?? "plain";
    const isKey = name === rules.key;
    if (role === "key_only" && !isKey) continue;
    const oneOf = groups.find((group) => group.includes(name)) ?? null;
    steps.set(name, { name, read, role, isKey, required: required.has(name), oneOf });
  }
  return steps;
}
