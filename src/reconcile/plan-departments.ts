/**
 * Plans an input of departments. There are thousands where there are millions of users, so they are planned in memory:
 * all rows first, then names, parents and closures against each other, so that the order of rows does not matter.
 */
import type { Issue, Piece, Row, RowBlock, SourceRecord } from "../model/record.ts";
import { issueOf } from "../model/wording.ts";
import type { IssueCode } from "../model/codes.ts";
import type { KnownDepartment } from "./department-names.ts";
import { pathInWords } from "./issues/cycle-words.ts";
import type { IssueRow } from "./draft.ts";
import { foldName } from "./fold.ts";
import type { ChangeAction } from "../model/change.ts";
import type { DepartmentChange, DepartmentImage } from "./planned-change.ts";
import type { ValidatedDepartment } from "./validate-departments.ts";

export interface DepartmentPlanContext {
  readonly departments: readonly KnownDepartment[];
  readonly normalize: (row: Row) => SourceRecord;
  readonly validate: (record: SourceRecord) => ValidatedDepartment;
  /** Active users of these departments, by department. */
  readonly activeUsers: (departmentIds: readonly number[]) => Promise<ReadonlyMap<number, number>>;
  readonly newId: () => number;
  readonly create: boolean;
  readonly update: boolean;
  readonly deactivate: boolean;
  readonly reactivate: boolean;
}

export interface DepartmentPlan {
  readonly changes: readonly DepartmentChange[];
  readonly issues: readonly IssueRow[];
  readonly counts: {
    readonly read: number;
    readonly created: number;
    readonly updated: number;
    readonly unchanged: number;
    readonly deactivated: number;
    readonly reactivated: number;
    readonly skipped: number;
    readonly failed: number;
    readonly warned: number;
  };
}

interface Item {
  readonly n: number;
  readonly row: Row;
  readonly record: ValidatedDepartment | null;
  readonly issues: Issue[];
  known: KnownDepartment | null;
  id: number;
  failed: boolean;
  skipped: boolean;
  /** Stays open for now, as people are still in it. */
  waits: boolean;
}

export async function planDepartments(
  context: DepartmentPlanContext,
  blocks: AsyncIterable<RowBlock>,
): Promise<DepartmentPlan> {
  const items = await readItems(context, blocks);
  const byFolded = new Map(context.departments.map((department) => [department.image.folded, department]));
  const byExternal = new Map(
    context.departments.filter((department) => department.image.external_id !== null)
      .map((department) => [department.image.external_id!, department]),
  );
  rejectDuplicates(items, (item) => item.record?.departmentId ?? null, "department_id");
  rejectDuplicates(items, (item) => item.record?.folded ?? null, "name");
  for (const item of items) {
    if (item.failed) continue;
    const { departmentId, folded, active } = item.record!;
    const own = departmentId === null ? undefined : byExternal.get(departmentId);
    const named = folded === null ? undefined : byFolded.get(folded);
    if (own === undefined && named !== undefined && departmentId !== null && named.image.external_id !== null) {
      fail(
        item,
        "identity_conflict",
        "name",
        item.record!.name,
        [
          `"${item.record!.name}" has `,
          { user: 0, is: `the department_id "${named.image.external_id}"`, otherwise: "another department_id" },
          `, not "${departmentId}"`,
        ],
        "Correct the name or the department_id",
      );
      continue;
    }
    item.known = own ?? named ?? null;
    if (item.record!.fatal && !(active === false && item.known !== null)) item.failed = true;
    else if (item.known === null) {
      item.skipped = active !== true || !context.create;
      item.id = item.skipped ? 0 : context.newId();
    } else item.id = item.known.id;
  }
  await closuresThatWait(context, items);
  // A row that fails takes its name with it, which may leave others without a parent: until nothing more falls.
  const parents = new Map<Item, number | null>();
  for (let before = -1, failed = countFailed(items); failed !== before; before = failed, failed = countFailed(items)) {
    const names = namesAfter(context.departments, items);
    rejectTakenNames(items, names);
    rejectParents(context.departments, items, names, parents);
  }
  const changes: DepartmentChange[] = [];
  const counts = {
    created: 0,
    updated: 0,
    unchanged: 0,
    deactivated: 0,
    reactivated: 0,
    skipped: 0,
    failed: 0,
    warned: 0,
  };
  for (const item of items) {
    const change = changeOf(context, item, parents.get(item));
    if (change !== null) changes.push(change);
    if (item.failed || item.waits) counts.failed++;
    else if (item.skipped) counts.skipped++;
    else if (change === null) counts.unchanged++;
    else counts[COUNTED[change.action]]++;
    if (!item.failed && !item.waits && item.issues.length > 0) counts.warned++;
  }
  return {
    changes,
    counts: { read: items.length, ...counts },
    issues: items.filter((item) => item.issues.length > 0).map(({ n, row, record, issues }) => ({
      n,
      line: row.line,
      key: record?.departmentId ?? record?.folded ?? null,
      origin: row.origin,
      cells: row.cells,
      issues,
    })),
  };
}

