/** Applies a planned run page by page, then settles it. May be stopped anywhere and started again. */
import { announce } from "../notify/announce.ts";
import type { Issue } from "../model/record.ts";
import { applyPage, applyTogether } from "../store/runs/apply.ts";
import type { Database, Statement } from "../store/database.ts";
import { rememberCheckpoint } from "../store/connections/clocks.ts";
import { countPages, createLatePage, nextPages } from "../store/runs/plans.ts";
import { queueRun, type Run } from "../store/runs/runs.ts";
import {
  clearHoldNext,
  countNotApplied,
  holdNextRun,
  isCancelRequested,
  listClosable,
  rememberApplied,
  updateRun,
} from "../store/runs/run-steps.ts";
import { releaseLease } from "../store/runs/queue.ts";
import type { Counts } from "../model/run.ts";
import { reserve } from "../store/sequences.ts";
import { logRun, saidCounts } from "./log.ts";
import type { Stage } from "./stage.ts";

/** The run's counts as far as it was applied, and whether something of it was superseded. */
export async function countDone(db: Database, run: Run): Promise<{ counts: Counts; superseded: boolean }> {
  const { superseded, stopped, departments } = await countNotApplied(db, run.id);
  const counts: Counts = { ...run.counts! };
  const leftOut = [superseded, stopped, ...(run.entity === "departments" ? [departments] : [])];
  for (const [action, count] of leftOut.flatMap((sums) => Object.entries(sums))) {
    const kind = COUNTED[action as keyof typeof COUNTED];
    const rows = Math.min(count, counts[kind]);
    counts[kind] -= rows;
    counts.skipped += rows;
  }
  for (const [action, count] of Object.entries(departments)) {
    const kind = action === "create" ? "departments_created" : "departments_updated";
    counts[kind] = Math.max(0, counts[kind] - count);
  }
  return { counts, superseded: Object.keys(superseded).length > 0 };
}

const COUNTED = { create: "created", update: "updated", deactivate: "deactivated", reactivate: "reactivated" } as const;

const MAX_TOGETHER = 32;

/**
 * How many pages the next batch may hold: fewer and larger batches write an index's pages less often, as long as nobody
 * else waits too long for the turn.
 */
function fitting(together: number, tookMs: number, batchMs: number): number {
  if (tookMs > batchMs) return Math.max(1, together >> 1);
  return tookMs * 2 <= batchMs && batchMs > 0 ? Math.min(MAX_TOGETHER, together * 2) : together;
}

export async function applyRun(stage: Stage): Promise<void> {
  const { hub, run } = stage;
  const { db } = hub;
  const { batchMs = 0 } = stage.options;
  let { applied, total } = await countPages(db, run.id);
  const staged = await stage.options.staging?.open() ?? new Set<number>();
  let together = 1;
  for (;;) {
    if (await isCancelRequested(db, run.id)) {
      await settle(stage, "cancelled");
      return;
    }
    const pages = await nextPages(db, run.id, together);
    const page = pages[0];
    if (page === undefined) break;
    const context = {
      organizationId: run.organizationId,
      connectionId: run.connectionId,
      now: hub.now(),
      renew: stage.renew,
      staged,
    };
    // Every page of this run moves the data version by one; anything more was somebody else.
    const expected = run.planVersion! + applied;
    if (pages.length > 1 && await applyTogether(db, context, pages, expected)) {
      applied += pages.length;
      together = fitting(together, hub.now() - context.now, batchMs);
      await stage.step({ phase: "apply", done: applied, total: Math.max(total, applied) });
      continue;
    }
    const { superseded } = await applyPage(db, context, page, expected);
    together = superseded.length > 0 ? 1 : fitting(together, hub.now() - context.now, batchMs);
    if (superseded.length > 0) {
      await db.write([
        createLatePage(
          db,
          run,
          page.page,
          superseded.map(({ line, key }) => ({
            n: line === null ? -1 : placeBeside(line),
            line,
            key,
            origin: null,
            cells: [],
            issues: [changedSincePlan()],
          })),
        ),
      ]);
    }
    applied++;
    await stage.step({ phase: "apply", done: applied, total: Math.max(total, applied) });
  }
  await settle(stage, null);
}

async function settle(stage: Stage, as: "cancelled" | null): Promise<void> {
  const { hub, run } = stage;
  const { db } = hub;
  const { counts, superseded } = await countDone(db, run);
  const again = as === null && run.mode === "auto" && run.dropId !== null && superseded;
  const closable = as === null && run.entity === "users" ? await listClosable(db, run.organizationId) : [];
  const followers: Statement[] = [];
  // A source that could not be read to its end is applied in part, whatever became of the rows.
  const status = as ?? (counts.failed > 0 || run.error != null ? "partial" : "succeeded");
  const finishedAt = hub.now();
  const ended = { status, counts, progress: null, finishedAt } as const;
  const ids: number[] = [];
  const follow = async (entity: "users" | "departments", dropId: number | null) => {
    const id = await reserve(db, "run");
    ids.push(id);
    followers.push(follower(stage, id, entity, dropId));
  };
  if (again) await follow(run.entity, run.dropId);
  if (closable.length > 0) await follow("departments", null);
  await db.write([
    updateRun(db, run.id, ended),
    ...await announce(hub, { ...run, ...ended }),
    ...(as !== null ? [] : run.trigger === "revert" ? [holdNextRun(db, run.connectionId)] : [
      ...rememberApplied(db, run),
      rememberCheckpoint(db, run),
      ...(run.dropId === null ? [] : [clearHoldNext(db, run.connectionId)]),
    ]),
    ...followers,
    releaseLease(db, { organizationId: run.organizationId, owner: stage.options.owner }),
  ]);
  logRun(hub, run, "run.applied", { ms: finishedAt - (run.applyingAt ?? finishedAt) });
  logRun(hub, run, "run.ended", { status, ms: finishedAt - run.createdAt, ...saidCounts(counts) });
  for (const id of ids) logRun(hub, { ...run, id }, "run.queued", { trigger: "retry", mode: "auto" });
  if (followers.length > 0) hub.wake();
}

/** Not async: a statement that is awaited is run at once. */
function follower(stage: Stage, id: number, entity: "users" | "departments", dropId: number | null): Statement {
  const { hub, run } = stage;
  return queueRun(
    hub.db,
    {
      id,
      organizationId: run.organizationId,
      connectionId: run.connectionId,
      dropId,
      trigger: "retry",
      mode: "auto",
      entity,
      coverage: "diff",
      requestId: run.requestId,
    },
    hub.now(),
    { beyondLimit: true },
  );
}

/** Where the row of this line is reported, without being taken for the row at any place: no place is a fraction. */
function placeBeside(line: number): number {
  return Math.max(0, line - 2) + 0.5;
}

function changedSincePlan(): Issue {
  return {
    severity: "warning",
    code: "changed_since_plan",
    field: null,
    value: null,
    message:
      "The person, or the email or id that the row needs, has changed since the plan was made; the row was left out",
    suggestion: "Nothing, if the run was automatic: the row is planned again; else send it again",
  };
}
