/** What a failed run means for its connection: the kind of the failure, and the number in a row. No I/O. No clock. */
import type { RunMode, RunStatus, RunTrigger } from "./run.ts";

export const FAILURE_KINDS = ["connection", "credentials", "answer", "input", "connector", "hub"] as const;

/**
 * `connection`: the source could not be reached; `credentials`: it refused them, or the connection lacks a setting;
 * `answer`: its answer was invalid; `input`: the input could not be used; `connector`: the connector has an error of its
 * own, or is not there; `hub`: so has the hub.
 */
export type FailureKind = (typeof FAILURE_KINDS)[number];

const KINDS: Readonly<Record<string, FailureKind>> = {
  source_unreachable: "connection",
  source_refused: "credentials",
  source_misconfigured: "credentials",
  secrets_required: "credentials",
  source_unreadable: "answer",
  connector_failed: "connector",
  connector_missing: "connector",
  run_failed: "hub",
  unavailable: "hub",
  internal: "hub",
};

export function kindOf(code: string): FailureKind {
  return KINDS[code] ?? "input";
}

/** Failures in a row, and how many of each kind. */
export interface Failures {
  readonly total: number;
  readonly kinds: Readonly<Record<string, number>>;
}

const NO_FAILURES: Failures = { total: 0, kinds: {} };

interface EndedRun {
  readonly status: RunStatus;
  readonly mode: RunMode;
  readonly trigger: RunTrigger;
  readonly error: { readonly code: string } | null;
}

/**
 * The failures after this run; null: it does not count for the connection, as plans, due dates and reverts do not. Even a
 * skipped input shows that the source works. A source that could not be read to its end has failed, even if what was read
 * was used. `afterSuccess`: the failures that are left when the run has succeeded.
 */
export function failuresAfter(
  before: Failures,
  { status, mode, trigger, error }: EndedRun,
  afterSuccess: Failures = NO_FAILURES,
): Failures | null {
  if (mode === "plan" || trigger === "due" || trigger === "revert") return null;
  if (status === "failed" || (status === "partial" && error != null)) {
    const kind = kindOf(error?.code ?? "internal");
    return { total: before.total + 1, kinds: { ...before.kinds, [kind]: (before.kinds[kind] ?? 0) + 1 } };
  }
  return status === "succeeded" || status === "partial" || status === "skipped" ? afterSuccess : null;
}
