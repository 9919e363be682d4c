/** Starts a thread from a TypeScript file, which Deno and every supported Node read as it is. */
import process from "node:process";
import { type ResourceLimits, Worker } from "node:worker_threads";

/**
 * A thread of Node has its own modules, and so its own resolving of them (node-resolve.ts). V8's flags are the process's;
 * of Node's own those are passed on that a thread may have.
 */
const ARGUMENTS = "Deno" in globalThis ? {} : {
  execArgv: [
    ...process.execArgv.filter((flag) => flag.startsWith("--disable-warning")),
    "--import",
    new URL("../node-resolve.ts", import.meta.url).href,
  ],
};

/** `limits`: of its memory. Node terminates a thread that exceeds them; Deno ignores them. */
export function startThread(file: URL, workerData: unknown, limits?: ResourceLimits): Worker {
  return new Worker(file, { workerData, ...ARGUMENTS, ...(limits === undefined ? {} : { resourceLimits: limits }) });
}
