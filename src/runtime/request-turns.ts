/** Which request begins next (pace.ts), as the event loop of an HTTP server has it. */
import type { IncomingMessage } from "node:http";
import { setImmediate } from "node:timers";
import type { ListenAt } from "./command.ts";
import { createPace } from "../std/pace.ts";
import { networkOf } from "../security/rates.ts";

export interface RequestTurns {
  /** A connection has come. */
  connected(): void;
  /**
   * Calls `begin` when the request may begin; gives what takes it out again, or undefined if it was called at once.
   * `address`: of its client; null: not known.
   */
  wait(incoming: IncomingMessage, address: string | null, begin: () => void): (() => void) | undefined;
}

/** How long connections that come have the event loop before the next request, and turns of it in which none has come. */
const CONNECTING_MS = 5, QUIET_TURNS = 12;

export function createRequestTurns(whose: ListenAt["whose"] = () => undefined): RequestTurns {
  let connected = 0;
  const pace = createPace((next) => {
    const from = performance.now();
    // A runtime may need some turns of its loop for each new connection. None should wait there for as long as requests do.
    let ms: number | null = null, before = connected, quiet = 0;
    const look = () => {
      const passed = performance.now() - from;
      ms ??= passed;
      quiet = connected === before ? quiet + 1 : 0;
      before = connected;
      if (quiet === QUIET_TURNS || passed - ms > CONNECTING_MS) next(ms);
      else setImmediate(look);
    };
    setImmediate(look);
  });
  return {
    connected: () => void connected++,
    wait({ headers: { authorization } }, address, begin) {
      const group = whose(authorization);
      // All who have shown nothing yet take turns with each of the others as if they were one.
      if (group === undefined) return pace.turn("strangers", networkOf(address ?? ""), begin);
      return pace.turn(group, authorization!, begin);
    },
  };
}
