/**
 * One reading of a source, for one run: the connector's rows are kept as the run's drop, which is planned from as any
 * other is. So a plan is of one read, however often planning looks at its rows.
 *
 * The read is complete when the connector's generator has returned, and else not, whatever was read by then. Killed
 * anywhere, another process goes on behind the last checkpoint, or begins anew.
 */
import type { FetchContext, SourceWarning } from "../connector.ts";
import { Fault } from "../model/errors.ts";
import { retainedUntil } from "../runs/hand-in.ts";
import type { Hub } from "../hub.ts";
import { encodeId } from "../model/id.ts";
import type { Issue } from "../model/record.ts";
import { logRun } from "../runs/log.ts";
import { findCheckpoint } from "../store/connections/clocks.ts";
import type { Statement } from "../store/database.ts";
import { digestContent, EVERYWHERE } from "../store/runs/drop-content.ts";
import { createDrop, deleteUnsealedDrop, findDrop } from "../store/runs/drops.ts";
import {
  type ClaimedFetch,
  endFetch,
  type FetchEnd,
  forgetChunks,
  forgetDrop,
  keepChunk,
  note,
  releaseFetch,
  writeFetch,
} from "../store/connections/fetches.ts";
import { HOUR_MS, toInstant } from "../std/time.ts";
import { createKeeper, NOTHING_KEPT } from "./keep.ts";
import { asFault, openSource, type SourceOptions } from "./source.ts";

export interface FetchOptions {
  /** Says stop to the process: what is read by then is given back. */
  readonly signal: AbortSignal;
  /** Who reads: told apart when one of several processes is gone. */
  readonly owner: string;
  readonly wait?: SourceOptions["wait"];
  /** Called at each page that is kept, and at each megabyte that is looked at again. */
  readonly step?: () => void;
  /** How often to give a sign of life; other than usual only in tests. */
  readonly renewEveryMs?: number;
}

const RENEW_EVERY_MS = 10_000;
/** Longer than any source needs, shorter than what is unsealed is kept. */
const MAX_FETCH_MS = 6 * HOUR_MS;
const MAX_ATTEMPTS = 10;
const MAX_STATE = 16 * 1024;
const MAX_WARNINGS = 100;
const MAX_STARTS = 20;

/** The fetch is somebody else's by now, or its run has ended. */
class Lost extends Error {}

