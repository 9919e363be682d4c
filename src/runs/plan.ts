/**
 * Plans a run of a drop: reads it, compares, stores the plan with its report, and asks the guards. Writes no user.
 */
import { Fault, type FaultCode } from "../model/errors.ts";
import { createDepartmentDraft } from "../reconcile/departments/department-names.ts";
import type { UserPlanContext } from "../reconcile/draft.ts";
import { goneColumns, goneFields, type Held, holdingGuards, vanishedColumns } from "../reconcile/guard.ts";
import { createPageFiller } from "../reconcile/columns/pages.ts";
import { planDepartments } from "../reconcile/departments/plan-departments.ts";
import { planUsers } from "../reconcile/plan-users.ts";
import type { UserPlan } from "../reconcile/summarize.ts";
import { createRequirementCheck, createValidator } from "../reconcile/validate.ts";
import { createDepartmentValidator } from "../reconcile/departments/validate-departments.ts";
import { getPreset } from "../model/preset.ts";
import type { Entity, Issue, KeyField, Salt } from "../model/record.ts";
import type { Database } from "../store/database.ts";
import { hasContent } from "../store/runs/drop-content.ts";
import { type Drop, findDrop } from "../store/runs/drops.ts";
import { type Fetch, findFetch, findFetchOfDrop } from "../store/connections/fetches.ts";
import { createLookups, loadCanonical, loadKnown } from "../store/runs/lookups.ts";
import { createPlanStore, type PlanStore } from "../store/runs/plans.ts";
import { countsSince, listWaiting } from "../store/runs/queue.ts";
import { voidRecalled } from "../store/runs/recalls.ts";
import { countActiveUsers, hasMissing, listHeld, listPriorities, loadDepartments } from "../store/runs/run-steps.ts";
import type { Counts, RunFigures } from "../model/run.ts";
import { reserve } from "../store/sequences.ts";
import { type Input, openInput, saltOf } from "./input.ts";
import { openProven } from "./open-drop.ts";
import type { Stage } from "./stage.ts";

/** Bumped when the same bytes come to mean something else, so that digests of before are void. */
const READING_VERSION = 1;
const HOUR_MS = 3_600_000;
const MAX_NEW_DEPARTMENTS = 100_000;

export interface Planned {
  readonly entity: "users" | "departments";
  readonly coverage: "full" | "diff";
  readonly complete: boolean;
  readonly counts: Counts;
  readonly held: readonly Held[];
  /** Null: an input of nobody, which teaches the connection nothing. */
  readonly figures: RunFigures | null;
  readonly input: { columns: string[]; delimiter: string; format: "csv" };
  readonly outcomes: string | null;
  /** Why the source could not be read to its end, where something was read of it. */
  readonly error?: { readonly code: string; readonly message: string } | null;
}

/** What a run turns out to be; without being planned, but for the first. */
export type PlanOutcome =
  | Planned
  | { readonly skipped: "duplicate_input" }
  | { readonly superseded: true }
  /** The number of a run that is to go first. */
  | { readonly givesWayTo: number };

