/** Starts a thread from a TypeScript file, which Deno and every supported Node read as it is. */
import { Worker } from "node:worker_threads";

export function startThread(file: URL, workerData: unknown): Worker {
  return new Worker(file, { workerData });
}
