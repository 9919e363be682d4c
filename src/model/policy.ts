/** A connection's policy with every default filled in. Pure. */
import type { Policy } from "./connection.ts";

type Resolved = Omit<Policy, "only_statuses" | "protected" | "priority">;

export type ResolvedPolicy = Readonly<Required<Resolved>> & {
  readonly only_statuses: readonly string[] | null;
  /** Numbers of users. */
  readonly protected: ReadonlySet<number>;
};

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
