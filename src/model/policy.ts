/** A connection's policy with every default filled in. Pure. */
import type { Coverage } from "./record.ts";

export interface ResolvedPolicy {
  readonly coverage: Coverage;
  readonly missing: "keep" | "deactivate";
  readonly missing_after_runs: number;
  readonly missing_after_hours: number;
  readonly empty_cells: "clear" | "keep";
  readonly manual_edits: "overwrite" | "keep";
  readonly create: boolean;
  readonly update: boolean;
  readonly deactivate: boolean;
  readonly reactivate: boolean;
  readonly pick: "latest" | "all";
  /** Whether drops must be signed by one of the customer's registered keys. */
  readonly signature: "optional" | "required";
  readonly pre_hires: "import" | "wait";
  readonly only_statuses: readonly string[] | null;
  /** Numbers of users. */
  readonly protected: ReadonlySet<number>;
}

export const DEFAULT_POLICY: ResolvedPolicy = {
  coverage: "full",
  missing: "keep",
  missing_after_runs: 2,
  missing_after_hours: 12,
  empty_cells: "clear",
  manual_edits: "overwrite",
  create: true,
  update: true,
  deactivate: true,
  reactivate: true,
  pick: "latest",
  signature: "optional",
  pre_hires: "import",
  only_statuses: null,
  protected: new Set(),
};
