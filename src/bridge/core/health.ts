/** Tells the hub how the connections do, where that is news. */
import { MINUTE_MS } from "../../std/time.ts";
import { longLying } from "../lying.ts";
import type { Health } from "../../model/bridge-wire.ts";
import type { Core, Entry } from "./core.ts";

const TOLD_AT_ONCE = 200;

export async function reportHealth({ ask, entries, stop, options: { now } }: Core): Promise<void> {
  const news = [...entries.values()].map((entry) => newsOf(entry, now()))
    .filter(({ entry, report }) => entry.reported !== report && entry.look.seenAt !== null);
  for (let from = 0; from < news.length; from += TOLD_AT_ONCE) {
    const some = news.slice(from, from + TOLD_AT_ONCE);
    const json: Health = { connections: some.map(({ body }) => body) };
    const done = await ask("/health", { method: "POST", json, attempts: 1, signal: stop.signal });
    await done.body?.cancel();
    for (const { entry, report } of some) entry.reported = report;
  }
}

function newsOf(entry: Entry, now: number) {
  const lying = longLying(entry.seen, now);
  const { seenAt } = entry.look;
  const trouble = entry.look.trouble ?? entry.notReturned;
  // The time of the last look is worth a report once a minute.
  const report = JSON.stringify([trouble, lying, seenAt === null ? null : Math.floor(seenAt / MINUTE_MS)]);
  return { entry, report, body: { id: entry.connection.id, seen_at: seenAt, trouble, lying } };
}
