/** Runs a connector's `fetch` to its end and stores the rows that it yields. */
import type { FetchContext } from "../connector.ts";
import { isSpent } from "../model/attempts.ts";
import type { Installed } from "../hub.ts";
import { encodeId } from "../model/id.ts";
import { Fault } from "../model/errors.ts";
import { logRun } from "../runs/log.ts";
import { migrateState } from "../runs/migrate.ts";
import { findLastRead } from "../store/connections/clocks.ts";
import type { ClaimedFetch } from "../store/connections/fetches.ts";
import type { LastRead } from "../store/connections/schema-sources.ts";
import { HOUR_MS, MINUTE_MS } from "../std/time.ts";
import { placeOf } from "../std/place-of.ts";
import { untilAborted } from "../std/until-aborted.ts";
import {
  addWarning,
  beginWith,
  expectTotal,
  type FetchProgress,
  saveCheckpoint,
  startOver,
  whyNotAll,
} from "./fetch-progress.ts";
import { readBody } from "./read-body.ts";
import { YIELDS_AFTER_MS } from "./read-places.ts";
import { asFault, type OpenSource, openSource, type SourceOptions } from "./source.ts";

export interface ReadSourceOptions {
  readonly signal: AbortSignal;
  /** Aborted where the source has been silent for long, and other reads need the place. */
  readonly yields?: AbortSignal;
  readonly wait?: SourceOptions["wait"];
  /** Called after each page is stored, which the next page waits for, and after each megabyte that is hashed at the end. */
  readonly step?: () => void | Promise<void>;
  /** Called when the source gives a sign of life: a request has been answered, or a page stored. */
  readonly onSign?: () => void;
}

/** Longer than any source needs, and shorter than unsealed drops are retained. */
const MAX_FETCH_MS = 6 * HOUR_MS;
const MAX_REASON = 300;
const YIELDED = `The source was silent for ${YIELDS_AFTER_MS / MINUTE_MS} minutes, and others waited to be read`;

/** How a read ended. */
export type ReadEnd =
  /** The source was read to its end. */
  | { readonly kind: "read" }
  /** It reported that nothing has changed since the fetch `last`. */
  | { readonly kind: "unchanged"; readonly because: string; readonly last: LastRead }
  | { readonly kind: "fault"; readonly fault: Fault };

/**
 * Gives how the read ended, which ends the fetch. Throws when this process is asked to stop, loses the fetch, or cannot
 * write: then another process goes on.
 */
export async function readSource(
  progress: FetchProgress,
  claimed: ClaimedFetch,
  options: ReadSourceOptions,
): Promise<ReadEnd> {
  const { hub, broken } = progress;
  const limit = AbortSignal.timeout(MAX_FETCH_MS);
  const { yields } = options;
  const signal = AbortSignal.any([options.signal, broken.signal, limit, ...(yields === undefined ? [] : [yields])]);
  const opened: { source: OpenSource | null } = { source: null };
  try {
    return await read(progress, claimed, { ...options, signal }, opened);
  } catch (error) {
    if (broken.signal.aborted) throw broken.signal.reason;
    if (options.signal.aborted) throw options.signal.reason;
    if (limit.aborted) return faulty(new Fault("source_unreachable", "The source took more than 6 hours to be read"));
    if (yields?.aborted) return faulty(new Fault("source_unreachable", YIELDED));
    const fault = asFault(error, opened.source);
    const name = error instanceof Error ? error.name : "unknown";
    logRun(hub, claimed.run, "fetch.failed", {
      code: fault.code,
      error: name,
      at: placeOf(error) ?? placeOf(fault.cause),
    });
    return faulty(fault);
  }
}

function faulty(fault: Fault): ReadEnd {
  return { kind: "fault", fault };
}

async function read(
  progress: FetchProgress,
  { fetch, run, connection }: ClaimedFetch,
  { signal, wait, step, onSign = () => {} }: ReadSourceOptions,
  opened: { source: OpenSource | null },
): Promise<ReadEnd> {
  const { hub, keeper } = progress;
  const before = fetch.attempts - 1;
  if (isSpent(before, fetch.startedAt, hub.now())) {
    throw new Fault("run_failed", `The source could not be read in ${before} attempts; the log names the error`);
  }
  const about = { run_id: encodeId("run", run.id), request_id: run.requestId };
  const source = opened.source = await openSource(hub, connection, { signal, wait, about });
  progress.hide = source.hide;
  await beginWith(progress, source.connector.version);
  const last = await lastFor(source.connector, await findLastRead(hub.db, connection, run.entity));
  const context: FetchContext<never> = {
    ...source.context,
    async fetch(url, request) {
      const answer = await source.context.fetch(url, request);
      onSign();
      return answer;
    },
    entity: run.entity,
    drop: null,
    readDrop: () => {
      throw new Fault("connector_failed", "The connector has an error of its own: it fetches, and reads a drop");
    },
    checkpoint: {
      resume: progress.checkpoint,
      last: last?.state ?? null,
      save: (state) => saveCheckpoint(progress, state),
    },
    read: (body, as) => readBody({ hub, connection, connector: source.connector, entity: run.entity }, body, as),
    expectTotal: (count) => expectTotal(progress, count),
    startOver: () => startOver(progress),
    warn: (warning) => addWarning(progress, warning, source.redact),
  };
  const rows = source.connector.fetch(context);
  if (typeof rows?.[Symbol.asyncIterator] !== "function") {
    throw new Fault("connector_failed", "The connector has an error of its own: its fetch is no async generator");
  }
  const result = await drain(untilAborted(rows, signal), async (page) => {
    await keeper.add(page);
    onSign();
    await step?.();
  });
  signal.throwIfAborted();
  const because = reasonOf(result);
  if (because === null) {
    const fault = whyNotAll(progress);
    return fault === null ? { kind: "read" } : faulty(fault);
  }
  if (last === null || keeper.records > 0) {
    const why = last === null ? "there was no last fetch" : "it has yielded records";
    throw new Fault("connector_failed", `The connector has an error of its own: it returns "unchanged", but ${why}`);
  }
  return { kind: "unchanged", because: source.redact(because).slice(0, MAX_REASON), last };
}

/** The last read with its state for this version of the connector; null: there is none that it can use. */
async function lastFor<T extends LastRead>(connector: Installed, last: T | null): Promise<T | null> {
  if (last === null) return null;
  const state = await migrateState(connector, { version: last.version ?? null, value: last.state });
  return state === null ? null : { ...last, state };
}

/** Takes all values one by one; gives what the generator returns. */
async function drain<T, R>(values: AsyncGenerator<T, R>, take: (value: T) => Promise<void>): Promise<R> {
  try {
    for (;;) {
      const next = await values.next();
      if (next.done) return next.value;
      await take(next.value);
    }
  } finally {
    await values.return(undefined as R);
  }
}

/** What an `unchanged` gives as its reason; null: the result is none. */
function reasonOf(result: unknown): string | null {
  if (typeof result !== "object" || result === null || !("unchanged" in result)) return null;
  return String(result.unchanged);
}
