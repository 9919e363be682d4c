/** Decides what happens with a plan after the guards have checked it. Only reads. */
import type { HeldBy } from "../model/run.ts";
import { hasCompany } from "../store/runs/queue.ts";
import { isCancelRequested } from "../store/runs/run-steps.ts";
import type { Run } from "../store/runs/runs.ts";
import { listMet } from "./behind-held.ts";
import type { Considered } from "./division.ts";
import type { Plan } from "./plan.ts";
import type { Stage } from "./stage.ts";

export type Verdict =
  | {
    readonly kind: "apply" | "held" | "planned" | "cancelled";
    readonly heldBy: readonly HeldBy[];
    /** Held runs that this one replaces. */
    readonly supersedes: readonly Run[];
  }
  /** No row of the input can be used. */
  | { readonly kind: "rejected" }
  /**
   * It is planned again later. `behind`: the held run that has to be decided first; null: others are before it, or other
   * runs are about its people.
   */
  | { readonly kind: "wait"; readonly behind: Run | null; readonly supersedes: readonly Run[] };

export async function decide(stage: Stage, considered: Considered): Promise<Verdict> {
  const { hub, run } = stage;
  const { plan, division } = considered;
  const { coverage, complete, counts } = plan;
  if (division?.mustWait) return { kind: "wait", behind: null, supersedes: [] };
  const isAll = !division?.waiting && !division?.stopped;
  if (isAll && counts.read > 0 && unusable(plan) === counts.read) return { kind: "rejected" };
  if (await isCancelRequested(hub.db, run.id)) return { kind: "cancelled", heldBy: [], supersedes: [] };
  // Those that are left are the same file as this one, or takeTurn had let the run wait. Where records come one by one, only
  // the people of held runs wait.
  const supersedes = division === null ? await listMet(stage, coverage) : [];
  if (supersedes.length > 0) {
    if (coverage === "diff" || !complete) return { kind: "wait", behind: supersedes[0]!, supersedes: [] };
    // What was sent in between goes first, now that nothing is held before it.
    if (await hasCompany(hub.db, run)) return { kind: "wait", behind: null, supersedes };
  }
  const heldBy = holding(stage, considered);
  const kind = run.mode === "plan" ? "planned" : heldBy.length > 0 ? "held" : "apply";
  return { kind, heldBy, supersedes };
}

/** The guards that hold the plan, with those that look at more than its changes. */
function holding({ connection, run }: Stage, { plan: { part }, guarded, division }: Considered): HeldBy[] {
  const held: HeldBy[] = [...guarded];
  // What approving a plan for review leaves to be held.
  if (run.mode === "plan") held.push(...division?.stopped?.guarded ?? []);
  // More was put to a held run: it stays held, whatever the hour has made of its figures.
  if (division !== null && held.length === 0) held.push(...run.heldBy);
  if (connection.holdNext && run.trigger !== "revert") held.push({ guard: "revert", count: 1, limit: 0, base: 1 });
  if (part?.asks === true) {
    const count = part.before.length + 1 + part.following.length;
    held.push({ guard: "parts", count, limit: 1, base: count });
  }
  return held;
}

/** Rows of which nothing is used. One that waits for its department to be empty is remembered, so it is not among them. */
function unusable({ counts, guarded }: Plan): number {
  return counts.failed - (guarded.kind === "departments" ? guarded.waiting : 0);
}
