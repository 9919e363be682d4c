/**
 * Requests of one SFTP channel, one after another: what is asked first is done and answered first.
 *
 * A client may ask faster than a disk answers, or ask and not take the answers. Neither fills the memory: the socket is
 * not read from while too much waits, and a client that lets its answers lie is asked no more of. What can be done
 * together, such as writes one behind the other, is one work for many requests, and takes the place of the first.
 */
import type { Socket } from "node:net";
import type { HostedLimits } from "./limits.ts";
import { sleep } from "../../std/sleep.ts";

/** What waits in front of the socket: beyond this nothing is answered until the client has taken some. */
const MOST_UNSENT = 1024 * 1024;
/** What is done together has no more bytes. */
export const MOST_TOGETHER = 256 * 1024;
/** How soon it is seen that a client takes its answers again. */
const LOOK_AGAIN_MS = 20;

export interface Requests {
  /** `bytes`: what the request holds in memory while it waits. */
  add(bytes: number, work: () => Promise<void>, canGrow?: boolean): Waiting;
  /**
   * One more request that the work of another does too. False: it has to be added, since that work has begun, has enough
   * to do, or something else was asked for in between.
   */
  join(waiting: Waiting, bytes: number): boolean;
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

/** Of one socket: the channels for whose sake it should not be read from. */
export interface Flow {
  full(channel: object, isFull: boolean): void;
  /** The client has given this channel no room to answer, so its word that there is must be read. */
  stuck(channel: object, isStuck: boolean): void;
}

export function createFlow(socket: Socket): Flow {
  const full = new Set<object>(), stuck = new Set<object>();
  let paused = false;
  function settle(): void {
    const should = full.size > 0 && stuck.size === 0;
    if (should === paused) return;
    paused = should;
    if (should) socket.pause();
    else socket.resume();
  }
  const note = (set: Set<object>, channel: object, is: boolean) => {
    if (is) set.add(channel);
    else set.delete(channel);
    settle();
  };
  return {
    full: (channel, is) => note(full, channel, is),
    stuck: (channel, is) => note(stuck, channel, is),
  };
}

export function createRequests(
  { socket, flow, window, limits, giveUp }: {
    readonly socket: Socket;
    readonly flow: Flow;
    /** Bytes that the client takes at the moment. */
    readonly window: () => number;
    readonly limits: Pick<HostedLimits, "waitingRequests" | "waitingBytes" | "mostRequests" | "stuckMs">;
    readonly giveUp: () => void;
  },
): Requests {
  const channel = {};
  const waiting: Waiting[] = [];
  let next = 0, count = 0, held = 0, ended = false, running: Promise<void> | null = null;

  function noteFull(): void {
    flow.full(channel, !ended && (count > limits.waitingRequests || held > limits.waitingBytes));
  }

  /** False: the client is sent away. */
  function hold(bytes: number): boolean {
    count++;
    held += bytes;
    // What holds this much could only be read because the client was stuck, and went on asking.
    const isTooMuch = count > limits.mostRequests || held > limits.waitingBytes + limits.mostRequests * 1024;
    if (isTooMuch) giveUp();
    else noteFull();
    return !isTooMuch;
  }

  /** Waits until the client takes answers. */
  async function room(): Promise<void> {
    const until = performance.now() + limits.stuckMs;
    while (!ended && !socket.destroyed) {
      const noWindow = window() === 0;
      flow.stuck(channel, noWindow);
      if (!noWindow && socket.writableLength < MOST_UNSENT) return;
      if (performance.now() > until) giveUp();
      await sleep(LOOK_AGAIN_MS);
    }
    flow.stuck(channel, false);
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
      noteFull();
    }
    running = null;
  }

  return {
    add(bytes, work, canGrow = false) {
      const one: Waiting = { bytes, requests: 1, canGrow, work };
      if (ended) return one;
      waiting.push(one);
      if (hold(bytes)) running ??= run();
      return one;
    },
    join(one, bytes) {
      if (ended || !isLast(one) || one.bytes + bytes > MOST_TOGETHER) return false;
      one.bytes += bytes;
      one.requests++;
      hold(bytes);
      return true;
    },
    async end() {
      ended = true;
      flow.stuck(channel, false);
      noteFull();
      await running;
    },
  };
}
