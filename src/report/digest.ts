/**
 * A run's issues as a mail or a page shows them: those of the whole input first, then errors, then warnings. Equal ones are
 * one with a count, people are named, and fields are called as the sender calls them.
 */
import type { IssueView } from "../model/issue.ts";
import type { Issue } from "../model/record.ts";
import { issueWithoutRow } from "../model/wording.ts";
import type { Run } from "../store/runs/runs.ts";
import type { Database } from "../store/database.ts";
import { rowsFor } from "../store/runs/issues.ts";
import { createWording } from "./wording.ts";

export interface ShownIssue extends IssueView {
  /** Rows, or places of the input, that it is about; `line` and `who` are those of the first. */
  readonly count: number;
  /** Name and id of the person; null: it is about no row, or the row has neither. */
  readonly who: string | null;
}

export interface IssueDigest {
  /** Of the whole input. */
  readonly whole: readonly ShownIssue[];
  readonly errors: readonly ShownIssue[];
  readonly warnings: readonly ShownIssue[];
  /** Whether there are issues that are not shown. */
  readonly isCut: boolean;
}

export const NO_ISSUES: IssueDigest = { whole: [], errors: [], warnings: [], isCut: false };

/** Rows that are read at most: with more, all the same, a digest is of the beginning. */
const MAX_ROWS = 20_000;

/**
 * `most`: errors, and as many kinds of warnings. The reader may see people who are linked to the run's connection.
 * `isShown`: the issues to show; by default all.
 */
export async function digestIssues(
  db: Database,
  run: Run,
  most: number,
  isShown: (issue: Issue) => boolean = () => true,
): Promise<IssueDigest> {
  const whole = createGroups(most), errors = createGroups(most), warnings = createGroups(most);
  const { personOf, inTheirWords } = createWording(run.input);
  let rows = 0;
  const reader = { connectionId: run.connectionId };
  for await (const row of rowsFor(db, run.organizationId, run.id, reader, isShown)) {
    if (rows++ === MAX_ROWS) return digestOf(true);
    for (const issue of row.issues.map(inTheirWords)) {
      if (row.n < 0) {
        whole.add({ ...issue, line: row.line, who: null }, `${issue.code} ${issue.field} ${issue.message}`);
      } else if (issue.severity === "error") errors.add({ ...issue, line: row.line, who: personOf(row.cells) }, null);
      else warnings.add({ ...issue, line: row.line, who: personOf(row.cells) }, `${issue.code} ${issue.field}`);
    }
  }
  return digestOf(false);

  function digestOf(isCut: boolean): IssueDigest {
    return {
      whole: [...whole.all()].sort((a, b) => Number(b.severity === "error") - Number(a.severity === "error")),
      errors: errors.all(),
      warnings: warnings.all(),
      isCut: isCut || whole.isFull() || errors.isFull() || warnings.isFull(),
    };
  }
}

export function hasIssues({ whole, errors, warnings }: IssueDigest): boolean {
  return whole.length + errors.length + warnings.length > 0;
}

/** The issues for a reader who may not read the rows. */
export function withoutRows({ whole, errors, warnings, isCut }: IssueDigest): IssueDigest {
  const shown = (issues: readonly ShownIssue[]) => issues.map((issue) => ({ ...issueWithoutRow(issue), who: null }));
  return { whole: shown(whole), errors: shown(errors), warnings: shown(warnings), isCut };
}

/** Collects up to `most` groups. Issues of one key are one group; null: the issue is a group of its own. */
function createGroups(most: number) {
  const groups: ShownIssue[] = [];
  const places = new Map<string, number>();
  let isFull = false;
  return {
    add(issue: Omit<ShownIssue, "count">, key: string | null): void {
      const place = key === null ? undefined : places.get(key);
      if (place !== undefined) groups[place] = { ...groups[place]!, count: groups[place]!.count + 1 };
      else if (groups.length === most) isFull = true;
      else {
        if (key !== null) places.set(key, groups.length);
        groups.push({ ...issue, count: 1 });
      }
    },
    all: () => groups,
    isFull: () => isFull,
  };
}
