/** The result of planning: a summary of the changes, and of the input. Pages and issues are stored already. */
import { Fault } from "../../model/errors.ts";
import type { Entity, Issue } from "../../model/record.ts";
import { type Counts, type Coverage, NO_COUNTS, type RunFigures, type RunInput } from "../../model/run.ts";
import type { KeptColumn, UserPlan } from "../../reconcile/summarize.ts";

export interface Planned {
  readonly entity: Entity;
  readonly coverage: Coverage;
  readonly complete: boolean;
  readonly counts: Counts;
  /** Null: there is no input whose figures the connection could remember. */
  readonly figures: RunFigures | null;
  readonly input: RunInput;
  readonly outcomes: string | null;
  readonly guarded: Guarded;
}

/** What the guards check. */
export type Guarded =
  | {
    readonly kind: "people";
    readonly plan: UserPlan;
    /** Active users linked to the connection; slow to count. */
    readonly activeLinked: () => Promise<number>;
    /** Warnings of the fetch. */
    readonly warnings: readonly Issue[];
    /** Active departments of the organization. */
    readonly departments: number;
  }
  | {
    readonly kind: "departments";
    readonly failed: number;
    /** Those of the failed rows whose department is closed later. */
    readonly waiting: number;
    readonly rows: number;
    readonly created: number;
    readonly kept: readonly KeptColumn[];
    /** Active ones, before this run. */
    readonly departments: number;
  }
  | {
    readonly kind: "leavers";
    /** Without those whose dates a guard let pass, or a person approved, when they were written. */
    readonly deactivated: number;
    readonly activeLinked: () => Promise<number>;
  }
  | { readonly kind: "none" };

/** A plan without an input. */
export function planOfNobody(entity: Entity, counts: Partial<Counts>, guarded: Guarded = { kind: "none" }): Planned {
  return {
    entity,
    coverage: "diff",
    complete: false,
    counts: { ...NO_COUNTS, ...counts },
    figures: null,
    input: { columns: [], delimiter: ",", format: "csv" },
    outcomes: null,
    guarded,
  };
}

export function emptyInput(): Fault {
  return new Fault("input_empty", "The input has no rows: a full input without anybody would mean that everybody left");
}
