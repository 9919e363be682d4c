/** Connectors of strangers that do harm for as long as a measurement takes: a run that has ended is begun again. */
import { fileURLToPath } from "node:url";
import { jsonBody } from "./serving.ts";

/** What each does: a connector of test/support/abuses, and its setting. */
export const HARMS = {
  "a connector that loops": ["loops", "a loop in fetch"],
  "a connector that exits": ["ends", "an exit"],
  "a connector that eats memory": ["memory", "buffers"],
  "a connector that yields without end": ["floods", "rows without end"],
  "a connector that hangs": ["hangs", "hangs"],
} as const;

export type HarmName = keyof typeof HARMS;
export const HARM_NAMES = Object.keys(HARMS) as HarmName[];
export const isHarm = (name: string): name is HarmName => Object.hasOwn(HARMS, name);

/** For MUSTER_CONNECTORS. */
export const HARMFUL = [...new Set(Object.values(HARMS).map(([connector]) => connector))]
  .map((name) => fileURLToPath(new URL(`../test/support/abuses/${name}.ts`, import.meta.url))).join();

/** As many as an organization may read from at a time. */
const CONNECTIONS = 4;

type Call = (token: string, path: string, init?: RequestInit) => Promise<Record<string, unknown>>;

/** Begins, and comes back with what ends it. */
export async function startHarm(call: Call, token: string, name: HarmName): Promise<() => Promise<void>> {
  const [connector, does] = HARMS[name];
  const stop = new AbortController();
  const slugs = Array.from({ length: CONNECTIONS }, (_, n) => `${connector}-${n}`);
  for (const slug of slugs) {
    const settings = { host: "127.0.0.1:1", does }, secrets = { key: "a key of nothing" };
    const json = { connector, name: slug, slug, settings, secrets, schedule: null };
    await call(token, "/v1/connections", jsonBody("POST", json));
  }
  const going = slugs.map(async (slug) => {
    while (!stop.signal.aborted) {
      const { run } = await call(token, `/v1/connections/${slug}/runs`, jsonBody("POST", {}));
      await untilEnded(call, token, (run as { id: string }).id, stop.signal);
    }
  });
  return async () => {
    stop.abort();
    await Promise.all(going);
    for (const slug of slugs) await call(token, `/v1/connections/${slug}`, { method: "DELETE" });
  };
}

/** Cancels the run when it is to stop. */
async function untilEnded(call: Call, token: string, id: string, stop: AbortSignal): Promise<void> {
  for (let isCancelled = false;;) {
    const { status } = await call(token, `/v1/runs/${id}`) as { status: string };
    if (!["queued", "planning", "applying"].includes(status)) return;
    if (stop.aborted && !isCancelled) {
      isCancelled = true;
      await call(token, `/v1/runs/${id}/cancel`, { method: "POST" }).catch(() => {});
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
