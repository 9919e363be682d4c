/** What a row's status means for its plan: whether somebody new is created, and what is reported. Pure. */
import type { Issue, Row } from "../model/record.ts";
import { wasFilled } from "./columns/field-bits.ts";
import type { Draft } from "./draft.ts";
import { statusBlank } from "./issues/status.ts";
import type { KnownUser } from "./person.ts";
import { isShort } from "./short-rows.ts";
import type { Validated } from "./validated.ts";

const NO_ISSUES: readonly Issue[] = [];

export function isToBeCreated({ context }: Draft, record: Validated, isCut: boolean): boolean {
  return record.activeIfNew && !(record.saysNothing && isCut) && context.policy.create;
}

/** Whether the row ends before its status column: somebody new would have an empty cell there. */
export function isStatusCut({ context }: Draft, row: Row): boolean {
  return isShort(row) && context.statusColumns(row.columns).active >= row.cells.length &&
    context.facts.blankMeans() === "nothing";
}

/** A warning where the status is empty, of somebody new or somebody whose status was there last time. */
export function statusIssues(
  { context }: Draft,
  record: Validated,
  own: KnownUser | null,
  isCut: boolean,
): readonly Issue[] {
  if (!record.saysNothing || !(record.isBlank || isCut)) return NO_ISSUES;
  if (own === null) return record.activeIfNew && !isCut ? NO_ISSUES : [statusBlank(true)];
  return wasFilled(context.known, own.id, "is_active") ? [statusBlank(false)] : NO_ISSUES;
}
