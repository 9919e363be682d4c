/** A thread for test/runtime/threads/supervise.test.ts: says that it has started, and ends when it is asked to. */
import process from "node:process";
import { parentPort } from "node:worker_threads";

parentPort!.on("message", () => process.exit(0));
parentPort!.postMessage("started");
