/** Checks of connections that an admin waits for: the bridge tries the server, and answers the hub. */
import type { CheckResult } from "../contract.ts";
import type { Entry, Serving } from "./core.ts";
import { describe } from "./failures.ts";

const CHECK_TIMEOUT_MS = 30_000;

/** Begins each check that is asked for, once. To be called again and again. */
export function createChecks(core: Serving): () => void {
  const begun = new Set<string>();
  return () => {
    for (const entry of core.entries.values()) {
      const { check } = entry.held;
      if (check === null || begun.has(check)) continue;
      begun.add(check);
      core.inBackground(answer(core, entry, check));
    }
  };
}

async function answer({ options, ask, stop, poller }: Serving, { connection }: Entry, check: string): Promise<void> {
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(CHECK_TIMEOUT_MS)]);
  const result = await poller.check(connection, signal).catch((error): CheckResult => {
    options.log("bridge.check_failed", { connection: connection.id, ...describe(error) });
    return { ok: false, detail: "The check did not come to an end; the bridge's log says why", found: {} };
  });
  const answered = await ask(`/checks/${check}`, { method: "POST", json: result, signal: stop.signal });
  await answered.body?.cancel();
}
