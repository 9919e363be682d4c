/** Plans a drop of people: compares its rows with the existing users. */
import { connectorFor, meaningOf } from "../../hub.ts";
import { type Lookups, type UserPlanContext, wholeInput } from "../../reconcile/draft.ts";
import { getPreset } from "../../model/preset.ts";
import type { Issue, KeyField, Salt } from "../../model/record.ts";
import type { ColumnFacts } from "../../reconcile/column-facts.ts";
import { createDepartmentDraft } from "../../reconcile/departments/department-names.ts";
import { goneColumns, isHeldForConflicts } from "../../reconcile/guard.ts";
import { createPageFiller } from "../../reconcile/columns/pages.ts";
import { planUsers, type UserInput } from "../../reconcile/plan-users.ts";
import { partsBroken, statusGone } from "../../reconcile/issues/input.ts";
import { createRanks } from "../../reconcile/ranks.ts";
import { createRowFilter } from "../../reconcile/row-filter.ts";
import { createRequirementCheck } from "../../reconcile/requirements.ts";
import { type StatusColumns, statusColumnsOf } from "../../reconcile/status-columns.ts";
import type { UserPlan } from "../../reconcile/summarize.ts";
import { createValidator } from "../../reconcile/validate.ts";
import { loadCanonical, loadKnown } from "../../store/runs/known-links.ts";
import { createLookups } from "../../store/runs/lookups.ts";
import { identityOf } from "../../store/runs/drops.ts";
import type { PlanStore } from "../../store/runs/plans.ts";
import { voidRecalled } from "../../store/runs/recalls.ts";
import { loadDepartments } from "../../store/runs/run-steps.ts";
import { reserve } from "../../store/sequences.ts";
import type { Columns } from "../columns.ts";
import { filledOfAll, isLastPart } from "../parts.ts";
import { loadPeers } from "../peers.ts";
import { inputOf, READING_VERSION, saltOf } from "../read-drop.ts";
import { hexOf } from "../../std/hex.ts";
import type { Stage } from "../stage.ts";
import type { OpenInput } from "../turn.ts";
import { departmentIds } from "./departments.ts";
import { emptyInput, type Planned } from "./plan.ts";
import { type ValueRules, valueRulesOf } from "./value-rules.ts";

/**
 * Null: the facts did not hold, so the input has to be planned again with them as they are now. Fails with `input_empty`
 * when a full input has no rows.
 */
export async function planPeopleDrop(
  stage: Stage,
  input: OpenInput,
  store: PlanStore,
  learned: Learned,
): Promise<Planned | null> {
  const { hub, run, organization, connection } = stage;
  const { drop, fetched, reading, coverage, part } = input;
  const key = input.key ?? (reading.columns.fields.includes("employee_id") ? "employee_id" : "email");
  await voidRecalled(hub.db, run.organizationId);
  const values = valueRulesOf(stage);
  const lookups = await createLookups(hub.db, run.organizationId, connection.id, values.phones);
  const { facts, identities } = learned;
  const digests = createDigests(stage, input, key, facts);
  const context = await createContext(stage, input, key, { values, lookups, store, ...learned });
  const plan = await planUsers(context, createUserInput(stage, input, digests));
  if (plan === null) return null;
  if (!identities.areAllAccepted && isHeldForConflicts(plan, stage.guards)) {
    identities.areAllAccepted = true;
    return null;
  }
  if (plan.counts.read === 0 && coverage === "full") throw emptyInput();
  const filled = { ...plan.filled, headers: headersOf(reading.columns) };
  const issues = [...columnsGone(stage, input, plan), ...(part?.isBroken === true ? [partsBroken()] : [])];
  if (issues.length > 0) {
    await store.nextPass();
    store.report(wholeInput(issues));
  }
  return {
    entity: "users",
    coverage,
    complete: plan.complete,
    counts: { ...plan.counts, departments_updated: 0 },
    figures: {
      sha256: identityOf(drop),
      settingsVersion: connection.settingsVersion,
      referenceVersion: organization.referenceVersion,
      readingVersion: READING_VERSION,
      key,
      layout: digests.layout,
      baseline: plan.complete && isLastPart(part) ? filledOfAll(part, filled) : null,
      columns: facts.memory(),
      guarded: { deactivate: plan.deactivate, identity: plan.identity },
      ...(part === null ? {} : { part: { complete: plan.complete, filled, kept: plan.kept } }),
    },
    input: inputOf(reading),
    outcomes: plan.outcomes,
    guarded: {
      kind: "people",
      plan,
      activeLinked: lookups.activeLinked,
      warnings: fetched?.warnings ?? [],
      departments: context.departments.active,
    },
  };
}

/** What each field's column is called; records without a file call it by the field itself. */
function headersOf({ names, fields }: Columns): Record<string, string> {
  return Object.fromEntries(fields.flatMap((field, i) => field === null ? [] : [[field, names[i]!]]));
}

/** Warnings about columns that earlier inputs had. */
function columnsGone({ connection }: Stage, { reading, part }: OpenInput, { complete, filled }: UserPlan): Issue[] {
  const { baseline, columnMemory } = connection;
  const isWhole = complete && isLastPart(part);
  const gone = isWhole && baseline.users !== undefined ? goneColumns(filledOfAll(part, filled), baseline.users) : [];
  // Records have the keys that they need, one by one.
  const isTable = reading.report.delimiter !== null || reading.report.sheet !== undefined;
  const { active } = statusColumnsOf(reading.columns.names, reading.columns.fields, {
    mapping: [],
    deciding: [],
    isFiltered: false,
  });
  const wasThere = columnMemory !== null && (columnMemory.active || columnMemory.inactive);
  const isGone = wasThere && isTable && active < 0 && gone.every(({ field }) => field !== "is_active");
  return isGone ? [...gone, statusGone()] : gone;
}

