/**
 * Scheduled backups: one a night into a place, of which the last ones are kept. The oldest is removed only once a new one is
 * complete and was read again. A night that was missed is made up for at the next start.
 */
import { mkdir } from "node:fs/promises";
import type { Worker } from "node:worker_threads";
import type { Hub } from "../../hub.ts";
import type { BackupFigures } from "../../model/metrics.ts";
import { endsWithin } from "../../std/sleep.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../std/time.ts";
import { describeError, errorName } from "../log.ts";
import { startThread } from "../threads/thread.ts";
import type { BackupNews, BackupTask } from "./backup-thread.ts";
import { readHubId, removeAllLeftovers } from "./make.ts";
import { timeOf } from "./names.ts";
import { openPlace } from "./open-place.ts";
import type { BackupPlace } from "./place.ts";
import type { PlaceSettings } from "./settings.ts";

export interface BackupSettings {
  readonly place: PlaceSettings;
  /** How many are kept. */
  readonly keep: number;
}

/** When the night's backup is made, in UTC. */
const HOUR = 2;
const LOOK_EVERY_MS = MINUTE_MS;
const AFTER_FAILURE_MS = HOUR_MS;
/** How long a stopped hub waits for a store to delete the parts of an upload. */
const ENDS_WITHIN_MS = 5_000;

export interface BackupSchedule {
  /** Looks whether a backup is due, and makes it. One at a time; never fails. */
  look(): Promise<void>;
  /** Ends a backup that is being made; it leaves nothing of its name. */
  stop(): Promise<void>;
}

interface Running {
  readonly thread: Worker;
  readonly ended: Promise<Exclude<BackupNews, "putting">>;
  /** Whether the backup is on its way to its place. */
  isPutting: boolean;
}

/** `figures` are kept up to date. */
export function startBackups(
  databaseUrl: string,
  { place: settings, keep }: BackupSettings,
  figures: BackupFigures,
  { now, log }: Pick<Hub, "now" | "log">,
): BackupSchedule {
  const stopped = new AbortController();
  const place = openPlace(settings, stopped.signal);
  let running: Running | null = null, looking: Promise<void> | null = null;
  let notBefore = -Infinity;
  /** The backup that others have yet to be removed for; null: none. */
  let newest: string | null = null;

  async function make(): Promise<void> {
    const begun = now();
    if (stopped.signal.aborted || begun < notBefore) return;
    if (isDone(begun)) return await removeOld();
    const hubId = await readHubId(databaseUrl);
    // One of a clock that was ahead says nothing about this night.
    figures.lastAt = (await place.list(hubId)).filter(({ at }) => at <= begun).at(-1)?.at ?? null;
    if (isDone(begun)) return;
    if (place.folder !== null) await mkdir(place.folder, { recursive: true, mode: 0o700 });
    await removeAllLeftovers(databaseUrl, place);
    if (stopped.signal.aborted) return;
    const name = place.nameAt(hubId, begun);
    running = startMaking({ databaseUrl, place: settings, name });
    const result = await running.ended;
    // It waits for a message that would stop it.
    await running.thread.terminate();
    running = null;
    if ("error" in result) return failed("backup.failed", result.error);
    figures.lastAt = begun;
    log("backup.made", { bytes: result.bytes, ms: Math.round(now() - begun) });
    newest = name;
    await removeOld();
  }

  function isDone(at: number): boolean {
    return figures.lastAt !== null && figures.lastAt >= lastNight(at);
  }

  async function removeOld(): Promise<void> {
    if (newest === null) return;
    try {
      await removeOthers(place, await readHubId(databaseUrl), newest, keep);
      newest = null;
    } catch (error) {
      failed("backup.old_kept", describeError(error).error);
    }
  }

  function failed(event: string, error: string): void {
    if (stopped.signal.aborted) return;
    figures.failures++;
    notBefore = now() + AFTER_FAILURE_MS;
    log(event, { error });
  }

  function look(): Promise<void> {
    looking ??= make().catch((error) => failed("backup.failed", describeError(error).error))
      .finally(() => looking = null);
    return looking;
  }

  const timer = setInterval(look, LOOK_EVERY_MS);
  look();
  return {
    look,
    async stop() {
      stopped.abort(new Error("The hub was stopped"));
      clearInterval(timer);
      if (running !== null) await endMaking(running);
      await looking;
      await removeAllLeftovers(databaseUrl, place);
    },
  };
}

function startMaking(task: BackupTask): Running {
  const thread = startThread(new URL("./backup-thread.ts", import.meta.url), task);
  const ended = new Promise<Exclude<BackupNews, "putting">>((resolve) => {
    thread.on("message", (news: BackupNews) => {
      if (news === "putting") running.isPutting = true;
      else resolve(news);
    });
    thread.on("error", (error) => resolve({ error: errorName(error) }));
    thread.on("exit", () => resolve({ error: "the thread ended early" }));
  });
  const running: Running = { thread, ended, isPutting: false };
  return running;
}

/** A thread that copies a database hears nothing; one that sends a backup deletes what it has sent. */
async function endMaking({ thread, ended, isPutting }: Running): Promise<void> {
  if (isPutting) {
    thread.postMessage("stop");
    await endsWithin(ended, ENDS_WITHIN_MS);
  }
  await thread.terminate();
}

/**
 * Removes the hub's oldest backups, so that `keep` are left with the newest one, which stays whatever the clock was. Those of
 * a clock that was ahead go first, as they would stay for as long as it was.
 */
async function removeOthers(place: BackupPlace, hubId: string, newest: string, keep: number): Promise<void> {
  const madeAt = timeOf(newest)!;
  const others = (await place.list(hubId)).filter(({ name }) => name !== newest);
  const inOrder = [...others.filter(({ at }) => at > madeAt), ...others.filter(({ at }) => at <= madeAt)];
  for (const { name } of inOrder.slice(0, Math.max(0, inOrder.length - (keep - 1)))) await place.remove(name);
}

/** The last time that a backup was to be made. */
function lastNight(now: number): number {
  const today = Math.floor(now / DAY_MS) * DAY_MS + HOUR * HOUR_MS;
  return today <= now ? today : today - DAY_MS;
}
