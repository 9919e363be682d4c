/** `Prefer: wait=N` (RFC 7240): how long a caller would rather wait for a run than come back for it. */
import type { Context } from "hono";
import { Fault } from "../../model/errors.ts";
import { encodeId } from "../../model/id.ts";
import { findRun, isAtRest } from "../../store/runs/runs.ts";
import { type RunView } from "../../model/run.ts";
import type { Env } from "./env.ts";
import { enter } from "./in-flight.ts";
import { viewRunFor } from "./reading.ts";
import { untilAtRest } from "./waiting.ts";

const MAX_WAIT_S = 60;

/** Milliseconds that the request would wait; 0 without the preference. Longer than 60 s is taken for 60 s. */
export function preferredWaitMs(c: Context): number {
  const seconds = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})"?(?=$|[,;\s])/i.exec(c.req.header("prefer") ?? "")?.[1];
  return seconds === undefined ? 0 : Math.min(Number(seconds), MAX_WAIT_S) * 1000;
}

/**
 * The run as it stands once it is at rest or the preferred time is over, and the status to answer with. What was asked
 * for is done by now: where too many wait already, it is answered at once, as a preference is no order.
 */
export async function waitAsPreferred(
  c: Context<Env>,
  runId: number,
  waitMs = preferredWaitMs(c),
): Promise<{ run: RunView; status: 200 | 202 }> {
  const entered = waitMs > 0 ? enter(c, "waits") : null;
  if (entered === null || !entered.isIn) return await answerWith(c, runId, 0);
  try {
    return await answerWith(c, runId, waitMs);
  } finally {
    entered.leave();
  }
}

/** Waits, whoever else does; `waitMs` 0: not at all. */
export async function answerWith(
  c: Context<Env>,
  runId: number,
  waitMs: number,
): Promise<{ run: RunView; status: 200 | 202 }> {
  const hub = c.get("hub");
  const thing = { organizationId: c.get("organization").id, id: runId };
  const preferredMs = preferredWaitMs(c);
  if (preferredMs > 0 && waitMs > 0) c.header("preference-applied", `wait=${preferredMs / 1000}`);
  const found = waitMs > 0
    ? await untilAtRest(hub, thing, { ms: waitMs, signal: c.req.raw.signal })
    : await findRun(hub.db, thing.organizationId, thing.id);
  // Deleted with its organization while somebody waited for it.
  if (found === null) throw new Fault("not_found", `The run "${encodeId("run", runId)}" has been deleted`);
  return { run: viewRunFor(c, found), status: waitMs > 0 && isAtRest(found.run.status) ? 200 : 202 };
}