/** What one plan of an input learns for the next, if it does not hold. */
export type Learned = Pick<UserPlanContext, "facts" | "identities" | "twins" | "renumbered">;

interface Parts extends Learned {
  readonly values: ValueRules;
  readonly lookups: Lookups;
  readonly store: PlanStore;
}

async function createContext(
  stage: Stage,
  { drop, reading, coverage, choice, part }: OpenInput,
  key: KeyField,
  { values, lookups, store, facts, identities, twins, renumbered }: Parts,
): Promise<UserPlanContext> {
  const { hub, run, organization, connection, customFields, options } = stage;
  const policy = { ...stage.policy, coverage };
  const requiredFields = getPreset(connection.preset).requiredForNew ?? organization.requiredFields;
  return {
    connectionId: connection.id,
    key,
    phones: values.phones,
    policy,
    today: stage.today,
    now: stage.now,
    fullInputs: connection.fullInputs,
    part: part === null ? null : { run: run.id, after: part.after, isLast: isLastPart(part) },
    customFields,
    hasSameFields: connection.lastApplied.users?.referenceVersion === organization.referenceVersion,
    requirements: createRequirementCheck({ requiredFields, customFields }),
    ranks: createRanks(connection.id, await loadPeers(stage)),
    byHand: drop.byHand,
    normalize: reading.normalize,
    validate: createValidator({
      key,
      ...values,
      emptyCells: policy.empty_cells,
      requiredFields,
      customFields,
      onlyStatuses: policy.only_statuses,
      preHires: policy.pre_hires,
      leavers: policy.leavers,
      today: stage.today,
    }, facts),
    rowFilter: createRowFilter(policy.only_rows ?? []),
    facts,
    identities,
    twins,
    renumbered,
    statusColumns: createStatusColumns(stage, reading.columns),
    known: await loadKnown(hub.db, connection.id),
    ...(choice === undefined ? {} : { choice }),
    shortcut: (options.shortcut ?? true) && !choice?.names,
    lookups,
    departments: createDepartmentDraft(
      await loadDepartments(hub.db, run.organizationId),
      await departmentIds(stage),
    ),
    pageStore: store,
    filler: createPageFiller(store, options.pageShare),
    report: store.report,
    writeReport: store.writeReport,
    nextPass: store.nextPass,
    writeDepartments: store.writeDepartments,
    reserveUserIds: (count) => reserve(hub.db, "user", count),
  };
}

/** As statusColumnsOf, once for each list of columns. */
function createStatusColumns({ connection, policy }: Stage, { resolve }: Columns): UserPlanContext["statusColumns"] {
  const known = new WeakMap<readonly string[], StatusColumns>();
  const options = {
    mapping: Object.keys(connection.mapping),
    deciding: (policy.only_rows ?? []).map(({ column }) => column),
    isFiltered: policy.only_statuses !== null,
  };
  return (names) => {
    let found = known.get(names);
    if (found === undefined) known.set(names, found = statusColumnsOf(names, resolve(names), options));
    return found;
  };
}

function createUserInput(stage: Stage, input: OpenInput, digests: Digests): UserInput {
  const { drop, fetched, reading, coverage, part } = input;
  const { hub, connection } = stage;
  return {
    rows: reading.rows,
    fieldsOf: reading.columns.resolve,
    rawSalt: digests.rawSalt,
    canonicalSalt: digests.canonicalSalt,
    loadCanonical: () => loadCanonical(hub.db, connection.id),
    layoutReturns: digests.layout === connection.layout,
    statusesReported: connectorFor(hub.registry, connection)!.knowsStatuses === true,
    isComplete: () =>
      coverage === "full" && reading.isRead && reading.report.endsWithLineEnd &&
      (fetched === null || fetched.complete) && part?.isBroken !== true,
    isCutShort: (fetched !== null && !fetched.complete) || part?.isBroken === true,
    progress: (phase, done) => stage.step({ phase, done, total: drop.rows }),
  };
}

interface Digests {
  /** Digest of the columns and of everything that decides what they mean. */
  readonly layout: string;
  readonly canonicalSalt: Salt;
  /** For the bytes of rows with these columns. */
  rawSalt(columns: readonly string[]): Salt;
}

/** Salts for digests of rows. They change with everything that decides what a row means. */
function createDigests(stage: Stage, { drop, reading }: OpenInput, key: KeyField, facts: ColumnFacts): Digests {
  const { hub, connection, organization } = stage;
  const meaning = [
    READING_VERSION,
    meaningOf(connectorFor(hub.registry, connection)!),
    connection.settingsVersion,
    organization.referenceVersion,
    "users",
    key,
    facts.seed(),
    ...drop.byHand ? ["by hand"] : [],
  ];
  const { delimiter } = reading.report;
  const salts = new Map<readonly string[], Salt>();
  return {
    layout: hexOf(saltOf(connection.salt, [...meaning, "layout", delimiter, reading.columns.names])),
    canonicalSalt: saltOf(connection.salt, [...meaning, "cells"]),
    rawSalt(columns) {
      const known = salts.get(columns);
      if (known !== undefined) return known;
      const salt = saltOf(connection.salt, [...meaning, "bytes", reading.report.delimiter, columns]);
      salts.set(columns, salt);
      return salt;
    },
  };
}