/** Reads to the end, whatever that is. Gives back what it was stopped in; fails only when the hub does. */
export async function fetchRun(hub: Hub, claimed: ClaimedFetch, options: FetchOptions): Promise<void> {
  const { db } = hub;
  const { fetch, run, connection } = claimed;
  const { owner } = options;
  const ending = new AbortController();
  const limit = AbortSignal.timeout(MAX_FETCH_MS);
  const signal = AbortSignal.any([options.signal, ending.signal, limit]);
  let clean = (text: string) => text;
  let dropId = fetch.dropId;
  let saved = fetch.checkpoint;
  const warnings: Issue[] = [...fetch.warnings];

  async function write(statements: Parameters<typeof writeFetch>[4]["statements"] = () => []): Promise<void> {
    let failure: unknown;
    try {
      if (await writeFetch(db, fetch, owner, hub.now(), { records: keeper.records, statements })) return;
      failure = new Lost("The fetch has ended");
    } catch (error) {
      failure = error;
    }
    // A connector may make another error of it, or none.
    ending.abort(failure);
    throw failure;
  }

  const keeper = createKeeper(
    saved === null ? NOTHING_KEPT : fetch,
    async (index, data) => {
      const body = await (hub.packing ?? EVERYWHERE).gzip(data);
      await write((mine) => [keepChunk(db, dropId!, { index, bytes: data.length, body }, mine)]);
    },
  );

  async function save(state: unknown): Promise<void> {
    const text = JSON.stringify(state ?? null);
    if (text.length > MAX_STATE) throw new Fault("source_unreadable", "The connector's checkpoint is over 16 KiB");
    const kept = await keeper.flush();
    saved = JSON.parse(text);
    await write((mine) => [note(db, fetch, { ...kept, warnings, checkpoint: saved }, mine)]);
  }

  let starts = 0;
  async function startOver(): Promise<void> {
    if (++starts > MAX_STARTS) {
      throw new Fault("source_unreachable", `The source could not be read in one go, in ${MAX_STARTS} tries`);
    }
    keeper.clear();
    warnings.length = 0;
    saved = null;
    await write((mine) => [
      forgetChunks(db, dropId!, 0, mine),
      note(db, fetch, { ...NOTHING_KEPT, warnings, checkpoint: null }, mine),
    ]);
  }

  function warn(warning: SourceWarning): void {
    if (warnings.length >= MAX_WARNINGS) return;
    const { code, field } = warning;
    const [message, suggestion] = [warning.message, warning.suggestion].map((text) =>
      clean(String(text)).slice(0, 500)
    );
    warnings.push({ severity: "warning", code, field, value: null, message: message!, suggestion: suggestion! });
  }

  /** Reads to the end; gives what went wrong on the way. */
  async function read(): Promise<Fault | null> {
    try {
      if (fetch.attempts > MAX_ATTEMPTS) {
        throw new Fault(
          "run_failed",
          `The source could not be read in ${MAX_ATTEMPTS} attempts; the log names the error`,
        );
      }
      const source = await openSource(hub, connection, {
        signal,
        wait: options.wait,
        about: { run_id: encodeId("run", run.id), request_id: run.requestId },
      });
      clean = source.redact;
      const context: FetchContext<never> = {
        ...source.context,
        entity: "users",
        drop: null,
        readDrop: () => {
          throw new Fault("source_misconfigured", "There is no drop: this connector fetches for itself");
        },
        checkpoint: { resume: saved, last: await findCheckpoint(db, connection), save },
        startOver,
        warn,
      };
      for await (const rows of untilAborted(source.connector.fetch(context), signal)) {
        await keeper.add(rows);
        options.step?.();
      }
      signal.throwIfAborted();
      return null;
    } catch (error) {
      if (ending.signal.aborted) throw ending.signal.reason;
      if (options.signal.aborted) throw options.signal.reason;
      if (limit.aborted) return new Fault("source_unreachable", "The source took more than 6 hours to be read");
      const fault = asFault(error, clean);
      logRun(hub, run, "fetch.failed", {
        code: fault.code,
        error: error instanceof Error ? error.name : "unknown",
        at: placeOf(error),
      });
      return fault;
    }
  }

  async function end(fault: Fault | null): Promise<void> {
    const kept = await keeper.flush();
    const isKept = fault === null || kept.records > 0;
    // What was taken over may have chunks of before: the digest is of what is stored.
    const drop = isKept ? { id: dropId!, ...await digestContent(db, dropId!, hub.packing, options.step) } : null;
    const outcome: FetchEnd = {
      complete: fault === null,
      error: fault === null ? null : { code: fault.code, message: fault.message },
      drop,
      expiresAt: retainedUntil(hub),
    };
    await write((mine): Statement[] => [
      note(db, fetch, { ...kept, warnings, checkpoint: saved, dropId: isKept ? dropId : null }, mine),
      ...endFetch(db, fetch, outcome, hub.now(), mine),
    ]);
    if (!isKept) await deleteUnsealedDrop(db, fetch.organizationId, dropId!);
    logRun(hub, run, "run.fetched", {
      records: kept.records,
      bytes: kept.bytes,
      complete: outcome.complete,
      code: fault?.code ?? null,
      ms: hub.now() - (fetch.startedAt ?? hub.now()),
    });
    hub.wake();
  }

  const timer = setInterval(() => void write().catch(() => {}), options.renewEveryMs ?? RENEW_EVERY_MS);
  try {
    // One that waited too long for its reader has been forgotten, with all that was kept.
    if (dropId !== null && await findDrop(db, fetch.organizationId, dropId) === null) {
      dropId = null;
      saved = null;
      keeper.clear();
    }
    if (dropId === null) {
      dropId = await createDrop(db, fetch.organizationId, connection.id, {
        name: `${connection.slug}-${toInstant(hub.now()).slice(0, 19).replaceAll(":", "-")}.ndjson`,
        contentType: "application/x-ndjson",
        mode: run.mode,
        entity: "users",
        coverage: null,
      }, hub.now());
    }
    const kept = saved === null ? NOTHING_KEPT : fetch;
    await write((mine) => [
      forgetChunks(db, dropId!, kept.chunks, mine),
      note(db, fetch, { ...(saved === null ? NOTHING_KEPT : {}), dropId }, mine),
    ]);
    await end(await read());
  } catch (error) {
    if (error instanceof Lost) {
      if (dropId !== null) await forgetDrop(db, fetch, dropId);
      return;
    }
    await releaseFetch(db, fetch, owner, !options.signal.aborted);
    if (!options.signal.aborted) throw error;
  } finally {
    clearInterval(timer);
  }
}

/** Where in the code it was thrown, for whoever wrote that; never what was thrown, which may quote the source. */
function placeOf(error: unknown): string | null {
  const stack = error instanceof Error ? error.stack?.slice(`${error.name}: ${error.message}`.length) ?? "" : "";
  return /[\w.-]+\.[jt]s:\d+:\d+/.exec(stack)?.[0] ?? null;
}

/** The same, without ever waiting for a connector that does not heed the signal. Holds one of the rows' pages at a time. */
async function* untilAborted<T>(rows: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void> {
  const iterator = rows[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      signal.throwIfAborted();
      const next = await orAborted(iterator.next(), signal);
      if (next.done) {
        ended = true;
        return;
      }
      yield next.value;
    }
  } finally {
    if (!ended) void iterator.return?.()?.then(undefined, () => {});
  }
}

/**
 * What is promised, or the signal's reason if that comes first. Not a race with one promise for the whole reading: that
 * would hold the outcome of each race, and so every page, until the reading ends.
 */
function orAborted<T>(promised: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    promised.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
