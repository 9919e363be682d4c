/** Reports the connections' health to the hub, where it has changed. */
import { post } from "../ask-hub.ts";
import { MINUTE_MS } from "../../std/time.ts";
import { oldLeftovers } from "../leftovers.ts";
import type { Health } from "../../model/bridge-wire.ts";
import type { Core, Entry } from "./core.ts";

const REPORTED_AT_ONCE = 200;

export async function sendHealth({ ask, entries, stop, options: { now } }: Core): Promise<void> {
  const news = [...entries.values()].map((entry) => newsOf(entry, now()))
    .filter(({ entry, report }) => entry.reported !== report && entry.look.seenAt !== null);
  for (let from = 0; from < news.length; from += REPORTED_AT_ONCE) {
    const some = news.slice(from, from + REPORTED_AT_ONCE);
    const json: Health = { connections: some.map(({ body }) => body) };
    await post(ask, "/health", json, { attempts: 1, signal: stop.signal });
    for (const { entry, report } of some) entry.reported = report;
  }
}

function newsOf(entry: Entry, now: number) {
  const lying = oldLeftovers(entry.seen, now);
  const { seenAt } = entry.look;
  const trouble = entry.look.trouble ?? entry.notReturned;
  // The time of the last visit alone is worth a report once a minute.
  const report = JSON.stringify([trouble, lying, seenAt === null ? null : Math.floor(seenAt / MINUTE_MS)]);
  return { entry, report, body: { id: entry.connection.id, seen_at: seenAt, trouble, lying } };
}