export async function planDrop(stage: Stage): Promise<PlanOutcome> {
  const { hub, run, connection } = stage;
  const drop = await loadDrop(stage);
  if (run.mode === "auto" && run.trigger === "drop" && await isDuplicate(stage, drop)) {
    return { skipped: "duplicate_input" };
  }
  const fixedKey = connection.key ?? getPreset(connection.preset).key ??
    hub.registry.get(connection.connector)?.key ?? null;
  const fetched = await findFetchOfDrop(hub.db, run.organizationId, drop.id);
  const input = await open(stage, drop, fetched, fixedKey);
  const coverage = input.isReport
    ? "diff"
    : drop.coverage ?? (run.trigger === "drop" ? stage.policy.coverage : run.coverage);
  if (coverage === "full" && await isOvertaken(stage, input, fixedKey)) return { superseded: true };
  const departments = input.entity === "users" ? await findWaitingDepartments(stage, fixedKey) : null;
  if (departments !== null) return { givesWayTo: departments };

  // A plan that is only looked at is not applied from here.
  const staging = run.mode === "auto" ? stage.options.staging : undefined;
  const store = await createPlanStore(hub.db, run.organizationId, run.id, stage.renew, hub.packing, staging);
  const planned = input.entity === "users"
    ? await planUserDrop(stage, drop, fetched, input, coverage, fixedKey ?? input.keyByColumns(), store)
    : await planDepartmentDrop(stage, drop, input, coverage, store);
  const issues = [...input.headerIssues(), ...fetched === null ? [] : fetchIssues(fetched)];
  if (issues.length > 0) {
    await store.nextPass();
    store.report({ n: -1, line: null, key: null, origin: null, cells: [], issues });
  }
  await store.finish();
  if (drop.rows !== null && drop.rows !== planned.counts.read) {
    throw new Fault(
      "input_incomplete",
      `The input has ${planned.counts.read} rows, but was handed in as one of ${drop.rows}: send the whole file again`,
    );
  }
  return { ...planned, error: fetched?.error ?? null };
}

/** What the fetch itself has to say. */
function fetchIssues({ warnings, error }: Fetch): Issue[] {
  if (error === null) return [...warnings];
  return [...warnings, {
    severity: "error",
    code: "fetch_incomplete",
    field: null,
    value: null,
    message: `The source could not be read to its end: ${error.message}`,
    suggestion: "What was read was used, and nobody was taken for missing; the next run tries again",
  }];
}

async function loadDrop(stage: Stage): Promise<Drop> {
  const { hub, run } = stage;
  if (run.dropId === null) {
    const fetched = await findFetch(hub.db, run);
    // Nothing could be read: why not was found out while it was tried.
    if (fetched?.error != null) throw new Fault(fetched.error.code as FaultCode, fetched.error.message);
  }
  const drop = run.dropId === null ? null : await findDrop(hub.db, run.organizationId, run.dropId);
  if (drop === null || drop.sealedAt === null || !await hasContent(hub.db, drop)) {
    throw new Fault("content_expired", "The input is no longer kept; send it again");
  }
  return drop;
}

async function open(stage: Stage, drop: Drop, fetched: Fetch | null, key: KeyField | null): Promise<Input> {
  const { hub, connection, customFields, options } = stage;
  const connector = hub.registry.get(connection.connector);
  if (connector === undefined) {
    throw new Fault("unavailable", `The connector "${connection.connector}" is not installed here`);
  }
  return await openInput(
    {
      connection,
      connector,
      drop: await openProven(stage, drop),
      origins: fetched?.origins ?? null,
      customFields,
      today: stage.today,
      signal: options.signal,
    },
    drop.entity,
    key,
  );
}

/** The very bytes that were applied last, nothing has changed since, and nobody's absence waits for another input. */
async function isDuplicate(stage: Stage, drop: Drop): Promise<boolean> {
  const { connection, organization, hub } = stage;
  const same = Object.values(connection.lastApplied).some((last) =>
    last !== undefined && last.sha256 === drop.sha256 && last.settingsVersion === connection.settingsVersion &&
    last.referenceVersion === organization.referenceVersion && last.dataVersion === organization.dataVersion
  );
  return same && !await hasMissing(hub.db, connection.id);
}

/** Of full inputs that wait together the latest counts, where the policy says so. */
async function isOvertaken(stage: Stage, input: Input, key: KeyField | null): Promise<boolean> {
  const { hub, run, policy } = stage;
  if (policy.pick !== "latest" || run.trigger !== "drop" || run.mode !== "auto") return false;
  for (const other of await listWaiting(hub.db, run)) {
    const drop = other.dropId === null ? null : await findDrop(hub.db, run.organizationId, other.dropId);
    if (drop === null || (drop.coverage ?? policy.coverage) !== "full") continue;
    try {
      const next = await open(stage, drop, null, key);
      if (next.entity === input.entity && !next.isReport) return true;
    } catch (error) {
      // A later input that cannot be read takes nobody's place; its own run will say why.
      if (!(error instanceof Fault)) throw error;
    }
  }
  return false;
}

