/** What a person must have: fields each, and one of several fields. Pure. */
import type { Requirement } from "../model/preset.ts";
import type { CustomField, Issue } from "../model/record.ts";
import { missingForNew } from "./issues/required.ts";

export interface Requirements {
  /** What every user of the organization must have, besides required custom fields. */
  readonly requiredFields: readonly Requirement[];
  readonly customFields: readonly CustomField[];
}

const NO_ISSUES: readonly Issue[] = Object.freeze([]);

/** Compiles the check of new people: it returns an error for each requirement that the values do not meet. */
export function createRequirementCheck(
  rules: Requirements,
): (values: Readonly<Record<string, unknown>>) => readonly Issue[] {
  const needed = [...requiredFields(rules).map((field) => [field]), ...groupsOf(rules)];
  return (values) => {
    let issues: Issue[] | null = null;
    for (const fields of needed) {
      if (fields.every((name) => values[name] === undefined || values[name] === null)) {
        (issues ??= []).push(missingForNew(fields));
      }
    }
    return issues ?? NO_ISSUES;
  };
}

/** The fields that are needed each. */
export function requiredFields(rules: Requirements): readonly string[] {
  const custom = rules.customFields.filter((field) => field.required).map((field) => field.key);
  return [...new Set([...rules.requiredFields.filter((each) => typeof each === "string"), ...custom])];
}

/** The fields of which one is needed. */
export function groupsOf({ requiredFields }: Pick<Requirements, "requiredFields">): readonly (readonly string[])[] {
  return requiredFields.filter((each) => typeof each !== "string");
}
