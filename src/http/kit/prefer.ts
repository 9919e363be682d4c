/** `Prefer: wait=N` (RFC 7240): how long a client would wait for a run rather than ask again later. */
import type { Context } from "hono";
import { Fault } from "../../model/errors.ts";
import { encodeId } from "../../model/id.ts";
import { findRun, isAtRest } from "../../store/runs/runs.ts";
import type { RunView } from "../../model/run.ts";
import type { Env } from "./env.ts";
import { enter } from "./in-flight.ts";
import { viewRunFor } from "./reading.ts";
import { untilAtRest } from "./waiting.ts";

const MAX_WAIT_S = 60;

/** A run after the wait, and the status to answer with: 200 if it is at rest. */
interface Waited {
  readonly run: RunView;
  readonly status: 200 | 202;
}

/** Milliseconds that the client would wait: 0 without the preference, at most 60 s. */
export function preferredWaitMs(c: Context): number {
  const seconds = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})"?(?=$|[,;\s])/i.exec(c.req.header("prefer") ?? "")?.[1];
  return seconds === undefined ? 0 : Math.min(Number(seconds), MAX_WAIT_S) * 1000;
}

/**
 * Waits until the run is at rest or the preferred time is over. Returns the run as it is then, and the status to answer
 * with. Too many waiting requests are not an error here, as the request itself is done: then nothing is waited for.
 */
export async function waitAsPreferred(
  c: Context<Env>,
  runId: number,
  waitMs = preferredWaitMs(c),
): Promise<Waited> {
  const entered = waitMs > 0 ? enter(c, "waits") : null;
  if (entered === null || !entered.isIn) return await answerWith(c, runId, 0);
  try {
    return await answerWith(c, runId, waitMs);
  } finally {
    entered.leave();
  }
}

/** Waits for a run that the request has started, and names it in the header `Location`. */
export async function waitForNew(
  c: Context<Env>,
  runId: number,
  waitMs?: number,
): Promise<Waited> {
  const answer = await waitAsPreferred(c, runId, waitMs);
  c.header("location", `/v1/runs/${answer.run.id}`);
  return answer;
}

/** Like `waitAsPreferred`, but not limited to a number of waiting requests. Does not wait if `waitMs` is 0. */
export async function answerWith(
  c: Context<Env>,
  runId: number,
  waitMs: number,
): Promise<Waited> {
  const hub = c.get("hub");
  const thing = { organizationId: c.get("organization").id, id: runId };
  const preferredMs = preferredWaitMs(c);
  if (preferredMs > 0 && waitMs > 0) c.header("preference-applied", `wait=${preferredMs / 1000}`);
  const found = waitMs > 0
    ? await untilAtRest(hub, thing, { ms: waitMs, signal: c.req.raw.signal })
    : await findRun(hub.db, thing.organizationId, thing.id);
  // The organization may have been deleted during the wait.
  if (found === null) throw new Fault("not_found", `The run "${encodeId("run", runId)}" has been deleted`);
  return { run: viewRunFor(c, found), status: waitMs > 0 && isAtRest(found.run.status) ? 200 : 202 };
}
