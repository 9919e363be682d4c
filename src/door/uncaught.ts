/**
 * What nobody caught ends neither the bridge's process nor its thread: one client's trouble is no reason to send all of
 * them away. It is said in the log, with how many there were so far.
 */
import process from "node:process";
import type { Log } from "../bridge/contract.ts";
import { describeError } from "./log.ts";

export function surviveUncaught(log: Log): void {
  let count = 0;
  const say = (error: unknown) => log("bridge.uncaught", { ...describeError(error), count: ++count });
  process.on("uncaughtException", say);
  process.on("unhandledRejection", say);
}
