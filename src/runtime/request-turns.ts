/** Lets requests begin in turns (pace.ts), driven by the event loop of the HTTP server. */
import type { IncomingMessage } from "node:http";
import { setImmediate } from "node:timers";
import type { ListenAt } from "./command.ts";
import { createPace } from "../std/pace.ts";
import { networkOf } from "../security/rates.ts";

export interface RequestTurns {
  /** A connection was accepted. */
  connected(): void;
  /**
   * Calls `begin` when the request may begin. Returns a function that removes it from the queue, or undefined if `begin` was
   * called at once. `address`: the client's; null: it is not known.
   */
  wait(incoming: IncomingMessage, address: string | null, begin: () => void): (() => void) | undefined;
}

/** Before the next request begins, new connections are accepted for at most CONNECTING_MS, until QUIET_TURNS bring none. */
const CONNECTING_MS = 5, QUIET_TURNS = 12;

export function createRequestTurns(whose: ListenAt["whose"] = () => undefined): RequestTurns {
  let connected = 0;
  const pace = createPace((next) => {
    const from = performance.now();
    // A runtime may need several turns of its loop for a new connection, which should not wait for a request in each.
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
      // All clients that are not authorized yet share one turn.
      if (group === undefined) return pace.turn("strangers", networkOf(address ?? ""), begin);
      return pace.turn(group, authorization!, begin);
    },
  };
}
