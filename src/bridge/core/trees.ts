/** Care of the hosted trees: erasing people from them, and setting aside those of deleted connections. */
import { post } from "../ask-hub.ts";
import type { HostedServer } from "../contract.ts";
import type { Serving } from "./core.ts";
import type { Erased, GoneTrees, Health, TreeErasure } from "../../model/bridge-wire.ts";

/** How often the bridge looks for trees of deleted connections; it also does when a connection goes. */
const TEND_MS = 3_600_000, AFTER_FAILURE_MS = 60_000;
const ASKED_AT_ONCE = 100, MAX_REPORTED = 1000;

/** Returns what starts the erasures that the hub asks for. To be called after every refresh. */
export function createErasures(core: Serving): () => void {
  const erasing = new Set<string>();
  return () => {
    const { server } = core;
    if (server === null) return;
    for (const erasure of core.toErase) {
      const entry = core.entries.get(erasure.connection);
      // A report that is being written there now may still hold the person.
      if (entry?.busy === true || erasing.has(erasure.connection)) continue;
      erasing.add(erasure.connection);
      if (entry !== undefined) entry.busy = true;
      core.inBackground(
        erase(core, server, erasure).finally(() => {
          erasing.delete(erasure.connection);
          if (entry !== undefined) entry.busy = false;
        }),
      );
    }
  };
}

/** Confirmed once it is done and on disk; a bridge that is killed before does it again. */
async function erase({ ask, stop, options }: Serving, server: HostedServer, erasure: TreeErasure): Promise<void> {
  const { connection, organization, asked_at } = erasure;
  const { isDone, waiting } = await server.erase(connection, organization, asked_at);
  if (!isDone) return;
  const json: Erased = { connection, asked_at, waiting };
  await post(ask, "/erasures", json, { signal: stop.signal });
  options.log("bridge.erased", { connection });
}

/** When it is due: sets trees of deleted connections aside, and reports to the hub what is aside. */
export async function tendTrees(core: Serving): Promise<void> {
  const { ask, stop, server, options: { now } } = core;
  if (server === null || core.tendAt > now()) return;
  core.tendAt = now() + TEND_MS;
  try {
    const aside = await server.tend((ids) => listGone(core, ids));
    const json: Health = { connections: [], set_aside: aside.slice(0, MAX_REPORTED) };
    await post(ask, "/health", json, { signal: stop.signal });
  } catch (error) {
    core.tendAt = now() + AFTER_FAILURE_MS;
    throw error;
  }
}

async function listGone({ ask, stop }: Serving, ids: readonly string[]): Promise<string[]> {
  const gone: string[] = [];
  for (let from = 0; from < ids.length; from += ASKED_AT_ONCE) {
    const some = new URLSearchParams({ connections: ids.slice(from, from + ASKED_AT_ONCE).join() });
    const answer = await ask(`/trees?${some}`, { signal: stop.signal });
    gone.push(...(await answer.json() as GoneTrees).gone);
  }
  return gone;
}
