/**
 * Scheduled backups: one a night into a folder, of which the last ones are kept. The oldest is removed only once a new one is
 * complete and was read again. A night that was missed is made up for at the next start.
 */
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import type { Hub } from "../../hub.ts";
import type { BackupFigures } from "../../model/metrics.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../std/time.ts";
import { errorName } from "../log.ts";
import { startThread } from "../threads/thread.ts";
import type { BackupResult } from "./backup-thread.ts";
import { removeLeftovers } from "./leftovers.ts";

export interface BackupSettings {
  readonly dir: string;
  /** How many are kept. */
  readonly keep: number;
}

/** When the night's backup is made, in UTC. */
const HOUR = 2;
const LOOK_EVERY_MS = MINUTE_MS;
const AFTER_FAILURE_MS = HOUR_MS;

export interface BackupSchedule {
  /** Looks whether a backup is due, and makes it. One at a time; never fails. */
  look(): Promise<void>;
  /** Ends a backup that is being made; it leaves no file of its name. */
  stop(): Promise<void>;
}

/** `figures` are kept up to date. */
export function startBackups(
  databaseUrl: string,
  { dir, keep }: BackupSettings,
  figures: BackupFigures,
  { now, log }: Pick<Hub, "now" | "log">,
): BackupSchedule {
  let thread: Worker | null = null, looking: Promise<void> | null = null;
  let isStopped = false, notBefore = -Infinity;

  async function make(): Promise<void> {
    const begun = now();
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const names = await listBackups(dir);
    figures.lastAt = timeOf(names.at(-1));
    if (figures.lastAt !== null && figures.lastAt >= lastNight(begun)) return;
    if (isStopped || begun < notBefore) return;
    await removeLeftovers(dir);
    thread = startThread(new URL("./backup-thread.ts", import.meta.url), { databaseUrl, to: join(dir, nameAt(begun)) });
    const result = await resultOf(thread);
    thread = null;
    if (isStopped) return;
    if ("error" in result) return failed(result.error);
    figures.lastAt = begun;
    log("backup.made", { bytes: result.bytes, ms: Math.round(now() - begun) });
    for (const name of (await listBackups(dir)).slice(0, -keep)) await rm(join(dir, name));
  }

  function failed(error: string): void {
    figures.failures++;
    notBefore = now() + AFTER_FAILURE_MS;
    log("backup.failed", { error });
  }

  function look(): Promise<void> {
    looking ??= make().catch((error) => failed(errorName(error))).finally(() => looking = null);
    return looking;
  }

  const timer = setInterval(look, LOOK_EVERY_MS);
  look();
  return {
    look,
    async stop() {
      isStopped = true;
      clearInterval(timer);
      await thread?.terminate();
      await looking;
      await removeLeftovers(dir);
    },
  };
}

function resultOf(thread: Worker): Promise<BackupResult> {
  return new Promise((resolve) => {
    thread.on("message", resolve);
    thread.on("error", (error) => resolve({ error: errorName(error) }));
    thread.on("exit", () => resolve({ error: "the thread ended early" }));
  });
}

/** `muster-20260301T020000Z.backup`: in the order of their times. */
function nameAt(ms: number): string {
  return `muster-${new Date(ms).toISOString().replaceAll(/[-:]|\.\d+/g, "")}.backup`;
}

const NAME = /^muster-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.backup$/;

/** Scheduled backups in the folder, the oldest first. Other files are not touched. */
async function listBackups(dir: string): Promise<string[]> {
  return (await readdir(dir)).filter((name) => NAME.test(name)).sort();
}

/** Milliseconds since 1970; null: there is no such name. */
function timeOf(name: string | undefined): number | null {
  const [, year, month, day, hour, minute, second] = NAME.exec(name ?? "") ?? [];
  return year === undefined ? null : Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** The last time that a backup was to be made. */
function lastNight(now: number): number {
  const today = Math.floor(now / DAY_MS) * DAY_MS + HOUR * HOUR_MS;
  return today <= now ? today : today - DAY_MS;
}