/**
 * A run of departments that waits behind this one of users: people are put into departments, so those go first where both
 * wait. Null: there is none that could go now.
 */
async function findWaitingDepartments(stage: Stage, key: KeyField | null): Promise<number | null> {
  const { hub, run } = stage;
  if (run.trigger !== "drop" || run.mode !== "auto") return null;
  const waiting = await listWaiting(hub.db, run);
  if (waiting.length === 0) return null;
  // Behind a held run, a diff waits itself, and whoever gave way to it would wait with it.
  const isHeld = (await listHeld(hub.db, run)).length > 0;
  for (const { id, dropId, coverage } of waiting) {
    if (dropId === null || (isHeld && coverage === "diff")) continue;
    if (await entityOf(stage, dropId, key) === "departments") return id;
  }
  return null;
}

/**
 * What inputs that wait were seen to hold, so that each is looked at once and not by every run before it. Only a memory of
 * this process: another one looks again.
 */
const SEEN = new WeakMap<Database, Map<string, Entity | null>>();
const MAX_SEEN = 10_000;

/** Null: it is gone, or cannot be read, which its own run will say. */
async function entityOf(stage: Stage, dropId: number, key: KeyField | null): Promise<Entity | null> {
  const { hub, run, connection, organization } = stage;
  const seen = SEEN.get(hub.db) ?? new Map<string, Entity | null>();
  SEEN.set(hub.db, seen);
  const name = [dropId, connection.settingsVersion, organization.referenceVersion, key].join();
  const known = seen.get(name);
  if (known !== undefined) return known;
  let entity: Entity | null = null;
  try {
    const drop = await findDrop(hub.db, run.organizationId, dropId);
    if (drop !== null) entity = (await open(stage, drop, null, key)).entity;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
  }
  if (seen.size >= MAX_SEEN) seen.clear();
  seen.set(name, entity);
  return entity;
}

