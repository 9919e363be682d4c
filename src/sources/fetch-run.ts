/**
 * Reads a source once, for one run. The connector's rows are stored as the run's drop, which is planned like any other
 * drop: however often planning looks at its rows, they come from one read.
 *
 * The read is complete only when the connector's generator has returned. If the process is killed, another one continues
 * from the last checkpoint, or from the start if there is none.
 */
import type { Hub } from "../hub.ts";
import { retainedUntil } from "../runs/receive-drop.ts";
import { logRun } from "../runs/log.ts";
import { type ClaimedFetch, endFetch, type FetchEnd, forgetDrop, releaseFetch } from "../store/connections/fetches.ts";
import { isFenced } from "../store/fence.ts";
import { RENEW_EVERY_MS } from "../store/lease.ts";
import { digestContent } from "../store/runs/drop-content.ts";
import { deleteUnsealedDrop } from "../store/runs/drops.ts";
import { createProgress, type FetchProgress, noteAll, openDrop, repeatedWarning, write } from "./fetch-progress.ts";
import { type ReadEnd, readSource, type ReadSourceOptions } from "./read-source.ts";

export interface FetchOptions extends ReadSourceOptions {
  /** Milliseconds between two renewals of the lease; tests shorten it. */
  readonly renewEveryMs?: number;
}

/** Ends the fetch, whether its source could be read or not. When stopped, releases it. Fails only on the hub's own errors. */
export async function fetchRun(hub: Hub, claimed: ClaimedFetch, options: FetchOptions): Promise<void> {
  const { fetch } = claimed;
  const { signal } = options;
  const progress = createProgress(hub, fetch);
  const timer = setInterval(() => void write(progress).catch(() => {}), options.renewEveryMs ?? RENEW_EVERY_MS);
  try {
    await openDrop(progress, claimed);
    const ended = await readSource(progress, claimed, options);
    await end(progress, claimed, ended, options.step);
  } catch (error) {
    if (isFenced(error)) {
      logRun(hub, claimed.run, "run.fetch_given_up", {});
      if (progress.dropId !== null) await forgetDrop(hub.db, fetch, progress.dropId);
      return;
    }
    await releaseFetch(hub.db, fetch, !signal.aborted);
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(timer);
  }
}

/** Seals the drop and ends the fetch in one batch. After a fault, rows that were read by then are used. */
async function end(
  progress: FetchProgress,
  { fetch, run }: ClaimedFetch,
  ended: ReadEnd,
  step: (() => void) | undefined,
): Promise<void> {
  const { hub, keeper } = progress;
  const { db } = hub;
  const dropId = progress.dropId!;
  const warning = repeatedWarning(progress);
  if (warning !== null) progress.warnings.push(warning);
  const kept = await keeper.flush();
  const fault = ended.kind === "fault" ? ended.fault : null;
  const isKept = ended.kind === "read" || kept.records > 0;
  const outcome: FetchEnd = {
    complete: fault === null,
    error: fault === null ? null : { code: fault.code, message: fault.message },
    // An earlier process may have stored some of the chunks, so the digest is made from the stored ones.
    drop: isKept ? { id: dropId, ...await digestContent(db, dropId, hub.packing, step) } : null,
    expiresAt: retainedUntil(hub),
    unchanged: ended.kind !== "unchanged" ? null : {
      because: ended.because,
      note: `The source reported that nothing has changed: ${ended.because}`,
      last: ended.last,
    },
  };
  await write(progress, [
    noteAll(progress, { ...kept, dropId: isKept ? dropId : null }),
    ...endFetch(db, fetch, outcome, hub.now()),
  ]);
  if (!isKept) await deleteUnsealedDrop(db, fetch.organizationId, dropId);
  logRun(hub, run, "run.fetched", {
    records: kept.records,
    bytes: kept.bytes,
    complete: outcome.complete,
    unchanged: ended.kind === "unchanged",
    code: fault?.code ?? null,
    ms: hub.now() - (fetch.startedAt ?? hub.now()),
  });
  hub.wake();
}
