/** What is due: people whose deactivation date has come, and data to delete. Called about once a minute; safe to repeat. */
import { lookAtClocks, unlessQueueFull } from "../sources/clocks.ts";
import type { Hub } from "../hub.ts";
import { LONGEST_LINK_MS } from "../notify/links.ts";
import { disableFailing } from "../notify/switch-off.ts";
import { remindOfHolds } from "../notify/queue-mails.ts";
import { listUnsealed, sealAudit } from "../store/audit.ts";
import { logRun } from "../runs/log.ts";
import { forgetBridgeFiles } from "../store/bridges/bridge-files.ts";
import { forgetBridgeStates } from "../store/bridges/bridge-states.ts";
import { forgetDeliveries } from "../store/notify/deliveries.ts";
import { expireDrops } from "../store/runs/drops.ts";
import { lastDueRun, listAllDue, listOrganizationsWithDue } from "../store/runs/due.ts";
import { forgetEvents } from "../store/notify/events.ts";
import { forgetLinks } from "../store/notify/run-links.ts";
import { forgetRevocations } from "../store/notify/signed-links.ts";
import { forgetMails } from "../store/notify/mails.ts";
import { expireKeys } from "../store/idempotency.ts";
import { forgetNames } from "../store/runs/run-names.ts";
import { queueOnce } from "../store/runs/run-decisions.ts";
import { dateIn, DAY_MS } from "../std/time.ts";

const MAILS_KEPT_MS = 30 * DAY_MS;

export async function tick(hub: Hub): Promise<void> {
  const now = hub.now();
  await expireDrops(hub.db, now);
  await hub.db.write([
    forgetMails(hub.db, now - MAILS_KEPT_MS),
    forgetEvents(hub.db, now - hub.retainDays * DAY_MS),
    ...forgetDeliveries(hub.db, now - hub.retainDays * DAY_MS),
    // Much later than their links have expired, as this clock may be ahead of the one that made them.
    forgetRevocations(hub.db, now - LONGEST_LINK_MS - DAY_MS),
    forgetLinks(hub.db, now),
    ...forgetBridgeFiles(hub.db, now),
    ...forgetBridgeStates(hub.db, now),
    forgetNames(hub.db),
  ]);
  await disableFailing(hub);
  await remindOfHolds(hub);
  for (const organizationId of await listUnsealed(hub.db)) await sealAudit(hub.db, organizationId);
  await expireKeys(hub.db, now);
  await lookAtClocks(hub);
  await queueDue(hub, now);
}

/** Queues a run for each connection with people whose deactivation date has come: once a day. */
async function queueDue(hub: Hub, now: number): Promise<void> {
  for (const { id: organizationId, timezone } of await listOrganizationsWithDue(hub.db, now)) {
    const today = dateIn(timezone, now);
    const due = await listAllDue(hub.db, organizationId, today);
    for (const connectionId of new Set(due.map((user) => user.connectionId))) {
      const last = await lastDueRun(hub.db, connectionId);
      // Protected people, or those of a cancelled run, must not be tried every minute.
      if (last !== null && dateIn(timezone, last) === today) continue;
      const run = await unlessQueueFull(() =>
        queueOnce(hub.db, {
          organizationId,
          connectionId,
          dropId: null,
          trigger: "due",
          mode: "auto",
          entity: "users",
          coverage: "diff",
        }, now)
      );
      if (run === null) continue;
      logRun(hub, { id: run, organizationId, connectionId }, "run.queued", { trigger: "due", mode: "auto" });
      hub.wake();
    }
  }
}
