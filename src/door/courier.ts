/** Sends webhooks beside everything else that the process does, from its start to its end. */
import { setMaxListeners } from "node:events";
import type { Hub } from "../hub.ts";
import { runCourier } from "../notify/courier.ts";
import type { DeliverySender } from "../store/deliveries.ts";
import { describeError } from "./log.ts";

/** Looking into a file costs nothing; a server is asked over the network each time. */
const LOOK_EVERY_MS = { embedded: 250, remote: 2_000 };
/** Pause after a failure of the hub itself, not of a receiver. */
const AFTER_FAILURE_MS = 5_000;

export interface Courier {
  /** Breaks off what is being sent; it is sent again at the next start, or by another process. */
  stop(): Promise<void>;
}

export function startCourier(hub: Hub, sender: DeliverySender, database: keyof typeof LOOK_EVERY_MS): Courier {
  const stopping = new AbortController();
  const { signal } = stopping;
  // Each attempt in flight listens; Node warns of more than ten, taking them for forgotten ones.
  setMaxListeners(0, signal);
  const ended = (async () => {
    while (!signal.aborted) {
      try {
        await runCourier(hub, { sender, lookEveryMs: LOOK_EVERY_MS[database], signal });
      } catch (error) {
        hub.log("courier.failed", describeError(error));
        await pause(AFTER_FAILURE_MS, signal);
      }
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