async function planUserDrop(
  stage: Stage,
  drop: Drop,
  fetched: Fetch | null,
  input: Input,
  coverage: "full" | "diff",
  key: KeyField,
  store: PlanStore,
): Promise<Planned> {
  const { hub, run, organization, connection, customFields, options } = stage;
  const policy = { ...stage.policy, coverage };
  const preset = getPreset(connection.preset);
  const requiredFields = preset.requiredForNew ?? organization.requiredFields;
  const rules = {
    key,
    dateFormat: (connection.settings.date_format ?? "YYYY-MM-DD") as "YYYY-MM-DD",
    emptyCells: policy.empty_cells,
    requiredFields,
    customFields,
    onlyStatuses: policy.only_statuses,
    preHires: policy.pre_hires,
    today: stage.today,
  };
  await voidRecalled(hub.db, run.organizationId);
  const lookups = await createLookups(hub.db, run.organizationId, connection.id);
  const meaning = [
    READING_VERSION,
    hub.registry.get(connection.connector)!.version,
    connection.settingsVersion,
    organization.referenceVersion,
    "users",
    key,
  ];
  const outranks = await ranking(stage);
  const context: UserPlanContext = {
    connectionId: connection.id,
    key,
    policy,
    today: stage.today,
    now: stage.now,
    fullInputs: connection.fullInputs,
    customFields,
    requirements: createRequirementCheck({ requiredFields, customFields }),
    outranks,
    normalize: input.normalize,
    validate: createValidator(rules),
    known: await loadKnown(hub.db, connection.id),
    shortcut: options.shortcut ?? true,
    lookups,
    departments: createDepartmentDraft(
      await loadDepartments(hub.db, run.organizationId),
      await idSource(stage, "department", MAX_NEW_DEPARTMENTS),
    ),
    pageStore: store,
    filler: createPageFiller(store, options.pageShare),
    report: store.report,
    writeReport: store.writeReport,
    nextPass: store.nextPass,
    writeDepartments: store.writeDepartments,
    reserveUserIds: (count) => reserve(hub.db, "user", count),
  };
  const salts = new Map<readonly string[], Salt>();
  let layout: string | null = null;
  const layoutOf = (columns: readonly string[]) =>
    layout = hexOf(saltOf(connection.salt, [...meaning, "layout", input.report.delimiter, columns]));
  layoutOf(input.columns);
  const plan = await planUsers(context, {
    rows: input.rows,
    fieldsOf: input.fieldsOf,
    rawSalt(columns) {
      let salt = salts.get(columns);
      if (salt === undefined) {
        salts.set(columns, salt = saltOf(connection.salt, [...meaning, "bytes", input.report.delimiter, columns]));
      }
      return salt;
    },
    canonicalSalt: saltOf(connection.salt, [...meaning, "cells"]),
    loadCanonical: () => loadCanonical(hub.db, connection.id),
    layoutReturns: layout === connection.layout,
    statusesTold: hub.registry.get(connection.connector)!.knowsStatuses === true,
    isComplete: () =>
      coverage === "full" && input.isRead && input.report.endsWithLineEnd && (fetched === null || fetched.complete),
    isCutShort: fetched !== null && !fetched.complete,
    progress: (phase, done) => stage.step({ phase, done, total: drop.rows }),
  });
  if (plan.counts.read === 0 && coverage === "full") throw emptyInput();
  if (plan.complete && connection.baseline.users !== undefined) {
    const issues = goneColumns(plan.filled, connection.baseline.users);
    await store.nextPass();
    if (issues.length > 0) store.report({ n: -1, line: null, key: null, origin: null, cells: [], issues });
  }
  const counts: Counts = { ...plan.counts, departments_updated: 0 };
  return {
    entity: "users",
    coverage,
    complete: plan.complete,
    counts,
    held: await userGuards(stage, plan, coverage, lookups.activeLinked, fetched?.warnings ?? []),
    figures: {
      sha256: drop.sha256,
      settingsVersion: connection.settingsVersion,
      referenceVersion: organization.referenceVersion,
      key,
      layout,
      baseline: plan.complete ? plan.filled : null,
    },
    input: { columns: [...input.columns], delimiter: input.report.delimiter ?? ",", format: "csv" },
    outcomes: plan.outcomes,
  };
}

async function userGuards(
  stage: Stage,
  plan: UserPlan,
  coverage: "full" | "diff",
  activeLinked: () => Promise<number>,
  warnings: readonly Issue[],
): Promise<Held[]> {
  const { hub, connection, guards, policy, now } = stage;
  const { counts } = plan;
  const figures = {
    deactivate: plan.deactivate,
    reactivate: counts.reactivated,
    identity: plan.identity,
    update: counts.updated,
    create: connection.fullInputs > 0 ? counts.created : null,
    errors: counts.failed,
    missing: isFetched(stage) ? plan.newlyMissing : null,
    rowsRead: counts.read,
  };
  // Fed record by record, an accident comes in small pieces.
  if (hub.registry.get(connection.connector)?.coverage === "diff" && connection.preset === null) {
    const lately = await countsSince(hub.db, connection.id, now - HOUR_MS);
    figures.deactivate += lately.deactivate!;
    figures.reactivate += lately.reactivate!;
    figures.update += lately.update!;
    if (figures.create !== null) figures.create += lately.create!;
    figures.errors += lately.errors!;
    figures.rowsRead += lately.read!;
  }
  let held = holdingGuards(figures, plan.activeAtLeast, guards);
  // Counting everybody linked is slow; the lower bound holds nothing back that the full number would let pass.
  if (held.some(({ guard }) => guard !== "errors")) {
    held = holdingGuards(figures, Math.max(plan.activeAtLeast, await activeLinked() + plan.newActive), guards);
  }
  if (coverage === "full" && plan.complete && policy.empty_cells === "clear") {
    held.push(...vanishedColumns(plan.filled, connection.baseline.users ?? null, guards));
  }
  // Whoever has a status of another name now looks like one who is not to be imported.
  const isRenamed = warnings.some(({ code }) => code === "status_not_in_source");
  if (isRenamed && plan.deactivate > 0 && guards.deactivate.enabled && held.every((h) => h.guard !== "deactivate")) {
    const base = Math.max(plan.activeAtLeast, await activeLinked() + plan.newActive);
    held.push({ guard: "deactivate", count: plan.deactivate, limit: 0, base });
  }
  if (isFetched(stage) && coverage === "full" && plan.complete && wasReadAlike(stage)) {
    held.push(...goneFields(plan.filled, connection.baseline.users!, guards));
  }
  return held;
}

