/** Starts a thread from a TypeScript file, which Deno and every supported Node read as it is. */
import { type ResourceLimits, Worker } from "node:worker_threads";

/** `limits`: of its memory. Node ends a thread that goes over them; Deno knows none. */
export function startThread(file: URL, workerData: unknown, limits?: ResourceLimits): Worker {
  return new Worker(file, { workerData, ...(limits === undefined ? {} : { resourceLimits: limits }) });
}
