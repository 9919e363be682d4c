/**
 * What a record says of its person's status: active, inactive or nothing. What its cells say goes in, with what their
 * columns have shown. Pure.
 */
import type { Issue } from "../model/record.ts";
import type { ColumnFacts } from "./column-facts.ts";
import type { ColumnNote } from "./column-notes.ts";
import { foldName } from "./fold.ts";
import { statusDisagrees, unknownStatus } from "./issues/status.ts";
import type { RowVerdict } from "./row-filter.ts";
import type { InactiveReason, ReadRecord, Status, Validated } from "./validated.ts";
import { refuseLetter } from "./values/boolean.ts";
import { refusedIssue } from "./values/issue.ts";

export interface StatusRules {
  /** Employment statuses to import; null: all. Compared folded. */
  readonly onlyStatuses: readonly string[] | null;
  /** `wait`: people whose hire_date is after today are neither active nor inactive. */
  readonly preHires: "import" | "wait";
  /** Whether somebody is inactive from the deactivation_date on, or from the day after. */
  readonly leavers: "on_date" | "after_date";
  /** YYYY-MM-DD in the organization's time zone. */
  readonly today: string;
}

/** What the status column says, once its letters are understood. */
type Word = boolean | "blank" | "unclear" | null;
type Standing = Pick<Status, "active" | "activeIfNew" | "saysNothing">;

const ACTIVE: Standing = { active: true, activeIfNew: true, saysNothing: false };
const INACTIVE: Standing = { active: false, activeIfNew: false, saysNothing: false };
const UNKNOWN: Standing = { active: null, activeIfNew: false, saysNothing: false };
const NOTHING: Standing = { active: null, activeIfNew: false, saysNothing: true };
const NEW_ALONE: Standing = { active: null, activeIfNew: true, saysNothing: true };
/** `row`: what the filter of rows says of the record's row. */
export type Judge = (record: ReadRecord, row?: RowVerdict) => Validated;

const NO_ISSUES: readonly Issue[] = Object.freeze([]);
const NO_NOTES: readonly ColumnNote[] = Object.freeze([]);

export function createJudge(rules: StatusRules, facts: ColumnFacts): Judge {
  const { today, leavers } = rules;
  const isWanted = rules.onlyStatuses === null ? null : createStatusFilter(rules.onlyStatuses);
  const isOver = (day: string | null) => day !== null && hasLeft(day, today, leavers);
  const isEarly = ({ starts }: ReadRecord) => rules.preHires === "wait" && starts !== null && starts > today;

  function wordOf({ word }: ReadRecord): Word {
    return typeof word === "string" && word !== "blank" ? facts.meaningOf(word) ?? "unclear" : word;
  }

  function whyInactive({ leaves, status }: ReadRecord, word: Word, row: RowVerdict): InactiveReason | null {
    if (word === false) return "is_active";
    if (isOver(leaves)) return "deactivation_date";
    if (row === "filtered") return "filtered";
    return isWanted !== null && status !== null && !isWanted(status) ? "filtered" : null;
  }

  function standingOf(record: ReadRecord, word: Word, row: RowVerdict): Standing {
    if (row === "unclear") return UNKNOWN;
    if (isUnreadable(record, word) || isEarly(record) || (isWanted !== null && record.status === null)) return UNKNOWN;
    if (word === true) return ACTIVE;
    const blank = facts.blankMeans();
    if (word === "blank") return blank === "active" ? ACTIVE : blank === "new" ? NEW_ALONE : NOTHING;
    return blank !== "active" || (!record.leavesGiven && facts.hasReadDate()) ? NEW_ALONE : ACTIVE;
  }

  function issuesOf(record: ReadRecord, word: Word, isInactive: boolean): readonly Issue[] {
    const issues: readonly Issue[] = record.issues ?? NO_ISSUES;
    if (word === "unclear") return [...issues, refusedIssue("error", "is_active", record.word!, refuseLetter())];
    if (word === true && isOver(record.leaves)) return [...issues, statusDisagrees(record.leaves!)];
    const lacksStatus = isWanted !== null && record.status === null;
    const isOpen = !isInactive && !record.statusUnreadable && !isEarly(record);
    return lacksStatus && isOpen ? [...issues, unknownStatus()] : issues;
  }

  return (record, row = "wanted") => {
    const word = wordOf(record), activeReason = whyInactive(record, word, row);
    const isInactive = activeReason !== null;
    const { active, activeIfNew, saysNothing } = isInactive ? INACTIVE : standingOf(record, word, row);
    return {
      key: record.key,
      values: record.values,
      active,
      activeIfNew,
      saysNothing,
      activeReason,
      isBlank: word === "blank",
      deactivationFuture: isEarly(record) || (record.leaves !== null && !isOver(record.leaves)),
      issues: issuesOf(record, word, isInactive),
      notes: record.notes ?? NO_NOTES,
      // In a row that is inactive anyway, a typo cannot make anybody active.
      fatal: record.fatal || (isUnreadable(record, word) && isInactive),
      keyFatal: record.keyFatal || (isUnreadable(record, word) && !isInactive),
    };
  };
}

/** Whether somebody has left whose deactivation_date this is. */
export function hasLeft(day: string, today: string, leavers: StatusRules["leavers"]): boolean {
  return leavers === "on_date" ? day <= today : day < today;
}

function isUnreadable({ statusUnreadable }: ReadRecord, word: Word): boolean {
  return statusUnreadable || word === "unclear";
}

function createStatusFilter(wanted: readonly string[]): (status: string) => boolean {
  const folded = new Set(wanted.map(foldName));
  return (status) => folded.has(foldName(status));
}
