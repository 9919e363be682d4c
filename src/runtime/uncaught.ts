/** Handles uncaught errors without ending the process or thread, so that an error of one client does not affect others. */
import process from "node:process";
import type { Log } from "../bridge/contract.ts";
import { FAILED } from "./command.ts";
import { errorName } from "./log.ts";

/** Calls back for each uncaught error; the result removes the callback. Out of memory, the process or thread still ends. */
export function onUncaught(callback: (error: unknown) => void): () => void {
  const caught = (error: unknown) => {
    callback(error);
    if (isOutOfMemory(error)) process.exit(FAILED);
  };
  process.on("uncaughtException", caught);
  process.on("unhandledRejection", caught);
  return () => {
    process.off("uncaughtException", caught);
    process.off("unhandledRejection", caught);
  };
}

/** Logs each uncaught error of a bridge, with the number of errors so far. */
export function logUncaught(log: Log): void {
  let count = 0;
  onUncaught((error) => log("bridge.uncaught", { error: errorName(error), count: ++count }));
}

/** After these errors, the process is in an unknown state. */
function isOutOfMemory(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  return code === "ENOMEM" || code === "ERR_MEMORY_ALLOCATION_FAILED" ||
    /out of memory|allocation failed/i.test(error.message);
}
