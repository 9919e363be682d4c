/** The thread that reads beside requests: one read after the other, on a connection that cannot write. */
import { parentPort, workerData } from "node:worker_threads";
import type { Database } from "../../store/database.ts";
import { HEAVY_READS, type HeavyRead } from "../../store/people/heavy-reads.ts";
import { openDatabase } from "../database.ts";
import { createSweep } from "./memory.ts";
import { causesOf, codeOf } from "../../std/causes.ts";

/** What is asked of the thread. */
export interface AskedRead {
  readonly id: number;
  readonly name: HeavyRead;
  readonly args: readonly unknown[];
}

/** What it answers; an error with SQLite's code, so that it means the same on the other side. */
export type AnsweredRead =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly message: string; readonly code: string | null } };

const port = parentPort!;
const sweep = createSweep({ grown: 16_000_000 });
const { db } = await openDatabase({
  url: (workerData as { databaseUrl: string }).databaseUrl,
  authToken: null,
  role: "reader",
});

port.on("message", async ({ id, name, args }: AskedRead) => {
  try {
    const read = HEAVY_READS[name] as unknown as (db: Database, ...args: readonly unknown[]) => Promise<unknown>;
    port.postMessage({ id, result: await read(db, ...args) } satisfies AnsweredRead);
  } catch (thrown) {
    port.postMessage({ id, error: described(thrown) } satisfies AnsweredRead);
  }
  sweep();
});
port.postMessage("ready");

function described(thrown: unknown): { message: string; code: string | null } {
  const code = causesOf(thrown).map(codeOf).findLast((each) => each !== null) ?? null;
  return { message: thrown instanceof Error ? thrown.message : String(thrown), code };
}
