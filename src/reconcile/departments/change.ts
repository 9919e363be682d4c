/** The change that a row makes of its department. Pure. */
import type { ChangeAction } from "../../model/change.ts";
import type { DepartmentChange, DepartmentImage } from "../planned-change.ts";
import type { DepartmentPlanContext } from "./context.ts";
import { isPlanned, type Item } from "./item.ts";

/** The change of the row's department; null: nothing changes. `parent`: undefined leaves it alone. */
export function changeOf(
  context: DepartmentPlanContext,
  item: Item,
  parent: number | null | undefined,
): DepartmentChange | null {
  if (!isPlanned(item)) return null;
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
