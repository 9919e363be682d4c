/** The thread that runs heavy reads, one at a time, on a read-only connection. */
import { parentPort, workerData } from "node:worker_threads";
import type { Database } from "../../store/database.ts";
import { HEAVY_READS, type HeavyRead } from "../../store/people/heavy-reads.ts";
import { openDatabase } from "../database.ts";
import { createSweep } from "./memory.ts";
import { causesOf, codeOf } from "../../std/causes.ts";

/** A request to the thread. */
export interface AskedRead {
  readonly id: number;
  readonly name: HeavyRead;
  readonly args: readonly unknown[];
}

/** The thread's answer. An error keeps SQLite's code, so that the main thread can handle it in the same way. */
export type AnsweredRead =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly message: string; readonly code: string | null } };

const port = parentPort!;
const sweep = createSweep({ grown: 16_000_000 });
const { databaseUrl, authToken } = workerData as { readonly databaseUrl: string; readonly authToken: string | null };
const { db } = await openDatabase({ url: databaseUrl, authToken, role: "reader" });

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
