/**
 * Requests of one SFTP channel, one after another: what is asked first is done and answered first.
 *
 * A client may ask faster than a disk answers, or ask and not take the answers. Neither fills the memory: the socket is
 * not read from while too much waits. Only where the client has to say that there is room for answers, it must be read on;
 * what comes with that word has a bound. What can be done together, such as writes one behind the other, is one work for
 * many requests, and takes the place of the first.
 */
import type { Socket } from "node:net";
import type { Flow } from "./flow.ts";
import type { Incoming } from "./incoming.ts";
import type { HostedLimits } from "./limits.ts";
import { sleep } from "../../std/sleep.ts";
import type { Outgoing } from "./outgoing.ts";

/** What is done together has no more bytes. */
export const MOST_TOGETHER = 256 * 1024;
/** How soon it is seen that a client has made room; that it takes what it was sent is heard at once. */
const LOOK_AGAIN_MS = 20, LOOK_ANYWAY_MS = 1000;

export interface Requests {
  /** `bytes`: what the request holds in memory while it waits. */
  add(bytes: number, work: () => Promise<void>, canGrow?: boolean): Waiting;
  /**
   * One more request that the work of another does too. False: it has to be added, since that work has begun, has enough
   * to do, or something else was asked for in between.
   */
  join(waiting: Waiting, bytes: number): boolean;
  /** Whether no more should be asked for now. */
  isFull(): boolean;
  /** Another number of bytes is behind. */
  weigh(): void;
  /** Does what was asked for before the channel ended; resolves when that is done. */
  end(): Promise<void>;
}

/** Work that waits for its turn, for so many requests. */
export interface Waiting {
  bytes: number;
  requests: number;
  readonly canGrow: boolean;
  readonly work: () => Promise<void>;
}

export interface RequestsOptions {
  readonly socket: Socket;
  readonly flow: Flow;
  readonly outgoing: Pick<Outgoing, "isFull" | "hasRoom">;
  /** Whether an answer would be sent now; else the client has to say first that there is room. */
  readonly sendsNow: () => boolean;
  readonly limits: Pick<HostedLimits, "waitingRequests" | "waitingBytes" | "stuckMs">;
  /** What has come and was not added, as there was no room for it. */
  readonly incoming: () => Pick<Incoming, "bytes" | "hasMore" | "go">;
  /** So many bytes more, or fewer, wait while the client has not said that there is room for answers. */
  readonly stuck: (bytes: number) => void;
  /** The client is to be sent away. */
  readonly disconnect: () => void;
}

export function createRequests(options: RequestsOptions): Requests {
  const { socket, flow, outgoing, sendsNow, limits, incoming, stuck, disconnect } = options;
  const channel = {};
  const waiting: Waiting[] = [];
  let next = 0, count = 0, held = 0, ended = false, running: Promise<void> | null = null;
  let isStuck = false, weighed = 0;

  const isFull = () => count >= limits.waitingRequests || held >= limits.waitingBytes;

  function weigh(): void {
    flow(channel, (isFull() || incoming().hasMore()) && !isStuck && !ended);
    const before = weighed;
    weighed = isStuck ? held + incoming().bytes : 0;
    if (weighed !== before) stuck(weighed - before);
  }

  function hold(bytes: number): void {
    count++;
    held += bytes;
    weigh();
  }

  /** Waits until the client takes answers. */
  async function room(): Promise<void> {
    const until = performance.now() + limits.stuckMs;
    while (!ended && !socket.destroyed) {
      isStuck = !sendsNow();
      weigh();
      if (!isStuck && !outgoing.isFull()) return;
      if (performance.now() > until) disconnect();
      if (isStuck) await sleep(LOOK_AGAIN_MS);
      else await outgoing.hasRoom(Math.min(limits.stuckMs, LOOK_ANYWAY_MS));
    }
    isStuck = false;
    weigh();
  }

  const isLast = (one: Waiting) => next < waiting.length && waiting[waiting.length - 1] === one;

  /** Waits as long as each look at the socket brings more of the same: each write to the disk has its price. */
  async function gather(one: Waiting): Promise<void> {
    for (let seen = 0; one.canGrow && one.requests > seen && isLast(one) && one.bytes < MOST_TOGETHER && !ended;) {
      seen = one.requests;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async function run(): Promise<void> {
    while (next < waiting.length) {
      await room();
      await gather(waiting[next]!);
      const one = waiting[next]!;
      waiting[next++] = undefined!;
      if (next > 1024) waiting.splice(0, next), next = 0;
      count -= one.requests;
      await one.work();
      held -= one.bytes;
      incoming().go();
      weigh();
    }
    running = null;
  }

  return {
    add(bytes, work, canGrow = false) {
      const one: Waiting = { bytes, requests: 1, canGrow, work };
      if (ended) return one;
      waiting.push(one);
      hold(bytes);
      running ??= run();
      return one;
    },
    join(one, bytes) {
      if (ended || !isLast(one) || one.bytes + bytes > MOST_TOGETHER) return false;
      one.bytes += bytes;
      one.requests++;
      hold(bytes);
      return true;
    },
    isFull,
    weigh,
    async end() {
      ended = true;
      isStuck = false;
      weigh();
      await running;
    },
  };
}
