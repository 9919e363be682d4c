/** The thread of the bridge in `muster serve`. It serves SFTP, and calls the hub over HTTP like any other bridge. */
import process from "node:process";
import { parentPort, workerData } from "node:worker_threads";
import { describeError } from "../log.ts";
import { type BridgeSettings, openBridge } from "../open-bridge.ts";
import type { BridgeMessage } from "./bridge.ts";
import { logUncaught } from "../uncaught.ts";

const port = parentPort!;
const say = (message: BridgeMessage) => port.postMessage(message);

try {
  const bridge = await openBridge(
    workerData as BridgeSettings,
    (event, details) => say({ kind: "log", event, details }),
  );
  logUncaught((event, details) => say({ kind: "log", event, details }));
  port.on("message", async () => {
    await bridge.close();
    // This ends the thread, not the process.
    process.exit(0);
  });
  say({ kind: "started", hosted: bridge.hosted });
} catch (error) {
  say({ kind: "failed", code: (error as { code?: string }).code ?? null, details: describeError(error) });
  process.exit(1);
}
