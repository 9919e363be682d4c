/** A command's second thread: compresses, decompresses, and moves the database's log into its file. */
/// <reference lib="es2024.sharedmemory" />
import process from "node:process";
import { workerData } from "node:worker_threads";
import {
  BUSY,
  CHECKPOINT,
  DONE,
  FAILED,
  FREE,
  GZIP,
  KIND,
  LENGTH,
  ROOM,
  STARTING,
  STATE,
  STOPPED,
  WORDS,
} from "./beside-memory.ts";
import { createSweep } from "./memory.ts";
import { gunzipNow, gzipNow } from "../packing.ts";
import { openSqlite, type SqliteFile } from "../sqlite.ts";

const { memory, databaseUrl } = workerData as { memory: SharedArrayBuffer; databaseUrl: string };
const words = new Int32Array(memory, 0, WORDS);
const going = new Uint8Array(memory, WORDS * 4, ROOM), coming = new Uint8Array(memory, WORDS * 4 + ROOM, ROOM);
const sweep = createSweep({ minor: 2 });
let database = null as SqliteFile | null;

Atomics.compareExchange(words, STATE, STARTING, FREE);
for (;;) {
  const state = Atomics.load(words, STATE);
  if (state === STOPPED) break;
  if (state !== BUSY) {
    Atomics.wait(words, STATE, state);
    continue;
  }
  const isCheckpoint = words[KIND] === CHECKPOINT;
  try {
    if (isCheckpoint) checkpoint();
    else words[LENGTH] = pack(words[KIND] === GZIP);
  } catch {
    // The main thread then does it itself, and gets the same error.
    words[LENGTH] = FAILED;
  }
  Atomics.compareExchange(words, STATE, BUSY, isCheckpoint ? FREE : DONE);
  Atomics.notify(words, STATE);
  sweep();
}
database?.close();
// This ends the thread, not the process.
process.exit(0);

/** Returns the length of the output. */
function pack(isGzip: boolean): number {
  const data = going.slice(0, words[LENGTH]!);
  const made = isGzip ? gzipNow(data) : gunzipNow(data);
  if (made.length > ROOM) return FAILED;
  coming.set(made);
  return made.length;
}

/** Moves as much of the log as is possible without blocking other connections. */
function checkpoint(): void {
  database ??= openSqlite(databaseUrl);
  database.all("pragma wal_checkpoint(passive)");
}
