/** What `/readyz` of a served hub asks, beside whether the database can be read. All checks are in one list. */
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { Fault } from "../model/errors.ts";
import type { Check } from "../model/readiness.ts";
import { causesOf, codeOf } from "../std/causes.ts";
import type { Database } from "../store/database.ts";
import { probeWrite } from "../store/probe.ts";
import { isFull } from "../store/trouble.ts";
import { isEmbedded } from "./database.ts";
import { pathOf } from "./sqlite.ts";
import type { Runner } from "./threads/runner.ts";
import type { SchemaWatch } from "./watch-schema.ts";

/** With less room than this, a drop of some size, or the log of a run, may not be stored. */
const MIN_FREE_BYTES = 16 * 1024 * 1024;

export interface Checked {
  readonly db: Database;
  readonly databaseUrl: string;
  readonly schema: Pick<SchemaWatch, "found">;
  readonly runner: Pick<Runner, "isRunning">;
}

/** By name. A check of something new is another line here; what it says is public. */
export function createChecks({ db, databaseUrl, schema, runner }: Checked): Readonly<Record<string, Check>> {
  return {
    tables: () => schema.found()?.message ?? null,
    // What a later version has made must not be written, not even to try it.
    writes: () => schema.found() === null ? checkWrites(db) : null,
    runner: () => runner.isRunning() ? null : RUNNER_ENDED,
    ...(isEmbedded(databaseUrl) ? { disk: () => checkDisk(databaseUrl) } : {}),
  };
}

const RUNNER_ENDED =
  "The thread that carries runs has ended, and is started again soon; the hub's log has the reason " +
  "(runner.ended)";

const DISK_FULL = "The database's disk is full: free space";

async function checkWrites(db: Database): Promise<string | null> {
  try {
    await probeWrite(db);
  } catch (error) {
    if (error instanceof Fault) return error.message;
    if (isFull(error)) return DISK_FULL;
    const code = causesOf(error).map(codeOf).find((found) => found !== null) ?? "an unknown error";
    return `The database cannot be written (${code}): let the hub write to its file and folder, or look at its disk`;
  }
  // A write that changes nothing may have room where others have none.
  return db.isFull() ? DISK_FULL : null;
}

async function checkDisk(databaseUrl: string): Promise<string | null> {
  const { bavail, bsize } = await statfs(dirname(pathOf(databaseUrl)));
  const free = bavail * bsize;
  return free >= MIN_FREE_BYTES
    ? null
    : `The database's disk has ${bytes(free)} left: free space, until it has at least ` +
      bytes(MIN_FREE_BYTES);
}

const bytes = (count: number) => `${count.toLocaleString("en")} bytes`;
