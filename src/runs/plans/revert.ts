/**
 * Plans the inverse of a run that was applied. People who have changed since, and those whose email or id somebody else
 * has by now, are left as they are and named in the report.
 */
import { wholeInput } from "../../reconcile/draft.ts";
import { COUNTED } from "../../model/change.ts";
import { describePerson, isActive, type KnownUser } from "../../reconcile/person.ts";
import type { DepartmentChange, UserChange } from "../../reconcile/planned-change.ts";
import { IMAGE_INDEX, type Stored } from "../../reconcile/image.ts";
import { createPageFiller } from "../../reconcile/columns/pages.ts";
import { type Inverse, invert } from "../../reconcile/revert.ts";
import type { Issue, Piece } from "../../model/record.ts";
import { issueOf } from "../../model/wording.ts";
import { loadAppliedPages } from "../../store/runs/changes.ts";
import { createLookups } from "../../store/runs/lookups.ts";
import type { PlanStore } from "../../store/runs/plans.ts";
import { countActiveUsers, loadDepartments } from "../../store/runs/run-steps.ts";
import type { Stage } from "../stage.ts";
import { changeOf } from "./change-of.ts";
import { type Planned, planOfNobody } from "./plan.ts";

/** Users that are loaded together. */
const BATCH = 1_000;

export async function planRevert(stage: Stage, store: PlanStore): Promise<Planned> {
  const { hub, run } = stage;
  const lookups = await createLookups(hub.db, run.organizationId, run.connectionId);
  const applied = await readApplied(stage, lookups);
  const { inverses, left } = applied;
  const possible = await refuseTaken(inverses, lookups, left);
  const counts = { read: applied.read, updated: 0, deactivated: 0, reactivated: 0 };
  for (const { action } of possible) counts[COUNTED[action]]++;
  const departments = await revertDepartments(stage, applied.departments, possible, left);
  await writeInverses(store, stage.options.pageShare, possible, applied.unlinked, departments);
  for (const name of left) store.report(wholeInput([notReverted(name)]));
  return planOfNobody(inverses.length === 0 && departments.length > 0 ? "departments" : "users", {
    ...counts,
    skipped: applied.read - possible.length,
    departments_updated: departments.length,
  });
}

type Lookups = Awaited<ReturnType<typeof createLookups>>;

interface Applied {
  /** Changes of people. */
  read: number;
  readonly inverses: Inverse[];
  /** Names of what cannot be taken back. */
  readonly left: Piece[];
  /** Keys of links that the run made. */
  readonly unlinked: string[];
  readonly departments: DepartmentChange[];
}

async function readApplied({ hub, run }: Stage, lookups: Lookups): Promise<Applied> {
  const applied: Applied = { read: 0, inverses: [], left: [], unlinked: [], departments: [] };
  for await (const page of loadAppliedPages(hub.db, run.organizationId, run.revertsRun!)) {
    if (page.kind === "departments") {
      applied.departments.push(...page.departments);
      continue;
    }
    for (let from = 0; from < page.changes.length; from += BATCH) {
      await invertAll(page.changes.slice(from, from + BATCH), lookups, applied);
    }
  }
  return applied;
}

async function invertAll(changes: readonly UserChange[], lookups: Lookups, applied: Applied): Promise<void> {
  const users = new Map((await lookups.usersById(changes.map(({ userId }) => userId))).map((user) => [user.id, user]));
  for (const change of changes) {
    const user = users.get(change.userId);
    applied.read++;
    const inverse = user === undefined || user.version !== change.version + 1 ? null : invert(change, user);
    if (inverse === null) {
      applied.left.push(user === undefined ? "a person who is gone" : describePerson(user, "somebody"));
      continue;
    }
    if (inverse.unlink && change.key !== null) applied.unlinked.push(change.key);
    applied.inverses.push(inverse);
  }
}