function isFetched({ hub, connection }: Stage): boolean {
  return hub.registry.get(connection.connector)?.takesDrops === false;
}

/** The last complete full read asked for the same fields: those of which there is nothing now were taken from it. */
function wasReadAlike({ connection }: Stage): boolean {
  return connection.baseline.users !== undefined &&
    connection.lastApplied.users?.settingsVersion === connection.settingsVersion;
}

async function planDepartmentDrop(
  stage: Stage,
  drop: Drop,
  input: Input,
  coverage: "full" | "diff",
  store: PlanStore,
): Promise<Planned> {
  const { hub, run, connection, organization, policy, guards } = stage;
  const plan = await planDepartments(
    {
      departments: await loadDepartments(hub.db, run.organizationId),
      normalize: input.normalize,
      validate: createDepartmentValidator({
        dateFormat: (connection.settings.date_format ?? "YYYY-MM-DD") as "YYYY-MM-DD",
        emptyCells: policy.empty_cells,
        today: stage.today,
      }),
      activeUsers: (ids) => countActiveUsers(hub.db, run.organizationId, ids),
      newId: await idSource(stage, "department", MAX_NEW_DEPARTMENTS),
      create: policy.create,
      update: policy.update,
      deactivate: policy.deactivate,
      reactivate: policy.reactivate,
    },
    input.rows(),
  );
  if (plan.counts.read === 0 && coverage === "full") throw emptyInput();
  for (const row of plan.issues) store.report(row);
  if (plan.changes.length > 0) await store.writeDepartments(plan.changes);
  const created = plan.changes.filter(({ action }) => action === "create").length;
  return {
    entity: "departments",
    coverage,
    complete: coverage === "full" && input.isRead && input.report.endsWithLineEnd,
    counts: {
      ...plan.counts,
      missing: 0,
      departments_created: created,
      departments_updated: plan.changes.length - created,
    },
    held: holdingGuards(
      {
        deactivate: 0,
        reactivate: 0,
        identity: 0,
        update: 0,
        create: null,
        errors: plan.counts.failed,
        missing: null,
        rowsRead: plan.counts.read,
      },
      0,
      guards,
    ),
    figures: {
      sha256: drop.sha256,
      settingsVersion: connection.settingsVersion,
      referenceVersion: organization.referenceVersion,
      key: null,
      layout: null,
      baseline: null,
    },
    input: { columns: [...input.columns], delimiter: input.report.delimiter ?? ",", format: "csv" },
    outcomes: null,
  };
}

function emptyInput(): Fault {
  return new Fault("input_empty", "The input has no rows: a full input without anybody would mean that everybody left");
}

/** Whether another connection's word counts more: the higher priority first, of equal ones the older. */
async function ranking(stage: Stage): Promise<(connectionId: number) => boolean> {
  const { hub, run, connection } = stage;
  const all = await listPriorities(hub.db, run.organizationId);
  const place = new Map(
    all.sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0) || a.createdAt - b.createdAt || a.id - b.id)
      .map(({ id }, index) => [id, index]),
  );
  const mine = place.get(connection.id)!;
  return (other) => (place.get(other) ?? Infinity) < mine;
}

async function idSource(stage: Stage, name: "department", count: number): Promise<() => number> {
  let next = await reserve(stage.hub.db, name, count);
  const end = next + count;
  return () => {
    if (next >= end) {
      throw new Fault("too_large", `An input may make at most ${count} new departments: is the column right?`);
    }
    return next++;
  };
}

function hexOf(words: Int32Array): string {
  return [...words].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}
