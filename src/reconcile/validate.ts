/**
 * Validation of users: a source record goes in, usable values, the status and issues come out.
 *
 * The rules are compiled once; a record without mistakes costs its result and nothing else. Whether an error rejects
 * the row depends on who the row is about, so that is left to correlation. No I/O. No clock: today is handed in.
 */

import type { CustomField, Issue, KeyField, SourceRecord } from "../model/record.ts";
import { foldName, phoneDigits } from "./fold.ts";
import type { DateFormat } from "./values/date.ts";
import { createUserReaders } from "./values/fields.ts";
import { refusedIssue } from "./values/issue.ts";
import { isRefusal, type Reader, type Value } from "./values/value.ts";

export interface ValidationRules {
  readonly key: KeyField;
  readonly dateFormat: DateFormat;
  readonly emptyCells: "clear" | "keep";
  /** Fields that nobody in the organization may be without; custom fields that are required come on top. */
  readonly requiredFields: readonly string[];
  readonly customFields: readonly CustomField[];
  /** Employment statuses to import; null: all. Compared folded. */
  readonly onlyStatuses: readonly string[] | null;
  /** `wait`: whoever's hire_date is after today is neither active nor not. */
  readonly preHires: "import" | "wait";
  /** YYYY-MM-DD in the organization's time zone. */
  readonly today: string;
}

/** Why a record says inactive. */
export type InactiveReason = "is_active" | "deactivation_date" | "filtered";

/** Usable values by field: null clears the field, an absent one leaves it alone. on_leave is never null, but false. */
export type Values = Readonly<Record<string, Value>>;

export interface Validated {
  /** Comparable form of the source key; null: it could not be read. */
  readonly key: string | null;
  /** Without source_id, is_active and is_archived, which are not kept. Emails are folded. */
  readonly values: Values;
  /** null: cannot be told, so the status is left alone. */
  readonly active: boolean | null;
  /** Null unless inactive. What the source says outright comes before what follows from a date or a filter. */
  readonly activeReason: InactiveReason | null;
  /** A deactivation_date after today, or a hire_date that is waited for: the row must be looked at again each day. */
  readonly deactivationFuture: boolean;
  /** One shared empty array when there are none. */
  readonly issues: readonly Issue[];
  /** An error rejects the row, unless the row is inactive and matches a user. */
  readonly fatal: boolean;
  /** The key, or what the status depends on, could not be read: rejects the row in any case. */
  readonly keyFatal: boolean;
}

/** What a field is for, beyond being kept. */
type Role = "plain" | "active" | "archived" | "leaves" | "starts" | "status" | "on_leave" | "key_only";

