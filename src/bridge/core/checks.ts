/** Checks of remote servers that admins ask for: the bridge tries the server, and posts the result to the hub. */
import { post } from "../ask-hub.ts";
import type { CheckResult } from "../contract.ts";
import type { Entry, Serving } from "./core.ts";
import { describe } from "./failures.ts";

const CHECK_TIMEOUT_MS = 30_000;

/** Returns what starts each new check once. To be called after every refresh. */
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
    return { ok: false, detail: "The check failed; the bridge's log has the reason", found: {} };
  });
  await post(ask, `/checks/${check}`, result, { signal: stop.signal });
}
