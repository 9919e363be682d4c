/**
 * Plans the last input of a connection by another version of its connector, for an upgrade: the plan has only what that
 * version makes different. What the connection's own version would change as well, or reports as well, is not in it.
 */
import type { RunUpgrade } from "../model/run.ts";
import { COUNTED } from "../model/change.ts";
import type { Counts } from "../model/run.ts";
import { createPageFiller } from "../reconcile/columns/pages.ts";
import { encodeChange } from "../reconcile/columns/entry.ts";
import { type IssueRow, wholeInput } from "../reconcile/draft.ts";
import { type Difference, differenceOf, type PlannedChanges } from "../reconcile/upgrade-difference.ts";
import type { DepartmentChange, UserChange } from "../reconcile/planned-change.ts";
import type { Connection } from "../store/connections/connections.ts";
import { loadPlannedPages } from "../store/runs/changes.ts";
import { createPlanStore } from "../store/runs/plans.ts";
import { loadReport } from "../store/runs/report-pages.ts";
import { updateRun } from "../store/runs/run-steps.ts";
import type { Considered } from "./division.ts";
import { guard } from "./guard.ts";
import { makePlan, type Plan } from "./plan.ts";
import { resolvePolicy, type Stage } from "./stage.ts";
import { type OpenInput, openInput } from "./turn.ts";

/** The connection as the upgrade makes it. */
export function upgraded(connection: Connection, { version, digest, settings }: RunUpgrade): Connection {
  return {
    ...connection,
    connectorVersion: version,
    connectorDigest: digest,
    settings,
    settingsVersion: connection.settingsVersion + 1,
  };
}

/** Both plans are made by the one pipeline, one after the other. The changes of both are in memory at the same time. */
export async function considerUpgrade(stage: Stage, upgrade: RunUpgrade, input: OpenInput): Promise<Considered> {
  const connection = upgraded(stage.connection, upgrade);
  const next = { ...stage, connection, policy: resolvePolicy(connection, stage.hub) };
  const before = await look(stage, input);
  const after = await look(next, await openInput(next, input));
  const difference = differenceOf(before, after);
  const rows = newIssues(before.rows, after.rows);
  await store(stage, difference, rows);
  await stage.hub.db.write([
    updateRun(stage.hub.db, stage.run.id, { note: noteOf(upgrade, difference) }),
    ...stage.renew(),
  ]);
  const { plan } = after;
  return {
    plan: { ...plan, counts: countsOf(before.plan, plan, difference, rows), outcomes: null, figures: null },
    guarded: after.guarded.filter((held) => before.guarded.every((other) => other.guard !== held.guard)),
    division: null,
  };
}

interface Seen extends PlannedChanges, Pick<Considered, "plan" | "guarded"> {
  readonly rows: readonly IssueRow[];
}

async function look(stage: Stage, input: OpenInput): Promise<Seen> {
  const { hub: { db }, run } = stage;
  const plan = await makePlan(stage, input);
  const users: UserChange[] = [], departments: DepartmentChange[] = [], rows: IssueRow[] = [];
  for await (const page of loadPlannedPages(db, run.organizationId, run.id)) {
    if (page.kind === "departments") departments.push(...page.departments);
    else users.push(...page.changes);
  }
  for await (const row of loadReport(db, run)) rows.push(row);
  return { plan, guarded: await guard(stage, plan), users, departments, rows };
}

/** The rows of the second report, each with the issues that it does not have in the first. */
function newIssues(before: readonly IssueRow[], after: readonly IssueRow[]): IssueRow[] {
  const known = new Set(before.flatMap((row) => row.issues.map((issue) => JSON.stringify([row.n, issue]))));
  return after.flatMap((row) => {
    const issues = row.issues.filter((issue) => !known.has(JSON.stringify([row.n, issue])));
    return issues.length === 0 ? [] : [row.n < 0 ? wholeInput(issues, row) : { ...row, issues }];
  });
}

/** Replaces the stored plan by the difference. */
async function store({ hub, run, renew, options }: Stage, difference: Difference, rows: readonly IssueRow[]) {
  const plan = await createPlanStore(hub.db, run.organizationId, run.id, renew, hub.packing);
  const filler = createPageFiller(plan, options.pageShare);
  for (const change of difference.users) {
    filler.add(change.before === null ? "creates" : "updates", encodeChange(change));
    if (filler.isFull) await filler.writeFull();
  }
  await filler.flush();
  if (difference.departments.length > 0) await plan.writeDepartments(difference.departments);
  for (const row of rows) {
    plan.report(row);
    await plan.writeReport();
  }
  await plan.finish();
}

function countsOf(before: Plan, after: Plan, { users, departments }: Difference, rows: readonly IssueRow[]): Counts {
  const isError = (row: IssueRow) => row.issues.some(({ severity }) => severity === "error");
  const own = rows.filter(({ n }) => n >= 0);
  const failed = own.filter(isError).length;
  const created = departments.filter(({ action }) => action === "create").length;
  const counts = {
    ...after.counts,
    created: 0,
    updated: 0,
    deactivated: 0,
    reactivated: 0,
    failed,
    warned: own.length - failed,
    missing: Math.max(0, after.counts.missing - before.counts.missing),
    departments_created: created,
    departments_updated: departments.length - created,
  };
  for (const { action } of users) counts[COUNTED[action]]++;
  const changed = counts.created + counts.updated + counts.deactivated + counts.reactivated;
  return { ...counts, unchanged: Math.max(0, counts.read - counts.failed - counts.skipped - changed) };
}

function noteOf({ version }: RunUpgrade, { withdrawn }: Difference): string {
  const note =
    `Only what version ${version} of the connector makes different is listed, against what the present one ` +
    "makes of the same rows";
  return withdrawn === 0 ? note : `${note}. New people whom it does not make any more: ${withdrawn}`;
}