const COUNTED = { create: "created", update: "updated", deactivate: "deactivated", reactivate: "reactivated" } as const;

async function readItems(context: DepartmentPlanContext, blocks: AsyncIterable<RowBlock>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const block of blocks) {
    for (const row of block.rows(Array.from({ length: block.count }, (_, i) => i))) {
      const whole = row.cells.length === row.columns.length;
      const record = whole ? context.validate(context.normalize(row)) : null;
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
      if (record === null) {
        fail(
          item,
          "cell_count",
          null,
          null,
          `The row has ${row.cells.length} cells, the header has ${row.columns.length}`,
          "Look for a missing or surplus delimiter, or for a delimiter in a cell without quotes",
        );
      }
      items.push(item);
    }
  }
  return items;
}

function rejectDuplicates(items: readonly Item[], keyOf: (item: Item) => string | null, field: string): void {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === null) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  for (const group of groups.values()) {
    if (group.length < 2) continue;
    const first = group.slice(0, 11);
    for (const item of group) {
      const others = first.filter((other) => other !== item).map((other) => other.row.line ?? other.n + 1);
      const value = field === "name" ? item.record!.name : item.record!.departmentId;
      fail(
        item,
        "duplicate_in_input",
        field,
        value,
        `"${value}" is the ${field} of line ${others.slice(0, 10).join(", ")} too: one department, one row`,
        "Keep one of the rows",
      );
    }
  }
}

/** A department is not closed over people's heads: it waits until the last active one has left it. */
async function closuresThatWait(context: DepartmentPlanContext, items: readonly Item[]): Promise<void> {
  const closing = items.filter((item) =>
    !item.failed && !item.skipped && item.known?.image.active === 1 && item.record!.active === false &&
    context.deactivate
  );
  if (closing.length === 0) return;
  const people = await context.activeUsers(closing.map((item) => item.id));
  for (const item of closing) {
    const count = people.get(item.id) ?? 0;
    if (count === 0) continue;
    item.waits = true;
    item.issues.push(
      issue(
        "department_has_active_users",
        "is_active",
        "inactive",
        [
          "Cannot deactivate ",
          { user: 0, is: `"${item.known!.image.name}"`, otherwise: "the department" },
          ": ",
          {
            user: 0,
            is: `${count} active ${count === 1 ? "person is" : "people are"}`,
            otherwise: "active people are",
          },
          " still in it",
        ],
        "Move these people to another department; it is tried again after the next input of users",
      ),
    );
  }
}

/** Who will have which name: the item, or a department that the input does not name. */
function namesAfter(
  departments: readonly KnownDepartment[],
  items: readonly Item[],
): Map<string, (Item | KnownDepartment)[]> {
  const names = new Map<string, (Item | KnownDepartment)[]>();
  const standing = items.filter((item) => !item.failed && !item.skipped);
  const renamed = new Set(standing.filter((item) => item.record!.folded !== null).map((item) => item.id));
  const add = (folded: string, holder: Item | KnownDepartment) =>
    names.set(folded, [...(names.get(folded) ?? []), holder]);
  for (const department of departments) if (!renamed.has(department.id)) add(department.image.folded, department);
  for (const item of standing) if (item.record!.folded !== null) add(item.record!.folded, item);
  return names;
}

function rejectTakenNames(
  items: readonly Item[],
  names: ReadonlyMap<string, readonly (Item | KnownDepartment)[]>,
): void {
  for (const item of items) {
    if (item.failed || item.skipped || item.record!.folded === null) continue;
    const holder = names.get(item.record!.folded)!.find((other) => "image" in other);
    if (holder !== undefined && "image" in holder) {
      fail(
        item,
        "identity_conflict",
        "name",
        item.record!.name,
        `"${item.record!.name}" is the name of another department, which keeps it`,
        "Choose another name, or rename the other one in the same file",
      );
    }
  }
}

function rejectParents(
  departments: readonly KnownDepartment[],
  items: readonly Item[],
  names: ReadonlyMap<string, readonly (Item | KnownDepartment)[]>,
  parents: Map<Item, number | null>,
): void {
  const parentOf = new Map(departments.map((department) => [department.id, department.image.parent_id]));
  const nameById = new Map(departments.map((department) => [department.id, department.image.name]));
  const inInput = new Set<number>();
  const orphaned: Item[] = [];
  for (const item of items) {
    if (item.failed || item.skipped) continue;
    if (item.record!.name !== null) {
      nameById.set(item.id, item.record!.name);
      inInput.add(item.id);
    }
    const { parent } = item.record!;
    if (parent === undefined) continue;
    const holder = parent === null ? null : names.get(foldName(parent))?.[0];
    if (holder === undefined) {
      failWithoutParent(item);
      orphaned.push(item);
      continue;
    }
    parents.set(item, holder === null ? null : holder.id);
    parentOf.set(item.id, holder === null ? null : holder.id);
  }
  failBelow(orphaned, items, names, new Set(departments.map((department) => department.image.folded)));
  const cycles = cyclesOf(parentOf);
  const nameOf = (id: number): Piece => {
    const name = nameById.get(id) ?? "another one";
    return inInput.has(id) ? name : { user: 0, is: name, otherwise: "another one" };
  };
  for (const item of items) {
    if (item.failed || !parents.has(item)) continue;
    const cycle = cycles.get(item.id);
    if (cycle === undefined) continue;
    fail(
      item,
      "department_cycle",
      "parent",
      item.record!.parent!,
      ["The departments form a circle: ", ...pathInWords(cycle.path, cycle.place, nameOf)],
      "Leave the topmost department without a parent",
    );
  }
}

