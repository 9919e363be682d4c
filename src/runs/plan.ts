/** Plans a run from its input or, without one, from the hub's data. Writes no user. */
import { connectorFor } from "../hub.ts";
import { createColumnFacts } from "../reconcile/column-facts.ts";
import { wholeInput } from "../reconcile/draft.ts";
import { rowsHidden } from "../reconcile/issues/input.ts";
import { issueAtSource } from "../model/advice.ts";
import { Fault } from "../model/errors.ts";
import type { Issue } from "../model/record.ts";
import type { Fetch } from "../store/connections/fetches.ts";
import { createPlanStore, type PlanStore } from "../store/runs/plans.ts";
import { dataVersionOf } from "../store/runs/run-steps.ts";
import type { Part } from "./parts.ts";
import { planClosings } from "./plans/closings.ts";
import { planDepartmentDrop } from "./plans/departments.ts";
import { createIdentities } from "./plans/identities.ts";
import { planDue } from "./plans/due.ts";
import { planPeopleDrop } from "./plans/people.ts";
import type { Planned } from "./plans/plan.ts";
import { planRevert } from "./plans/revert.ts";
import type { Stage } from "./stage.ts";
import type { NoInput, OpenInput, Turn } from "./turn.ts";

export interface Plan extends Planned {
  /** The organization's dataVersion that the plan is based on. */
  readonly dataVersion: number;
  /** Why the source could not be read to its end; null: it was, or there is none. */
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Null: the input is none, or a full one by itself. */
  readonly part: Part | null;
}

export async function makePlan(stage: Stage, input: Extract<Turn, { kind: "go" }>["input"]): Promise<Plan> {
  const { hub, run } = stage;
  const dataVersion = await dataVersionOf(hub.db, run.organizationId);
  return input.kind === "drop"
    ? { ...await planDrop(stage, input), dataVersion, error: input.fetched?.error ?? null, part: input.part }
    : { ...await planWithoutInput(stage, input), dataVersion, error: null, part: null };
}

async function planDrop(stage: Stage, input: OpenInput): Promise<Planned> {
  const { hub, run, connection, options } = stage;
  // A plan for review is not applied by this process.
  const staging = run.mode === "auto" ? options.staging : undefined;
  const facts = createColumnFacts(connection.columnMemory, connection.settingsVersion);
  const again = {
    facts,
    identities: await createIdentities(stage),
    twins: new Set<number>(),
    renumbered: new Map<number, readonly number[]>(),
  };
  for (;;) {
    const stored = await createPlanStore(hub.db, run.organizationId, run.id, stage.renew, hub.packing, staging);
    const store = input.fetched === null ? stored : ofSource(stored, sourceOf(stage));
    const plan = input.reading.columns.entity === "users"
      ? await planPeopleDrop(stage, input, store, again)
      : await planDepartmentDrop(stage, input, store);
    if (plan !== null) return await finishPlan(input, plan, store);
    facts.startAgain();
    await staging?.clear();
  }
}

/** The name of the source that the connection fetches. */
function sourceOf({ hub, connection }: Stage): string {
  return connectorFor(hub.registry, connection)?.title ?? connection.name;
}

/** A store whose issues say what to do at the source. */
function ofSource(store: PlanStore, source: string): PlanStore {
  return {
    ...store,
    report: (row) => store.report({ ...row, issues: row.issues.map((issue) => issueAtSource(issue, source)) }),
    get reported() {
      return store.reported;
    },
  };
}

/** Reports what is wrong with the input itself. Fails with `input_incomplete` if it has other rows than its sender says. */
async function finishPlan(
  { drop, fetched, reading, choice }: OpenInput,
  plan: Planned,
  store: PlanStore,
): Promise<Planned> {
  const issues = [
    ...reading.columns.issues(),
    ...reading.connectorIssues(),
    ...reading.hidden === null ? [] : [rowsHidden(reading.hidden)],
    ...fetched === null ? [] : fetchIssues(fetched),
  ];
  if (issues.length > 0) {
    await store.nextPass();
    store.report(wholeInput(issues));
  }
  await store.finish();
  const isWhole = choice === undefined || choice.leftOut.size === 0;
  if (isWhole && drop.rows !== null && drop.rows !== plan.counts.read) {
    throw new Fault(
      "input_incomplete",
      `The input has ${plan.counts.read} rows, but was sent as one of ${drop.rows}: send the whole file again`,
    );
  }
  return plan;
}

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

async function planWithoutInput(stage: Stage, { leftOut }: NoInput): Promise<Planned> {
  const { hub, run } = stage;
  const store = await createPlanStore(hub.db, run.organizationId, run.id, stage.renew, hub.packing);
  const plan = run.trigger === "due"
    ? await planDue(stage, store, leftOut)
    : run.trigger === "revert"
    ? await planRevert(stage, store)
    : await planClosings(stage, store);
  await store.finish();
  return plan;
}
