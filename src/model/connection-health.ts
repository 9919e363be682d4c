/** What a run's failure says of its connection: of which kind it is, and how many there have been. No I/O. No clock. */
import type { RunMode, RunStatus, RunTrigger } from "./run.ts";

export const FAILURE_KINDS = ["connection", "credentials", "answer", "input", "hub"] as const;

/**
 * `connection`: the source could not be reached; `credentials`: it refuses them, or the connection lacks something;
 * `answer`: it answered what it should not; `input`: what it gave could not be used; `hub`: the hub's own.
 */
export type FailureKind = (typeof FAILURE_KINDS)[number];

const KINDS: Readonly<Record<string, FailureKind>> = {
  source_unreachable: "connection",
  source_refused: "credentials",
  source_misconfigured: "credentials",
  secrets_required: "credentials",
  source_unreadable: "answer",
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

interface EndedRun {
  readonly status: RunStatus;
  readonly mode: RunMode;
  readonly trigger: RunTrigger;
  readonly error: { readonly code: string } | null;
}

/**
 * The failures after this run; null: it says nothing of the connection. That a source works shows even in an input that
 * is the one applied last; a plan that is only looked at, a day that comes and a revert show nothing. A source that could
 * not be read to its end has failed, whatever was made of what was read.
 */
export function failuresAfter(before: Failures, { status, mode, trigger, error }: EndedRun): Failures | null {
  if (mode === "plan" || trigger === "due" || trigger === "revert") return null;
  if (status === "failed" || (status === "partial" && error != null)) {
    const kind = kindOf(error?.code ?? "internal");
    return { total: before.total + 1, kinds: { ...before.kinds, [kind]: (before.kinds[kind] ?? 0) + 1 } };
  }
  return status === "succeeded" || status === "partial" || status === "skipped" ? { total: 0, kinds: {} } : null;
}
