/** Sends webhooks in the background, for as long as the process runs. */
import type { Hub } from "../../hub.ts";
import { runCourier } from "../../notify/courier.ts";
import type { Holder } from "../../store/lease.ts";
import { type Background, startBackground, type Where } from "./background.ts";

const LOOK_EVERY_MS: Readonly<Record<Where, number>> = { embedded: 250, remote: 2_000 };

export function startCourier(hub: Hub, sender: Holder, database: Where): Background {
  const lookEveryMs = LOOK_EVERY_MS[database];
  return startBackground(hub, "courier", (signal) => runCourier(hub, { sender, lookEveryMs, signal }));
}