/** Those whose email and employee_id nobody else has got meanwhile; the others are named in `left`. */
async function refuseTaken(
  inverses: readonly Inverse[],
  lookups: Lookups,
  left: Piece[],
): Promise<Inverse[]> {
  const moving = inverses.filter(({ moves }) => moves);
  const mine = new Set(inverses.filter(({ moves, action }) => moves || action === "deactivate").map((i) => i.user.id));
  const emails = moving.flatMap(({ after }) => after[IMAGE_INDEX.email] as string | null ?? []);
  const ids = moving.flatMap(({ after }) => after[IMAGE_INDEX.employee_id] as string | null ?? []);
  const byEmail = emails.length === 0 ? [] : (await lookups.usersByEmail(emails)).filter(isActive);
  const byEmployeeId = ids.length === 0 ? [] : [...await lookups.idsByEmployeeId(ids)];
  const takenEmails = new Set<Stored>(
    byEmail.filter(({ id }) => !mine.has(id)).map(({ image }) => image[IMAGE_INDEX.email]!),
  );
  const takenIds = new Set<Stored>(byEmployeeId.filter(([, id]) => !mine.has(id)).map(([employeeId]) => employeeId));
  return inverses.filter(({ user, after, moves }) => {
    const taken = moves && ((after[IMAGE_INDEX.status] === "active" && takenEmails.has(after[IMAGE_INDEX.email]!)) ||
      takenIds.has(after[IMAGE_INDEX.employee_id]!));
    if (taken) left.push(describePerson(user, "somebody"));
    return !taken;
  });
}

/** A department that the run made is closed, if nobody is left in it by then; others get their values back. */
async function revertDepartments(
  stage: Stage,
  changes: readonly DepartmentChange[],
  inverses: readonly Inverse[],
  left: Piece[],
): Promise<DepartmentChange[]> {
  if (changes.length === 0) return [];
  const { hub, run } = stage;
  const known = new Map((await loadDepartments(hub.db, run.organizationId)).map((each) => [each.id, each]));
  const people = await countActiveUsers(hub.db, run.organizationId, changes.map((each) => each.departmentId));
  const move = (image: KnownUser["image"], by: number) => {
    const department = image[IMAGE_INDEX.department_id] as number | null;
    if (department === null || image[IMAGE_INDEX.status] !== "active") return;
    people.set(department, (people.get(department) ?? 0) + by);
  };
  for (const { user, after } of inverses) {
    move(user.image, -1);
    move(after, 1);
  }
  const inverted: DepartmentChange[] = [];
  for (const change of changes) {
    const now = known.get(change.departmentId);
    const made = change.before === null;
    if (now === undefined || now.version !== change.version + 1 || (made && (people.get(now.id) ?? 0) > 0)) {
      left.push({ user: 0, is: `department "${change.after.name}"`, otherwise: "a department" });
      continue;
    }
    const after = made ? { ...now.image, active: 0 } : { ...now.image, ...change.before };
    const before = Object.fromEntries(
      (Object.keys(after) as (keyof typeof after)[]).filter((field) => after[field] !== now.image[field])
        .map((field) => [field, now.image[field]]),
    );
    inverted.push({
      action: before.active === undefined ? "update" : after.active === 1 ? "reactivate" : "deactivate",
      line: null,
      departmentId: now.id,
      version: now.version,
      reason: "revert",
      before,
      previousPage: now.lastPage,
      after,
    });
  }
  return inverted;
}

async function writeInverses(
  store: PlanStore,
  share: number | undefined,
  inverses: readonly Inverse[],
  keys: readonly string[],
  departments: readonly DepartmentChange[],
): Promise<void> {
  const filler = createPageFiller(store, share);
  const together: unknown[] = [], parked: number[] = [];
  for (const { user, action, before, after, moves } of inverses) {
    const entry = changeOf(user, action, "revert", before, after);
    if (moves) {
      together.push(entry);
      parked.push(user.id);
    } else filler.add("updates", entry);
    if (filler.isFull) await filler.writeFull();
  }
  // Later pages: those who are deactivated have freed an email by then.
  if (together.length > 0) await filler.addTogether("updates", together, parked);
  for (const key of keys) {
    filler.add("unlinks", key);
    if (filler.isFull) await filler.writeFull();
  }
  await filler.flush();
  // People leave the departments that the run made before those are closed.
  if (departments.length > 0) await filler.addTogether("departments", departments, []);
}

function notReverted(name: Piece): Issue {
  return issueOf(
    { severity: "warning", code: "not_reverted", field: null, value: null },
    [name, " has changed since the run, or what it would get back is taken; it was left as it is"],
    "Correct by hand what should be otherwise",
  );
}