interface Step {
  readonly name: string;
  readonly read: Reader;
  readonly role: Role;
  readonly isKey: boolean;
  readonly required: boolean;
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

/** Compiles the rules. The validator keeps caches, so make one per run; it never throws. */
export function createValidator(rules: ValidationRules): (record: SourceRecord) => Validated {
  const steps = compile(rules);
  const isWanted = rules.onlyStatuses === null ? null : createStatusFilter(rules.onlyStatuses);
  const clears = rules.emptyCells === "clear";
  // Records of one input have the same fields in the same order: the last record's steps are nearly always right.
  const lastSteps: (Step | null)[] = [];

  return (record) => {
    const values: Record<string, Value> = {};
    let issues: Issue[] | null = null;
    let key: string | null = null;
    let keySeen = false;
    let fatal = false;
    let keyFatal = false;
    let saysInactive = false;
    let statusUnreadable = false;
    let leaves: string | null = null;
    let starts: string | null = null;
    let status: string | null = null;

    let place = 0;
    for (const name in record) {
      let step = lastSteps[place];
      if (step === undefined || step === null || step.name !== name) {
        step = steps.get(name) ?? null;
        lastSteps[place] = step;
      }
      place++;
      const cell = record[name];
      if (step === null || cell === undefined) continue;
      const value = step.read(cell);
      if (step.isKey) keySeen = true;

      if (value === null) {
        if (step.isKey) {
          (issues ??= []).push(missingKey(name));
          keyFatal = true;
        } else if (step.required) {
          if (clears) {
            (issues ??= []).push(missingField(name));
            fatal = true;
          }
        } else if (clears && step.role !== "active" && step.role !== "archived") {
          values[name] = step.role === "on_leave" ? false : null;
        }
        continue;
      }
      if (typeof value === "object" && isRefusal(value)) {
        const decides = step.role === "active" || step.role === "archived" || step.role === "leaves" ||
          step.role === "status" && isWanted !== null;
        (issues ??= []).push(
          refusedIssue(step.isKey || decides || step.required ? "error" : "warning", name, cell, value),
        );
        if (step.isKey) keyFatal = true;
        else if (decides) statusUnreadable = true;
        else if (step.required) fatal = true;
        continue;
      }

      if (step.isKey) key = step.name === "mobile_phone" ? phoneDigits(value as string) : value as string;
      switch (step.role) {
        case "key_only":
          continue;
        case "active":
          if (value === false) saysInactive = true;
          continue;
        case "archived":
          if (value === true) saysInactive = true;
          continue;
        case "leaves":
          leaves = value as string;
          break;
        case "starts":
          starts = value as string;
          break;
        case "status":
          status = value as string;
      }
      values[name] = value;
    }

    if (!keySeen) {
      (issues ??= []).push(missingKey(rules.key));
      keyFatal = true;
    }
    let active: boolean | null = true;
    let activeReason: InactiveReason | null = null;
    if (saysInactive) activeReason = "is_active";
    else if (leaves !== null && leaves <= rules.today) activeReason = "deactivation_date";
    else if (isWanted !== null && status !== null && !isWanted(status)) activeReason = "filtered";

    const waits = rules.preHires === "wait" && starts !== null && starts > rules.today;
    if (activeReason !== null) {
      active = false;
      // Nobody can be taken for active by a typo in a row that says inactive anyhow.
      if (statusUnreadable) fatal = true;
    } else if (statusUnreadable) {
      active = null;
      keyFatal = true;
    } else if (waits) {
      active = null;
    } else if (isWanted !== null && status === null) {
      active = null;
      (issues ??= []).push(unknownStatus());
    }
    return {
      key,
      values,
      active,
      activeReason,
      deactivationFuture: waits || (leaves !== null && leaves > rules.today),
      issues: issues ?? NO_ISSUES,
      fatal,
      keyFatal,
    };
  };
}

/** Compiles what a new person needs: gives an error for each required field that the values do not have. */
export function createRequirementCheck(
  rules: Pick<ValidationRules, "requiredFields" | "customFields">,
): (values: Values) => readonly Issue[] {
  const required = requiredFields(rules);
  return (values) => {
    let issues: Issue[] | null = null;
    for (const name of required) {
      if (values[name] === undefined || values[name] === null) (issues ??= []).push(missingForNew(name));
    }
    return issues ?? NO_ISSUES;
  };
}

function compile(rules: ValidationRules): ReadonlyMap<string, Step> {
  const required = new Set(requiredFields(rules));
  const steps = new Map<string, Step>();
  for (const [name, read] of createUserReaders(rules)) {
    const role = ROLES.get(name) ?? "plain";
    const isKey = name === rules.key;
    if (role === "key_only" && !isKey) continue;
    steps.set(name, { name, read, role, isKey, required: required.has(name) });
  }
  return steps;
}

function requiredFields(rules: Pick<ValidationRules, "requiredFields" | "customFields">): readonly string[] {
  const custom = rules.customFields.filter((field) => field.required).map((field) => field.key);
  return [...new Set([...rules.requiredFields, ...custom])];
}

function createStatusFilter(wanted: readonly string[]): (status: string) => boolean {
  const folded = new Set(wanted.map(foldName));
  return (status) => folded.has(foldName(status));
}

function missingKey(field: string): Issue {
  return {
    severity: "error",
    code: "required_field_missing",
    field,
    value: null,
    message: `Cannot tell who this row is about: ${field} is empty, and this connection knows people by it`,
    suggestion: `Fill in ${field}`,
  };
}

function missingField(field: string): Issue {
  return {
    severity: "error",
    code: "required_field_missing",
    field,
    value: null,
    message: `Cannot leave ${field} empty: everybody here needs one`,
    suggestion: `Fill in ${field}`,
  };
}

function missingForNew(field: string): Issue {
  return {
    severity: "error",
    code: "required_field_missing",
    field,
    value: null,
    message: `Cannot add a new person without ${field}: everybody here needs one`,
    suggestion: `Fill in ${field}`,
  };
}

function unknownStatus(): Issue {
  return {
    severity: "warning",
    code: "status_unknown",
    field: "employment_status",
    value: null,
    message:
      "Cannot tell whether this person is to be imported: employment_status is empty, and should be one of the source's statuses",
    suggestion: "Fill in employment_status",
  };
}
