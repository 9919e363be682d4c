/** Applies a planned run page by page. It can be stopped at any point and started again. */
import type { Issue } from "../model/record.ts";
import { type ApplyContext, applyPage, applyTogether } from "../store/runs/apply.ts";
import { countPages, nextPages } from "../store/runs/plans.ts";
import { createLatePage } from "../store/runs/report-pages.ts";
import { isCancelRequested } from "../store/runs/run-steps.ts";
import { createRanks } from "../reconcile/ranks.ts";
import { findDrop } from "../store/runs/drops.ts";
import { logRun } from "./log.ts";
import { loadPeers } from "./peers.ts";
import type { Stage } from "./stage.ts";

/** The most pages in one batch. */
const MAX_TOGETHER = 32;

/** Applies the pages that are not applied yet. `cancelled`: the run was cancelled between two batches. */
export async function applyPages(stage: Stage): Promise<"cancelled" | null> {
  const { hub, run, options } = stage;
  const { db } = hub;
  let { applied, total } = await countPages(db, run.id);
  const staged = await options.staging?.open() ?? new Set<number>();
  const edits = await editsOf(stage);
  let together = 1;
  for (;;) {
    const stopped = await isCancelRequested(db, run.id) ? "cancelled" : null;
    const pages = stopped === null ? await nextPages(db, run.id, together) : [];
    if (pages.length === 0) {
      logRun(hub, run, "run.applied", { ms: hub.now() - (run.applyingAt ?? hub.now()) });
      return stopped;
    }
    const context: ApplyContext = {
      organizationId: run.organizationId,
      connectionId: run.connectionId,
      edits,
      now: hub.now(),
      renew: stage.renew,
      staged,
    };
    // Each page of this run increments the data version by one; a larger number shows other changes.
    const done = await applySome(stage, context, pages, run.planVersion! + applied);
    applied += done.pages;
    together = done.superseded ? 1 : fitting(together, hub.now() - context.now, options.batchMs ?? 0);
    await stage.step({ phase: "apply", done: applied, total: Math.max(total, applied) });
  }
}

/** For an input by hand, the connections whose people it edits; null: there is none, or it came by itself. */
async function editsOf(stage: Stage): Promise<readonly number[] | null> {
  const { hub, run } = stage;
  const drop = run.dropId === null ? null : await findDrop(hub.db, run.organizationId, run.dropId);
  if (drop?.byHand !== true) return null;
  const peers = await loadPeers(stage), ranks = createRanks(run.connectionId, peers);
  return peers.map(({ id }) => id).filter(ranks.isEditedByHand);
}

type Pages = Awaited<ReturnType<typeof nextPages>>;

/** Applies all of `pages` in one batch if nothing else has changed since the plan, otherwise only the first. */
async function applySome(
  stage: Stage,
  context: ApplyContext,
  pages: Pages,
  expected: number,
): Promise<{ readonly pages: number; readonly superseded: boolean }> {
  const { hub: { db }, run } = stage;
  if (pages.length > 1 && await applyTogether(db, context, pages, expected)) {
    return { pages: pages.length, superseded: false };
  }
  const page = pages[0]!;
  const { superseded } = await applyPage(db, context, page, expected);
  if (superseded.length === 0) return { pages: 1, superseded: false };
  const rows = superseded.map(({ line, key }) => ({
    n: line === null ? -1 : placeBeside(line),
    line,
    key,
    origin: null,
    cells: [],
    issues: [changedSincePlan()],
  }));
  await db.write([...stage.renew(), createLatePage(db, run, page.page, rows)]);
  return { pages: 1, superseded: true };
}

/**
 * Pages of the next batch. Larger batches write an index's pages less often, but `batchMs` limits how long other writers
 * wait.
 */
function fitting(together: number, tookMs: number, batchMs: number): number {
  if (tookMs > batchMs) return Math.max(1, together >> 1);
  return tookMs * 2 <= batchMs && batchMs > 0 ? Math.min(MAX_TOGETHER, together * 2) : together;
}

/** The row's place in the report. It is a fraction, so that it equals the place of no other row. */
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
