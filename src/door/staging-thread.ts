/** The thread that takes pages apart: from shared memory into a file that nobody else writes. */
/// <reference lib="es2024.sharedmemory" />
import { createClient } from "@libsql/client/sqlite3";
import process from "node:process";
import { workerData } from "node:worker_threads";
import { CREATE_STAGED, INSERT_STAGED } from "../store/staging.ts";
import { createSweep, sweepAll } from "./memory.ts";
import { BODY, FREE, FULL, LENGTH, PAGE, SLOTS, STATE, STOPPED, WORDS } from "./staging-memory.ts";

const { memory, file } = workerData as { memory: SharedArrayBuffer; file: string };
const words = new Int32Array(memory);

const copy = new Uint8Array(BODY);

try {
  await takeApart();
} catch {
  // Whoever hands pages over sees the thread end, and reads them from the plan.
}
// Ends the thread, not the process.
process.exit(0);

async function takeApart(): Promise<void> {
  const client = createClient({ url: `file:${file}`, concurrency: 1 });
  // A file that is lost or half written is not read: nothing of it need survive.
  await client.executeMultiple(`pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -2048;
    ${CREATE_STAGED}`);
  const sweep = createSweep({ minor: 1 });
  for (let slot = 0;; slot = (slot + 1) % SLOTS) {
    const at = slot * WORDS;
    Atomics.wait(words, at + STATE, FREE);
    if (Atomics.load(words, at + STATE) === STOPPED) break;
    const length = words[at + LENGTH]!;
    // The database takes no memory that is shared.
    copy.set(new Uint8Array(memory, SLOTS * WORDS * 4 + slot * BODY, length));
    await client.execute({ sql: INSERT_STAGED, args: [words[at + PAGE]!, copy.subarray(0, length)] });
    Atomics.compareExchange(words, at + STATE, FULL, FREE);
    Atomics.notify(words, at + STATE);
    sweep();
  }
  // Statements that are freed after their thread can bring the process down.
  sweepAll();
  client.close();
}
