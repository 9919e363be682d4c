/** Decides what happens with a plan after the guards have checked it. Only reads. */
import type { HeldBy } from "../model/run.ts";
import { isCancelRequested, listHeld } from "../store/runs/run-steps.ts";
import type { Run } from "../store/runs/runs.ts";
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
   * The run was queued as a full input but is a diff, or another run is about its people: it is planned again after the
   * held ones are decided.
   */
  | { readonly kind: "wait" };

export async function decide(stage: Stage, { plan, guarded, division }: Considered): Promise<Verdict> {
  const { hub, run, connection } = stage;
  const { entity, coverage, complete, counts } = plan;
  if (division?.mustWait) return { kind: "wait" };
  const isAll = !division?.waiting && !division?.stopped;
  if (isAll && counts.read > 0 && unusable(plan) === counts.read) return { kind: "rejected" };
  const held: HeldBy[] = [...guarded];
  // More was put to a held run: it stays held, whatever the hour has made of its figures.
  if (division !== null && held.length === 0) held.push(...run.heldBy);
  if (connection.holdNext && run.trigger !== "revert") held.push({ guard: "revert", count: 1, limit: 0, base: 1 });
  // Where records come one by one, only the people of held runs wait.
  const older = run.mode === "plan" || division !== null
    ? []
    : (await listHeld(hub.db, run)).filter(({ id, entity: other }) => id < run.id && other === entity);
  if (older.length > 0 && coverage === "diff") return { kind: "wait" };
  const supersedes = complete && coverage === "full" ? older : [];
  // An incomplete input cannot replace a held one, so it is held as well.
  if (older.length > supersedes.length && held.length === 0) held.push(...older.at(-1)!.heldBy);
  const kind = await isCancelRequested(hub.db, run.id)
    ? "cancelled"
    : run.mode === "plan"
    ? "planned"
    : held.length > 0
    ? "held"
    : "apply";
  return { kind, heldBy: kind === "held" || kind === "planned" ? held : [], supersedes };
}

/** Rows of which nothing is used. One that waits for its department to be empty is remembered, so it is not among them. */
function unusable({ counts, guarded }: Plan): number {
  return counts.failed - (guarded.kind === "departments" ? guarded.waiting : 0);
}
