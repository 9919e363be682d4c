/** Starts a thread from a TypeScript file, which Deno and every supported Node read as it is. */
import { type ResourceLimits, Worker } from "node:worker_threads";

/** `limits`: of its memory. Node terminates a thread that exceeds them; Deno ignores them. */
export function startThread(file: URL, workerData: unknown, limits?: ResourceLimits): Worker {
  return new Worker(file, { workerData, ...(limits === undefined ? {} : { resourceLimits: limits }) });
}
