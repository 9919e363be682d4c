/** Stands in for the reader's thread in test/runtime/threads/reader.test.ts: does what the read's first argument says. */
import process from "node:process";
import { parentPort } from "node:worker_threads";

const port = parentPort!;
let release = () => {};
port.on("message", async ({ id, args: [what] }: { id: number; args: unknown[] }) => {
  if (what === "spin") { for (;;); }
  if (what === "die") process.exit(1);
  if (what === "fail") {
    return port.postMessage({ id, error: { message: "database disk image is malformed", code: "SQLITE_CORRUPT" } });
  }
  if (what === "slow") await new Promise<void>((resolve) => setTimeout(release = resolve, 100));
  port.postMessage({ id, result: what });
});
port.postMessage("ready");
void release;
