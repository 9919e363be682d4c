/** Reads of an answer that has begun: what cannot be read now is asked for again. */
import { Fault } from "../../model/errors.ts";
import { retry } from "../../std/retry.ts";

/** How often a page is asked for again while other searches take their turns. */
const MAX_TRIES = 10, PAUSE_MS = 500;

export function patiently<T>(read: () => Promise<T>, signal: AbortSignal): Promise<T> {
  return retry(read, (error, failures) => {
    const isBusy = error instanceof Fault && (error.code === "unavailable" || error.code === "rate_limited");
    return isBusy && failures < MAX_TRIES && !signal.aborted ? PAUSE_MS * failures : null;
  }, signal);
}
