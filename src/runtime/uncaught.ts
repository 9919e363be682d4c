/** Errors that nobody caught, which end neither a process nor a thread: one client's trouble is no reason to send all away. */
import process from "node:process";
import type { Log } from "../bridge/contract.ts";
import { FAILED } from "./command.ts";
import { errorName } from "./log.ts";

/** Tells of each from now on, until what this gives takes it back. Without memory left the process, or thread, ends all the same. */
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

/** Says each of a bridge's in its log, with how many there were so far. */
export function logUncaught(log: Log): void {
  let count = 0;
  onUncaught((error) => log("bridge.uncaught", { error: errorName(error), count: ++count }));
}

/** After which nothing can be relied on. */
function isOutOfMemory(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  return code === "ENOMEM" || code === "ERR_MEMORY_ALLOCATION_FAILED" ||
    /out of memory|allocation failed/i.test(error.message);
}
