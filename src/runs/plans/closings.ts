/** Plans to close departments that are marked for closing and are empty. */
import type { DepartmentChange } from "../../reconcile/planned-change.ts";
import type { PlanStore } from "../../store/runs/plans.ts";
import { listClosable, loadDepartments } from "../../store/runs/run-steps.ts";
import type { Stage } from "../stage.ts";
import { type Planned, planOfNobody } from "./plan.ts";

export async function planClosings(stage: Stage, store: PlanStore): Promise<Planned> {
  const { hub, run } = stage;
  const closable = new Set(await listClosable(hub.db, run.organizationId));
  const changes = (await loadDepartments(hub.db, run.organizationId)).filter(({ id }) => closable.has(id))
    .map((department): DepartmentChange => ({
      action: "deactivate",
      line: null,
      departmentId: department.id,
      version: department.version,
      reason: "nobody is left in it",
      before: { active: 1, closing: 1 },
      previousPage: department.lastPage,
      after: { ...department.image, active: 0, closing: 0 },
    }));
  if (changes.length > 0) await store.writeDepartments(changes);
  return planOfNobody("departments", {
    read: changes.length,
    deactivated: changes.length,
    departments_updated: changes.length,
  });
}
