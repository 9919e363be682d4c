/**
 * Plans of runs that have no input: people whose day to leave has come, departments that nobody is left in, and the
 * inverse of a run. Planned, guarded and reported like any other.
 */
import { isActive, type KnownUser, tellOf } from "../reconcile/person.ts";
import { holdingGuards } from "../reconcile/guard.ts";
import { protectedUser } from "../reconcile/issues/people.ts";
import type { DepartmentChange } from "../reconcile/planned-change.ts";
import { encodeChange } from "../reconcile/columns/entry.ts";
import { IMAGE_INDEX, type Stored } from "../reconcile/image.ts";
import { createPageFiller } from "../reconcile/columns/pages.ts";
import { type Inverse, invert } from "../reconcile/revert.ts";
import type { Issue, Piece } from "../model/record.ts";
import { issueOf } from "../model/wording.ts";
import { createLookups } from "../store/runs/lookups.ts";
import { createPlanStore, type PlanStore } from "../store/runs/plans.ts";
import { loadAppliedPages } from "../store/runs/changes.ts";
import { countActiveUsers, listClosable, listDue, loadDepartments } from "../store/runs/run-steps.ts";
import { NO_COUNTS } from "../store/runs/runs.ts";
import type { Counts } from "../model/run.ts";
import type { Planned } from "./plan.ts";
import type { Stage } from "./stage.ts";

const BATCH = 1_000;

export async function planWithoutDrop(stage: Stage): Promise<Planned> {
  const { hub, run } = stage;
  const store = await createPlanStore(hub.db, run.organizationId, run.id, stage.renew, hub.packing);
  const planned = run.trigger === "due"
    ? await planDue(stage, store)
    : run.trigger === "revert"
    ? await planRevert(stage, store)
    : await planClosings(stage, store);
  await store.finish();
  return planned;
}

async function planDue(stage: Stage, store: PlanStore): Promise<Planned> {
  const { hub, run, policy, guards } = stage;
  const filler = createPageFiller(store, stage.options.pageShare);
  const lookups = await createLookups(hub.db, run.organizationId, run.connectionId);
  const ids = await listDue(hub.db, run.organizationId, run.connectionId, stage.today);
  let deactivated = 0, skipped = 0;
  for (let from = 0; from < ids.length; from += BATCH) {
    for (const user of await lookups.usersById(ids.slice(from, from + BATCH))) {
      if (!isActive(user)) continue;
      if (!policy.deactivate || policy.protected.has(user.id)) {
        skipped++;
        if (policy.protected.has(user.id)) {
          const who = tellOf(user, "Somebody");
          store.report(wholeInput(protectedUser(who, "deactivation_date", "the deactivation date has come")));
        }
        continue;
      }
      deactivated++;
      const after = user.image.slice();
      after[IMAGE_INDEX.status] = "inactive";
      filler.add("updates", changeOf(user, "deactivate", "due", { status: "active" }, after));
    }
    await filler.writeFull();
  }
  await filler.flush();
  const base = deactivated === 0 ? 0 : await lookups.activeLinked();
  return result(
    "users",
    { read: deactivated + skipped, deactivated, skipped },
    holdingGuards(
      {
        deactivate: deactivated,
        reactivate: 0,
        identity: 0,
        update: 0,
        create: null,
        errors: 0,
        missing: null,
        rowsRead: 0,
      },
      base,
      guards,
    ),
  );
}

async function planClosings(stage: Stage, store: PlanStore): Promise<Planned> {
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
  return result("departments", {
    read: changes.length,
    deactivated: changes.length,
    departments_updated: changes.length,
  }, []);
}

async function planRevert(stage: Stage, store: PlanStore): Promise<Planned> {
  const { hub, run } = stage;
  const lookups = await createLookups(hub.db, run.organizationId, run.connectionId);
  const inverses: Inverse[] = [];
  const left: Piece[] = [];
  const changedDepartments: DepartmentChange[] = [];
  const keys: string[] = [];
  const counts = { read: 0, updated: 0, deactivated: 0, reactivated: 0, skipped: 0 };
  for await (const page of loadAppliedPages(hub.db, run.organizationId, run.revertsRun!)) {
    if (page.kind === "departments") {
      changedDepartments.push(...page.departments);
      continue;
    }
    for (let from = 0; from < page.changes.length; from += BATCH) {
      const changes = page.changes.slice(from, from + BATCH);
      const users = new Map(
        (await lookups.usersById(changes.map(({ userId }) => userId))).map((user) => [user.id, user]),
      );
      for (const change of changes) {
        const user = users.get(change.userId);
        counts.read++;
        const inverse = user === undefined || user.version !== change.version + 1 ? null : invert(change, user);
        if (inverse === null) {
          left.push(user === undefined ? "a person who is gone" : tellOf(user, "somebody"));
          counts.skipped++;
          continue;
        }
        if (inverse.unlink && change.key !== null) keys.push(change.key);
        inverses.push(inverse);
      }
    }
  }
  const possible = await refuseTaken(inverses, lookups, left);
  counts.skipped += inverses.length - possible.length;
  for (const { action } of possible) counts[COUNTED[action]]++;
  const departments = await revertDepartments(stage, changedDepartments, possible, left);
  await writeInverses(store, stage.options.pageShare, possible, keys, departments);
  for (const name of left) store.report(wholeInput(notReverted(name)));
  return result(inverses.length === 0 && departments.length > 0 ? "departments" : "users", {
    ...counts,
    departments_updated: departments.length,
  }, []);
}

const COUNTED = { update: "updated", deactivate: "deactivated", reactivate: "reactivated" } as const;

/** Those whose email and employee_id nobody else has got meanwhile; the others are named in `left`. */
async function refuseTaken(
  inverses: readonly Inverse[],
  lookups: Awaited<ReturnType<typeof createLookups>>,
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
    if (taken) left.push(tellOf(user, "somebody"));
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
  // Later pages: whoever is deactivated has freed an email by then.
  if (together.length > 0) await filler.addTogether("updates", together, parked);
  for (const key of keys) {
    filler.add("unlinks", key);
    if (filler.isFull) await filler.writeFull();
  }
  await filler.flush();
  // People leave the departments that the run made before those are closed.
  if (departments.length > 0) await filler.addTogether("departments", departments, []);
}

function changeOf(
  user: KnownUser,
  action: "update" | "deactivate" | "reactivate",
  reason: string,
  before: Record<string, unknown>,
  after: KnownUser["image"],
) {
  return encodeChange({
    action,
    line: null,
    userId: user.id,
    version: user.version,
    reason,
    before: before as never,
    previousPage: user.lastPage,
    key: null,
    digest: null,
    canonical: null,
    active: after[IMAGE_INDEX.status] === "active",
    after,
  });
}

function result(
  entity: "users" | "departments",
  counts: Partial<Counts>,
  held: Planned["held"],
): Planned {
  return {
    entity,
    coverage: "diff",
    complete: false,
    counts: { ...NO_COUNTS, ...counts },
    held,
    figures: null,
    input: { columns: [], delimiter: ",", format: "csv" },
    outcomes: null,
  };
}

function wholeInput(issue: Issue) {
  return { n: -1, line: null, key: null, origin: null, cells: [], issues: [issue] };
}

function notReverted(name: Piece): Issue {
  return issueOf(
    { severity: "warning", code: "not_reverted", field: null, value: null },
    [name, " has changed since the run, or what it would get back is taken; it was left as it is"],
    "Correct by hand what should be otherwise",
  );
}
