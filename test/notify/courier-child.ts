/** A process that makes events happen and sends them, until somebody kills it; or that only sends what is left. */
import process from "node:process";
import { openDatabase } from "../../src/runtime/database.ts";
import { createOwner } from "../../src/runtime/owner.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { runCourier } from "../../src/notify/courier.ts";
import { createSecrets } from "../../src/security/secrets.ts";
import { eventStatements } from "../../src/store/notify/events.ts";
import { loopback } from "../support/receiver.ts";

const [path, key, organization, task] = process.argv.slice(2);
const { db } = await openDatabase({ url: `file:${path}`, authToken: null, role: "alone" });
const hub = {
  db,
  registry: createRegistry(),
  now: Date.now,
  secrets: await createSecrets([key!]),
  outbound: loopback,
  publicUrl: "http://hub.example.com",
  retainDays: 30,
  wake: () => {},
  log: () => {},
};
const owner = createOwner();
const sender = { name: owner.name, isGone: owner.isGone };
console.log("began");
if (task === "rest") {
  await runCourier(hub, { sender, lookEveryMs: 5, untilIdle: true });
  db.close();
  process.exit(0);
}
void runCourier(hub, { sender, lookEveryMs: 5 });
for (;;) {
  const event = {
    organizationId: Number(organization),
    type: "run.completed" as const,
    runId: null,
    connectionId: null,
    data: { run: {} },
  };
  await db.write(eventStatements(db, [event, event, event], Date.now()));
  await new Promise((resolve) => setTimeout(resolve, 5));
}
