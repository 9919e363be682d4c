/**
 * Plans an input of departments. There are only thousands of them, so they are planned in memory: all rows first, then
 * names, parents and closures against each other, so that the order of rows does not matter.
 */
import { COUNTED } from "../../model/change.ts";
import { type Counts, NO_COUNTS } from "../../model/run.ts";
import type { ReadyBlock } from "../../model/record.ts";
import { type IssueRow, wholeInput } from "../draft.ts";
import { cellsMissing } from "../issues/input.ts";
import { cellCount, shortAndNew, whyBroken } from "../issues/people.ts";
import type { DepartmentChange } from "../planned-change.ts";
import { areShifted, MOST_LINES } from "../short-rows.ts";
import type { KeptColumn } from "../summarize.ts";
import { changeOf } from "./change.ts";
import { holdClosures } from "./closures.ts";
import type { DepartmentPlanContext } from "./context.ts";
import { isPlanned, type Item, reject } from "./item.ts";
import { matchDepartments } from "./match.ts";
import { namesAfter, rejectDuplicates, rejectTakenNames } from "./names.ts";
import { rejectParents } from "./parents.ts";

export interface DepartmentPlan {
  readonly changes: readonly DepartmentChange[];
  readonly issues: readonly IssueRow[];
  /** Counts of rows. The run counts departments. */
  readonly counts: Readonly<Counts>;
  /** What becomes of the columns that lay the departments out. */
  readonly kept: readonly KeptColumn[];
  /** Rows, counted as failed, whose department is closed later: once nobody is in it any more. */
  readonly waiting: number;
}

export async function planDepartments(
  context: DepartmentPlanContext,
  blocks: AsyncIterable<ReadyBlock>,
): Promise<DepartmentPlan> {
  const items = await readItems(context, blocks);
  rejectDuplicates(items, (item) => item.record?.departmentId ?? null, "department_id");
  rejectDuplicates(items, (item) => item.record?.folded ?? null, "name");
  matchDepartments(context, items);
  rejectShortAndNew(items);
  await holdClosures(context, items);
  const parents = settleNames(context, items);
  const changes = items.map((item) => changeOf(context, item, parents.get(item)));
  const short = items.filter((item) => isShort(item) && !item.failed);
  const lines = short.flatMap(({ row }) => row.line ?? []).slice(0, MOST_LINES);
  return {
    changes: changes.filter((change) => change !== null),
    counts: count(items, changes),
    kept: keptColumns(items, changes),
    waiting: items.filter((item) => isPlanned(item) && item.waits).length,
    issues: [
      ...items.filter((item) => item.issues.length > 0).map(issueRow),
      ...(short.length > 0 ? [wholeInput([cellsMissing({ count: short.length, lines })])] : []),
    ],
  };
}

async function readItems(context: DepartmentPlanContext, blocks: AsyncIterable<ReadyBlock>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const block of blocks) {
    for (const row of await block.rows(Array.from({ length: block.count }, (_, i) => i))) {
      const broken = whyBroken(row);
      const record = broken === null ? context.validate(context.normalize(row)) : null;
      const item: Item = {
        n: items.length,
        row,
        record,
        issues: record === null ? [] : [...record.issues],
        known: null,
        id: 0,
        failed: record === null || record.keyFatal,
        skipped: false,
        waits: false,
      };
      if (broken !== null) reject(item, broken);
      else if (isShort(item) && (record!.keyFatal || areShifted(record!.issues))) reject(item, cellCount(row));
      items.push(item);
    }
  }
  return items;
}

function isShort({ row }: Item): boolean {
  return row.cells.length < row.columns.length;
}

/** A short row makes a department only if rows of its length come more than once. */
function rejectShortAndNew(items: readonly Item[]): void {
  const short = items.filter(isShort);
  const counts = new Map<number, number>();
  for (const { row } of short) counts.set(row.cells.length, (counts.get(row.cells.length) ?? 0) + 1);
  for (const item of short) {
    const isOnly = counts.get(item.row.cells.length) === 1;
    if (!item.failed && item.known === null && isOnly) reject(item, shortAndNew(item.row));
  }
}

/**
 * Settles names and parents; returns the parents of rows that name one. A row that fails loses its name, which may
 * leave others without a parent, so this repeats until no more rows fail.
 */
function settleNames(context: DepartmentPlanContext, items: readonly Item[]): Map<Item, number | null> {
  const parents = new Map<Item, number | null>();
  for (let before = -1, failed = countFailed(items); failed !== before; before = failed, failed = countFailed(items)) {
    const names = namesAfter(context.departments, items);
    rejectTakenNames(items, names);
    rejectParents(context.departments, items, names, parents);
  }
  return parents;
}

function countFailed(items: readonly Item[]): number {
  return items.reduce((count, item) => count + (item.failed ? 1 : 0), 0);
}

function count(items: readonly Item[], changes: readonly (DepartmentChange | null)[]): DepartmentPlan["counts"] {
  const counts: Counts = { ...NO_COUNTS, read: items.length };
  items.forEach((item, i) => {
    const change = changes[i]!;
    if (item.failed || item.waits) counts.failed++;
    else if (item.skipped) counts.skipped++;
    else if (change === null) counts.unchanged++;
    else counts[COUNTED[change.action]]++;
    if (!item.failed && !item.waits && item.issues.length > 0) counts.warned++;
  });
  return counts;
}

const LAYOUT = { parent: "parent_id", department_id: "external_id" } as const;

/** Of departments that the hub knows and that stay open: how many had a value, and how many will have one. */
function keptColumns(items: readonly Item[], changes: readonly (DepartmentChange | null)[]): KeptColumn[] {
  const images = items.map(({ known, failed }, i) =>
    known === null || failed ? null : { before: known.image, after: changes[i]?.after ?? known.image }
  ).filter((image) => image !== null).filter(({ after }) => after.active === 1);
  return Object.entries(LAYOUT).map(([field, column]) => ({
    field,
    people: images.length,
    before: images.filter(({ before }) => before[column] !== null).length,
    after: images.filter(({ after }) => after[column] !== null).length,
  }));
}

function issueRow({ n, row, record, issues }: Item): IssueRow {
  const key = record?.departmentId ?? record?.folded ?? null;
  return { n, line: row.line, key, origin: row.origin, cells: row.cells, issues };
}
