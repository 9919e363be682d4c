/** Stored changes as the API shows them. No I/O. */
import type { ChangeView } from "../../model/change.ts";
import { encodeId } from "../../model/id.ts";
import { decodeChange, type Entry, withPageManager } from "../../reconcile/columns/entry.ts";
import type { GroupChange } from "../../reconcile/group-change.ts";
import { IMAGE_INDEX, type ImageColumn, sameStored, type Stored } from "../../reconcile/image.ts";
import { type DepartmentChange, isMarkOnly } from "../../reconcile/planned-change.ts";
import { toInstant } from "../../std/time.ts";
import type { changePages } from "./schema-plans.ts";

/** A page with its content. */
export type PageRow = typeof changePages.$inferSelect & { readonly body: string; readonly managers: string | null };

type Fields = Record<string, { before: unknown; after: unknown }>;
/** Names of departments by id. */
type Names = ReadonlyMap<number, string>;

/** The page's changes from index `from`, at most `limit`, each with its index. */
export function viewPage(
  row: PageRow,
  names: Names,
  from: number,
  limit: number,
): { index: number; change: ChangeView }[] {
  const entries = JSON.parse(row.body) as unknown[];
  const views: { index: number; change: ChangeView }[] = [];
  for (let index = from; index < entries.length && views.length < limit; index++) {
    if (row.kind === "departments") {
      const change = entries[index] as DepartmentChange;
      // A department that waits to be closed has not changed yet.
      if (isMarkOnly(change)) continue;
      views.push({ index, change: viewDepartmentChange(row, change, index, names) });
    } else if (row.kind === "groups") {
      views.push({ index, change: viewGroupChange(row, entries[index] as GroupChange, index) });
    } else views.push({ index, change: viewUserChange(row, entries[index] as Entry, index, names) });
  }
  return views;
}

export function viewUserChange(row: PageRow, entry: Entry, index: number, names: Names): ChangeView {
  const change = withPageManager(decodeChange(entry), managersOf(row)[index]);
  const { after, before } = change;
  const fields: Fields = {};
  for (const [column, place] of Object.entries(IMAGE_INDEX)) {
    if (column === "source_id" || column === "field_sources" || column === "edited_by_hand") continue;
    if (
      before === null ? after[place] === null || (column === "on_leave" && after[place] === 0) : !(column in before)
    ) continue;
    const was = before === null ? null : before[column as ImageColumn]!;
    if (column === "custom") addCustom(fields, was, after[place]!);
    else fields[nameOf(column)] = { before: shown(column, was, names), after: shown(column, after[place]!, names) };
  }
  return {
    ...common(row, index),
    action: change.action,
    entity: "user",
    subject: {
      id: encodeId("usr", change.userId),
      email: after[IMAGE_INDEX.email] as string | null,
      employee_id: after[IMAGE_INDEX.employee_id] as string | null,
    },
    line: change.line,
    fields,
    reason: change.reason,
  };
}

function viewDepartmentChange(row: PageRow, change: DepartmentChange, index: number, names: Names): ChangeView {
  const name = (id: unknown) =>
    id === null || id === undefined ? null : names.get(id as number) ?? encodeId("dep", id as number);
  const was = change.before, now = change.after;
  const fields: Fields = {};
  const has = (field: keyof typeof now) => was === null ? now[field] !== null : field in was;
  if (has("name")) fields.name = { before: was?.name ?? null, after: now.name };
  if (has("parent_id")) fields.parent = { before: name(was?.parent_id), after: name(now.parent_id) };
  if (has("external_id")) fields.department_id = { before: was?.external_id ?? null, after: now.external_id };
  if (was !== null && "active" in was) fields.is_active = { before: was.active === 1, after: now.active === 1 };
  return {
    ...common(row, index),
    action: change.action,
    entity: "department",
    subject: { id: encodeId("dep", change.departmentId), name: now.name },
    line: change.line,
    fields,
    reason: change.reason,
  };
}

/** Members are shown by their ids: those who came and those who went. */
function viewGroupChange(row: PageRow, change: GroupChange, index: number): ChangeView {
  const { action, groupId, before, name, added, removed } = change;
  const members = (ids: readonly number[]) => ids.map((id) => encodeId("usr", id));
  const fields: Fields = {};
  if (before !== name) fields.name = { before, after: name };
  if (added.length + removed.length > 0) fields.members = { before: members(removed), after: members(added) };
  return {
    ...common(row, index),
    action,
    entity: "group",
    subject: { id: encodeId("grp", groupId), name },
    line: null,
    fields,
    reason: action === "deactivate" ? "deleted" : null,
  };
}

function common(row: PageRow, index: number) {
  const superseded = supersededOf(row).has(index);
  return {
    id: encodeId("chg", row.firstChange + index),
    status: superseded ? "superseded" : row.appliedAt === null ? "planned" : "applied",
    run: row.runId === null ? null : encodeId("run", row.runId),
    applied_at: row.appliedAt === null || superseded ? null : toInstant(row.appliedAt),
    seq: row.seq === null || superseded ? null : row.seq + index,
  } as const;
}

function addCustom(fields: Fields, was: Stored, now: Stored): void {
  const before = (was ?? {}) as Record<string, unknown>, after = (now ?? {}) as Record<string, unknown>;
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (!sameStored(before[key] ?? null, after[key] ?? null)) {
      fields[key] = { before: before[key] ?? null, after: after[key] ?? null };
    }
  }
}

function nameOf(column: string): string {
  return column === "department_id" ? "department_name" : column === "manager_id" ? "manager" : column;
}

function shown(column: string, value: Stored, names: Names): unknown {
  if (value === null) return null;
  if (column === "department_id") return names.get(value as number) ?? encodeId("dep", value as number);
  if (column === "manager_id") return encodeId("usr", value as number);
  return column === "on_leave" ? value === 1 : value;
}

export function managersOf(row: PageRow): (number | null)[] {
  return row.managers === null ? [] : JSON.parse(row.managers);
}

export function supersededOf(row: PageRow): Set<number> {
  return new Set(row.superseded === null ? [] : JSON.parse(row.superseded) as number[]);
}
