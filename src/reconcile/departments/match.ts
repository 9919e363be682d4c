/** Finds a row's department: the one with its department_id, else the one with its name. Pure. */
import { identityConflict } from "../issues/people.ts";
import type { DepartmentPlanContext } from "./context.ts";
import { type Item, reject } from "./item.ts";

export function matchDepartments(context: DepartmentPlanContext, items: readonly Item[]): void {
  const byFolded = new Map(context.departments.map((department) => [department.image.folded, department]));
  const byExternal = new Map(
    context.departments.filter((department) => department.image.external_id !== null)
      .map((department) => [department.image.external_id!, department]),
  );
  for (const item of items) {
    if (item.failed) continue;
    const { departmentId, folded } = item.record!;
    const own = departmentId === null ? undefined : byExternal.get(departmentId);
    const named = folded === null ? undefined : byFolded.get(folded);
    const otherId = named?.image.external_id ?? null;
    if (own === undefined && departmentId !== null && otherId !== null) rejectOtherId(item, otherId);
    else {
      item.known = own ?? named ?? null;
      settleItem(context, item);
    }
  }
}

function rejectOtherId(item: Item, otherId: string): void {
  const { name, departmentId } = item.record!;
  const why = [
    "the name belongs to ",
    { user: 0, is: `the department_id "${otherId}"`, otherwise: "another department_id" },
    `, not to "${departmentId}"`,
  ];
  reject(item, identityConflict("name", name, why, "Correct the name or the department_id"));
}

/** Rejects, skips or numbers a row whose department is known, or known to be new. */
function settleItem(context: DepartmentPlanContext, item: Item): void {
  const { active, fatal } = item.record!;
  if (fatal && !(active === false && item.known !== null)) item.failed = true;
  else if (item.known === null) {
    item.skipped = active !== true || !context.create;
    item.id = item.skipped ? 0 : context.newId();
  } else item.id = item.known.id;
}
