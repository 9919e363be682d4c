/** What is due: people whose deactivation date has come, people to erase, and data to delete. Called about once a minute; safe to repeat. */
import { lookAtClocks, unlessQueueFull } from "../sources/clocks.ts";
import type { Hub } from "../hub.ts";
import { disableFailing } from "../notify/switch-off.ts";
import { remindOfHolds } from "../notify/queue-mails.ts";
import { listUnsealed, sealAudit } from "../store/audit.ts";
import { logRun } from "../runs/log.ts";
import { lastDueRun, listAllDue, listOrganizationsWithDue } from "../store/runs/due.ts";
import { queueOnce } from "../store/runs/run-decisions.ts";
import { dateIn } from "../std/time.ts";
import { applyRetention } from "./retention.ts";
import { sweep } from "./sweep.ts";

export async function tick(hub: Hub): Promise<void> {
  const now = hub.now();
  await sweep(hub);
  await disableFailing(hub);
  await remindOfHolds(hub);
  for (const organizationId of await listUnsealed(hub.db)) await sealAudit(hub.db, organizationId);
  await lookAtClocks(hub);
  await queueDue(hub, now);
  await applyRetention(hub);
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
