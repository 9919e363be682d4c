/** An input that was planned and guarded, and how it is divided between its run and others. */
import type { Held } from "../reconcile/guard.ts";
import type { Joined } from "./join.ts";
import type { Plan } from "./plan.ts";

/** A plan, and the guards that hold it. */
export interface Looked {
  readonly plan: Plan;
  readonly guarded: readonly Held[];
}

export interface Considered extends Looked {
  /** Null: the input is one whole. */
  readonly division: Division | null;
}

/** How an input of records is divided. */
export interface Division {
  /** The run's place among those with names (run-names.ts); null: it has none yet. */
  readonly place: number | null;
  /** Whom the run's own rows are about. */
  readonly names: readonly string[];
  /** Another run is about some of them, so all wait: a run that was divided before stays as it is. */
  readonly mustWait: boolean;
  /** Places of all rows that the run does not bring. */
  readonly leftOut: ReadonlySet<number>;
  /** Those about people of other runs; null: there are none. */
  readonly waiting: Share | null;
  /** Those that a guard stops, while others are applied; null: there are none. */
  readonly stopped: Share & { readonly joined: Joined | null; readonly guarded: readonly Held[] } | null;
}

/** Rows for another run. */
export interface Share {
  readonly places: ReadonlySet<number>;
  readonly names: readonly string[];
  /** The run that each row waits for; none: the run that gets it. */
  readonly behind: ReadonlyMap<number, number>;
}
