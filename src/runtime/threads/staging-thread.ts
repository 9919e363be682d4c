/** The thread that stages pages: reads them from the database, and writes their people to a file of its own. */
/// <reference lib="es2024.sharedmemory" />
import process from "node:process";
import { pathToFileURL } from "node:url";
import { workerData } from "node:worker_threads";
import { readEntries } from "../../reconcile/columns/entry.ts";
import type { Insert } from "../../store/engine.ts";
import { CREATE_STAGED, stagedRows } from "../../store/runs/staging.ts";
import { createSweep } from "./memory.ts";
import { openSqlite } from "../sqlite.ts";
import { openMemory, ROOM, SENT, STAGED, STOPPED } from "./staging-memory.ts";

/** Entries that are decoded at a time. */
const TOGETHER = 256;

const { memory, databaseUrl, file } = workerData as { memory: SharedArrayBuffer; databaseUrl: string; file: string };
const { words, ids } = openMemory(memory);

try {
  takeApart();
} catch {
  // The main thread sees this thread end, and then reads the pages from the plan.
}
// This ends the thread, not the process.
process.exit(0);

function takeApart(): void {
  const plan = openSqlite(databaseUrl, ["cache_size = -512"]);
  // A lost or incomplete file is not read, so its writes need no protection.
  const staged = openSqlite(pathToFileURL(file).href, [
    "journal_mode = off",
    "synchronous = off",
    "cache_size = -2048",
  ]);
  staged.all(CREATE_STAGED);
  const sweep = createSweep({ minor: 1 });
  for (let next = 0;; next++) {
    while (Atomics.load(words, SENT) === next && Atomics.load(words, STOPPED) === 0) {
      Atomics.wait(words, SENT, next);
    }
    if (Atomics.load(words, STOPPED) !== 0) break;
    const pageId = ids[next % ROOM]!;
    const [page] = plan.all("select body from page_bodies where page_id = ?", [pageId]);
    staged.bulk(inserts(pageId, page![0] as string));
    Atomics.store(words, STAGED, next + 1);
    Atomics.notify(words, STAGED);
    sweep();
  }
  staged.close();
  plan.close();
}

function* inserts(pageId: number, body: string): Generator<Insert, void> {
  let first = 0;
  for (const entries of readEntries(body, TOGETHER)) {
    yield stagedRows(pageId, first, entries);
    first += entries.length;
  }
}
