/**
 * Deletes what is kept for a time only: drops, mails, events, deliveries, keys of idempotent requests. A hub that serves
 * does so about once a minute, and a command after its work, because there may be no hub that serves.
 */
import type { Hub } from "../hub.ts";
import { LONGEST_LINK_MS } from "../notify/links.ts";
import { forgetBridgeFiles } from "../store/bridges/bridge-files.ts";
import { forgetBridgeStates } from "../store/bridges/bridge-states.ts";
import { expireKeys } from "../store/idempotency.ts";
import { forgetDeliveries } from "../store/notify/deliveries.ts";
import { forgetEvents } from "../store/notify/events.ts";
import { forgetMails } from "../store/notify/mails.ts";
import { forgetSessions } from "../store/sessions.ts";
import { forgetLinks } from "../store/notify/run-links.ts";
import { forgetRevocations } from "../store/notify/signed-links.ts";
import { forgetMerges } from "../store/people/merges.ts";
import { expireDrops } from "../store/runs/drops.ts";
import { forgetNames } from "../store/runs/run-names.ts";
import { DAY_MS } from "../std/time.ts";

const MAILS_KEPT_MS = 30 * DAY_MS;

/** Safe to repeat. `isOver`: whether to leave the rest for the next time; asked between batches. */
export async function sweep(hub: Hub, isOver: () => boolean = () => false): Promise<void> {
  const { db, retainDays } = hub;
  const now = hub.now();
  await expireDrops(db, now, isOver);
  if (isOver()) return;
  await db.write([
    forgetMails(db, now - MAILS_KEPT_MS),
    forgetEvents(db, now - retainDays * DAY_MS),
    ...forgetDeliveries(db, now - retainDays * DAY_MS),
    // Much later than their links have expired, as this clock may be ahead of the one that made them.
    forgetRevocations(db, now - LONGEST_LINK_MS - DAY_MS),
    forgetLinks(db, now),
    ...forgetSessions(db, now),
    ...forgetBridgeFiles(db, now),
    ...forgetBridgeStates(db, now),
    forgetNames(db),
    forgetMerges(db, now),
  ]);
  await expireKeys(db, now);
}

/** How long a command goes on for this after its work. */
const BRIEF_MS = 1_500;
/** The file is written anew only where that makes it much smaller, and what is left is written within a second or two. */
const MIN_FREE_BYTES = 16 * 1024 * 1024, MIN_FREE_SHARE = 1 / 2, MAX_USED_BYTES = 256 * 1024 * 1024;

/**
 * Sweeps for a second or two, and then writes the database's file anew if most of it is free. What is not done is left for
 * the next time, also where another process uses the file.
 */
export async function sweepBriefly(hub: Hub, elapsed: () => number = () => performance.now()): Promise<void> {
  const until = elapsed() + BRIEF_MS;
  await sweep(hub, () => elapsed() >= until);
  const { file } = hub.db;
  if (file === undefined) return;
  const { free, total } = await file.room();
  const isMuch = free >= MIN_FREE_BYTES && free >= total * MIN_FREE_SHARE && total - free <= MAX_USED_BYTES;
  if (isMuch) await file.compact();
}
