/** A thread that makes one backup: copying a database blocks its thread, and a hub answers requests meanwhile. */
import { parentPort, workerData } from "node:worker_threads";
import { describeError } from "../log.ts";
import { makeBackup } from "./make.ts";

/** What the thread posts at its end. */
export type BackupResult = { readonly bytes: number } | { readonly error: string };

const { databaseUrl, to } = workerData as { databaseUrl: string; to: string };
try {
  const { bytes } = await makeBackup(databaseUrl, to);
  parentPort!.postMessage({ bytes } satisfies BackupResult);
} catch (error) {
  parentPort!.postMessage(describeError(error) satisfies BackupResult);
}
