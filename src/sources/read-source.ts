/** Runs a connector's `fetch` to its end and stores the rows that it yields. */
import type { FetchContext } from "../connector.ts";
import { encodeId } from "../model/id.ts";
import { Fault } from "../model/errors.ts";
import { logRun } from "../runs/log.ts";
import { findCheckpoint } from "../store/connections/clocks.ts";
import type { ClaimedFetch } from "../store/connections/fetches.ts";
import { HOUR_MS } from "../std/time.ts";
import { placeOf } from "../std/place-of.ts";
import { untilAborted } from "../std/until-aborted.ts";
import { addWarning, type FetchProgress, saveCheckpoint, startOver } from "./fetch-progress.ts";
import { asFault, openSource, type SourceOptions } from "./source.ts";

export interface ReadSourceOptions {
  readonly signal: AbortSignal;
  readonly wait?: SourceOptions["wait"];
  /** Called after each page is stored, and after each megabyte that is hashed at the end. */
  readonly step?: () => void;
}

/** Longer than any source needs, and shorter than unsealed drops are retained. */
const MAX_FETCH_MS = 6 * HOUR_MS;
const MAX_ATTEMPTS = 10;

/**
 * Null: the source was read to its end. Otherwise the reason why it was not, which ends the fetch. Throws when this
 * process is asked to stop, loses the fetch, or cannot write: then another process goes on.
 */
export async function readSource(
  progress: FetchProgress,
  { fetch, run, connection }: ClaimedFetch,
  options: ReadSourceOptions,
): Promise<Fault | null> {
  const { hub, keeper, broken } = progress;
  const limit = AbortSignal.timeout(MAX_FETCH_MS);
  const signal = AbortSignal.any([options.signal, broken.signal, limit]);
  let redact = (text: string) => text;
  try {
    if (fetch.attempts > MAX_ATTEMPTS) {
      const message = `The source could not be read in ${MAX_ATTEMPTS} attempts; the log names the error`;
      throw new Fault("run_failed", message);
    }
    const about = { run_id: encodeId("run", run.id), request_id: run.requestId };
    const source = await openSource(hub, connection, { signal, wait: options.wait, about });
    redact = source.redact;
    const context: FetchContext<never> = {
      ...source.context,
      entity: "users",
      drop: null,
      readDrop: () => {
        throw new Fault("source_misconfigured", "There is no drop: this connector fetches for itself");
      },
      checkpoint: {
        resume: progress.checkpoint,
        last: await findCheckpoint(hub.db, connection),
        save: (state) => saveCheckpoint(progress, state),
      },
      startOver: () => startOver(progress),
      warn: (warning) => addWarning(progress, warning, redact),
    };
    for await (const rows of untilAborted(source.connector.fetch(context), signal)) {
      await keeper.add(rows);
      options.step?.();
    }
    signal.throwIfAborted();
    return null;
  } catch (error) {
    if (broken.signal.aborted) throw broken.signal.reason;
    if (options.signal.aborted) throw options.signal.reason;
    if (limit.aborted) return new Fault("source_unreachable", "The source took more than 6 hours to be read");
    const fault = asFault(error, redact);
    const name = error instanceof Error ? error.name : "unknown";
    logRun(hub, run, "fetch.failed", { code: fault.code, error: name, at: placeOf(error) });
    return fault;
  }
}
