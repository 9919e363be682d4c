/** The thread that takes pages apart: from shared memory into a file that nobody else writes. */
/// <reference lib="es2024.sharedmemory" />
import process from "node:process";
import { pathToFileURL } from "node:url";
import { workerData } from "node:worker_threads";
import { CREATE_STAGED, INSERT_STAGED } from "../store/staging.ts";
import { createSweep } from "./memory.ts";
import { openSqlite } from "./sqlite.ts";
import { BODY, FREE, FULL, LENGTH, PAGE, SLOTS, STATE, STOPPED, WORDS } from "./staging-memory.ts";

const { memory, file } = workerData as { memory: SharedArrayBuffer; file: string };
const words = new Int32Array(memory);

const copy = new Uint8Array(BODY);

try {
  takeApart();
} catch {
  // Whoever hands pages over sees the thread end, and reads them from the plan.
}
// Ends the thread, not the process.
process.exit(0);

function takeApart(): void {
  // A file that is lost or half written is not read: nothing of it need survive.
  const database = openSqlite(pathToFileURL(file).href, [
    "journal_mode = off",
    "synchronous = off",
    "cache_size = -2048",
  ]);
  database.all(CREATE_STAGED);
  const sweep = createSweep({ minor: 1 });
  for (let slot = 0;; slot = (slot + 1) % SLOTS) {
    const at = slot * WORDS;
    Atomics.wait(words, at + STATE, FREE);
    if (Atomics.load(words, at + STATE) === STOPPED) break;
    const length = words[at + LENGTH]!;
    // The database takes no memory that is shared.
    copy.set(new Uint8Array(memory, SLOTS * WORDS * 4 + slot * BODY, length));
    database.all(INSERT_STAGED, [words[at + PAGE]!, copy.subarray(0, length)]);
    Atomics.compareExchange(words, at + STATE, FULL, FREE);
    Atomics.notify(words, at + STATE);
    sweep();
  }
  database.close();
}
