/** Plans a drop of departments. */
import { Fault } from "../../model/errors.ts";
import { countActive } from "../../reconcile/departments/department-names.ts";
import { isMarkOnly } from "../../reconcile/planned-change.ts";
import { planDepartments } from "../../reconcile/departments/plan-departments.ts";
import { createDepartmentValidator } from "../../reconcile/departments/validate-departments.ts";
import { identityOf } from "../../store/runs/drops.ts";
import type { PlanStore } from "../../store/runs/plans.ts";
import { countActiveUsers, loadDepartments } from "../../store/runs/run-steps.ts";
import { reserve } from "../../store/sequences.ts";
import { inputOf, READING_VERSION } from "../read-drop.ts";
import type { Stage } from "../stage.ts";
import type { OpenInput } from "../turn.ts";
import { emptyInput, type Planned } from "./plan.ts";
import { valueRulesOf } from "./value-rules.ts";

const MAX_NEW_DEPARTMENTS = 100_000;

/** Fails with `input_empty` when a full input has no rows. */
export async function planDepartmentDrop(
  stage: Stage,
  { drop, reading, coverage }: OpenInput,
  store: PlanStore,
): Promise<Planned> {
  const { hub, run, connection, organization, policy } = stage;
  const departments = await loadDepartments(hub.db, run.organizationId);
  const plan = await planDepartments(
    {
      departments,
      normalize: reading.normalize,
      validate: createDepartmentValidator({
        ...valueRulesOf(stage),
        emptyCells: policy.empty_cells,
        today: stage.today,
      }),
      activeUsers: (ids) => countActiveUsers(hub.db, run.organizationId, ids),
      newId: await departmentIds(stage),
      create: policy.create,
      update: policy.update,
      deactivate: policy.deactivate,
      reactivate: policy.reactivate,
    },
    reading.rows(),
  );
  if (plan.counts.read === 0 && coverage === "full") throw emptyInput();
  for (const row of plan.issues) store.report(row);
  if (plan.changes.length > 0) await store.writeDepartments(plan.changes);
  const complete = coverage === "full" && reading.isRead && reading.report.endsWithLineEnd;
  const created = plan.changes.filter(({ action }) => action === "create").length;
  const updated = plan.changes.filter((change) => change.action !== "create" && !isMarkOnly(change)).length;
  return {
    entity: "departments",
    coverage,
    complete,
    counts: {
      ...plan.counts,
      departments_created: created,
      departments_updated: updated,
    },
    figures: {
      sha256: identityOf(drop),
      settingsVersion: connection.settingsVersion,
      referenceVersion: organization.referenceVersion,
      readingVersion: READING_VERSION,
      key: null,
      layout: null,
      // From now on, new departments are news.
      baseline: complete ? { rows: plan.counts.read, filled: {} } : null,
    },
    input: inputOf(reading),
    outcomes: null,
    guarded: {
      kind: "departments",
      failed: plan.counts.failed,
      waiting: plan.waiting,
      rows: plan.counts.read,
      created,
      kept: plan.kept,
      departments: countActive(departments),
    },
  };
}

/** Reserves ids for new departments. The result fails with `too_large` after MAX_NEW_DEPARTMENTS. */
export async function departmentIds(stage: Stage): Promise<() => number> {
  let next = await reserve(stage.hub.db, "department", MAX_NEW_DEPARTMENTS);
  const end = next + MAX_NEW_DEPARTMENTS;
  return () => {
    if (next >= end) {
      throw new Fault(
        "too_large",
        `An input may make at most ${MAX_NEW_DEPARTMENTS} new departments: is the column right?`,
      );
    }
    return next++;
  };
}
