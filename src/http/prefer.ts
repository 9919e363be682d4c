/** `Prefer: wait=N` (RFC 7240): how long a caller would rather wait for a run than come back for it. */
import type { Context } from "hono";
import { Fault } from "../errors.ts";
import { encodeId } from "../id.ts";
import type { Env } from "./env.ts";
import { viewRunFor } from "./reading.ts";
import { findRun, isAtRest, type RunView, waitForRun } from "../store/runs.ts";

const MAX_WAIT_S = 60;

/** Milliseconds that the request would wait; 0 without the preference. Longer than 60 s is taken for 60 s. */
export function preferredWaitMs(c: Context): number {
  const seconds = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})"?(?=$|[,;\s])/i.exec(c.req.header("prefer") ?? "")?.[1];
  return seconds === undefined ? 0 : Math.min(Number(seconds), MAX_WAIT_S) * 1000;
}

/** The run as it stands once it is at rest or the preferred time is over, and the status to answer with. */
export async function waitAsPreferred(
  c: Context<Env>,
  runId: number,
  waitMs = preferredWaitMs(c),
): Promise<{ run: RunView; status: 200 | 202 }> {
  const { db } = c.get("hub");
  const preferredMs = preferredWaitMs(c);
  if (preferredMs > 0) c.header("preference-applied", `wait=${preferredMs / 1000}`);
  const organizationId = c.get("organization").id;
  const found = waitMs > 0
    ? await waitForRun(db, organizationId, runId, waitMs)
    : await findRun(db, organizationId, runId);
  // Deleted with its organization while somebody waited for it.
  if (found === null) throw new Fault("not_found", `There is no run "${encodeId("run", runId)}" any more`);
  return { run: viewRunFor(c, found), status: waitMs > 0 && isAtRest(found.run.status) ? 200 : 202 };
}