function failWithoutParent(item: Item): void {
  fail(
    item,
    "department_parent_not_found",
    "parent",
    item.record!.parent!,
    `There is no department "${item.record!.parent}" to be the parent`,
    "Add the parent as a row of its own, or correct the name",
  );
}

/** Whoever is below a row that has failed fails with it, level by level, where nobody else has had the name. */
function failBelow(
  orphaned: Item[],
  items: readonly Item[],
  names: ReadonlyMap<string, readonly (Item | KnownDepartment)[]>,
  known: ReadonlySet<string>,
): void {
  if (orphaned.length === 0) return;
  const below = new Map<string, Item[]>();
  for (const item of items) {
    const parent = item.record?.parent;
    if (item.failed || item.skipped || typeof parent !== "string") continue;
    const folded = foldName(parent);
    const children = below.get(folded);
    if (children === undefined) below.set(folded, [item]);
    else children.push(item);
  }
  for (const item of orphaned) {
    const folded = item.record!.folded;
    if (folded === null || known.has(folded) || names.get(folded)?.length !== 1) continue;
    for (const child of below.get(folded) ?? []) {
      if (child.failed) continue;
      failWithoutParent(child);
      orphaned.push(child);
    }
  }
}

/** Everybody who is along a cycle, with it and the place in it; each department is looked at once. */
function cyclesOf(
  parentOf: ReadonlyMap<number, number | null>,
): Map<number, { readonly path: readonly number[]; readonly place: number }> {
  const cycles = new Map<number, { path: readonly number[]; place: number }>();
  const seenFrom = new Map<number, number>();
  for (const start of parentOf.keys()) {
    const trail: number[] = [];
    let at: number | null = start;
    for (; at !== null && !seenFrom.has(at); at = parentOf.get(at) ?? null) {
      seenFrom.set(at, start);
      trail.push(at);
    }
    if (at === null || seenFrom.get(at) !== start) continue;
    const path = trail.slice(trail.indexOf(at));
    for (const [place, id] of path.entries()) cycles.set(id, { path, place });
  }
  return cycles;
}

function changeOf(
  context: DepartmentPlanContext,
  item: Item,
  parent: number | null | undefined,
): DepartmentChange | null {
  if (item.failed || item.skipped) return null;
  const { name, folded, departmentId, active } = item.record!;
  const { known } = item;
  const before = known?.image ?? null;
  const wantsActive = active ?? true;
  const after: DepartmentImage = {
    name: name ?? before!.name,
    folded: folded ?? before!.folded,
    parent_id: parent === undefined ? before?.parent_id ?? null : parent,
    external_id: departmentId ?? before?.external_id ?? null,
    active: before === null ? 1 : before.active,
    closing: 0,
  };
  const final = { ...after };
  let action: ChangeAction = before === null ? "create" : "update";
  if (before !== null && wantsActive !== (before.active === 1)) {
    if (item.waits) final.closing = 1;
    else if (wantsActive ? context.reactivate : context.deactivate) {
      final.active = wantsActive ? 1 : 0;
      action = wantsActive ? "reactivate" : "deactivate";
    }
  }
  if (before !== null && !context.update) {
    Object.assign(final, {
      name: before.name,
      folded: before.folded,
      parent_id: before.parent_id,
      external_id: before.external_id,
    });
  }
  if (before === null) return change(item, action, null, final);
  const fields = (Object.keys(before) as (keyof DepartmentImage)[]).filter((field) => before[field] !== final[field]);
  if (fields.length === 0) return null;
  return change(item, action, Object.fromEntries(fields.map((field) => [field, before[field]])), final);
}

function change(
  item: Item,
  action: ChangeAction,
  before: Partial<DepartmentImage> | null,
  after: DepartmentImage,
): DepartmentChange {
  return {
    action,
    line: item.row.line,
    departmentId: item.id,
    version: item.known?.version ?? 0,
    reason: null,
    before,
    previousPage: item.known?.lastPage ?? null,
    after,
  };
}

function countFailed(items: readonly Item[]): number {
  return items.reduce((count, item) => count + (item.failed ? 1 : 0), 0);
}

function fail(
  item: Item,
  code: IssueCode,
  field: string | null,
  value: string | null,
  message: string | readonly Piece[],
  suggestion: string,
): void {
  item.failed = true;
  item.issues.push(issue(code, field, value, message, suggestion));
}

function issue(
  code: IssueCode,
  field: string | null,
  value: string | null,
  message: string | readonly Piece[],
  suggestion: string,
): Issue {
  return issueOf(
    { severity: "error", code, field, value },
    typeof message === "string" ? [message] : message,
    suggestion,
  );
}
