/** A command's second thread: compresses, decompresses, and moves the database's log into its file. */
/// <reference lib="es2024.sharedmemory" />
import process from "node:process";
import { workerData } from "node:worker_threads";
import { FAILED, KIND, openMemory, ROOM, STATE, WORD } from "./beside-memory.ts";
import { createSweep } from "./memory.ts";
import { gunzipNow, gzipNow } from "../packing.ts";
import { openSqlite, type SqliteFile } from "../sqlite.ts";

const { memory, databaseUrl } = workerData as { memory: SharedArrayBuffer; databaseUrl: string };
const { words, input, output } = openMemory(memory);
const sweep = createSweep({ minor: 2 });
let database = null as SqliteFile | null;

Atomics.compareExchange(words, WORD.state, STATE.starting, STATE.free);
for (;;) {
  const state = Atomics.load(words, WORD.state);
  if (state === STATE.stopped) break;
  if (state !== STATE.busy) {
    Atomics.wait(words, WORD.state, state);
    continue;
  }
  const isCheckpoint = words[WORD.kind] === KIND.checkpoint;
  try {
    if (isCheckpoint) checkpoint();
    else words[WORD.length] = pack(words[WORD.kind] === KIND.gzip);
  } catch {
    // The main thread then does it itself, and gets the same error.
    words[WORD.length] = FAILED;
  }
  Atomics.compareExchange(words, WORD.state, STATE.busy, isCheckpoint ? STATE.free : STATE.done);
  Atomics.notify(words, WORD.state);
  sweep();
}
database?.close();
// This ends the thread, not the process.
process.exit(0);

/** Returns the length of the output. */
function pack(isGzip: boolean): number {
  const data = input.slice(0, words[WORD.length]!);
  const made = isGzip ? gzipNow(data) : gunzipNow(data);
  if (made.length > ROOM) return FAILED;
  output.set(made);
  return made.length;
}

/** Moves as much of the log as is possible without blocking other connections. */
function checkpoint(): void {
  database ??= openSqlite(databaseUrl);
  database.all("pragma wal_checkpoint(passive)");
}
