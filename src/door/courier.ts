/** Sends webhooks beside everything else that the process does, from its start to its end. */
import type { Hub } from "../hub.ts";
import { runCourier } from "../notify/courier.ts";
import type { DeliverySender } from "../store/deliveries.ts";
import { describeError } from "./log.ts";

const LOOK_EVERY_MS = 250;
/** Pause after a failure of the hub itself, not of a receiver. */
const AFTER_FAILURE_MS = 5_000;

export interface Courier {
  /** Breaks off what is being sent; it is sent again at the next start, or by another process. */
  stop(): Promise<void>;
}

export function startCourier(hub: Hub, sender: DeliverySender): Courier {
  const stopping = new AbortController();
  const { signal } = stopping;
  const ended = (async () => {
    while (!signal.aborted) {
      try {
        await runCourier(hub, { sender, lookEveryMs: LOOK_EVERY_MS, signal });
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
