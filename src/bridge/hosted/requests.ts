/**
 * Requests of one SFTP channel, one after another: what is asked first is done and answered first.
 *
 * A client may ask faster than a disk answers, or ask and not take the answers. Neither fills the memory: the socket is
 * not read from while too much waits, and a client that lets its answers lie is asked no more of.
 */
import type { Socket } from "node:net";
import type { HostedLimits } from "./limits.ts";

/** What waits in front of the socket: beyond this nothing is answered until the client has taken some. */
const MOST_UNSENT = 1024 * 1024;
/** How soon it is seen that a client takes its answers again. */
const LOOK_AGAIN_MS = 20;

export interface Requests {
  /** `bytes`: what the request holds in memory while it waits. */
  add(bytes: number, work: () => Promise<void>): void;
  /** Does what was asked for before the channel ended; resolves when that is done. */
  end(): Promise<void>;
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
    readonly limits: Pick<HostedLimits, "waitingRequests" | "waitingBytes" | "mostRequests">;
    readonly giveUp: () => void;
  },
): Requests {
  const channel = {};
  const waiting: { bytes: number; work: () => Promise<void> }[] = [];
  let next = 0, held = 0, ended = false, running: Promise<void> | null = null;

  const count = () => waiting.length - next;
  function noteFull(): void {
    flow.full(channel, !ended && (count() > limits.waitingRequests || held > limits.waitingBytes));
  }

  /** Waits until the client takes answers. */
  async function room(): Promise<void> {
    while (!ended && !socket.destroyed) {
      const noWindow = window() === 0;
      flow.stuck(channel, noWindow);
      if (!noWindow && socket.writableLength < MOST_UNSENT) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
    flow.stuck(channel, false);
  }

  async function run(): Promise<void> {
    while (next < waiting.length) {
      await room();
      const { bytes, work } = waiting[next]!;
      waiting[next++] = undefined!;
      if (next > 1024) waiting.splice(0, next), next = 0;
      await work();
      held -= bytes;
      noteFull();
    }
    running = null;
  }

  return {
    add(bytes, work) {
      if (ended) return;
      waiting.push({ bytes, work });
      held += bytes;
      // What holds this much could only be read because the client was stuck, and went on asking.
      if (count() > limits.mostRequests || held > limits.waitingBytes + limits.mostRequests * 1024) return giveUp();
      noteFull();
      running ??= run();
    },
    async end() {
      ended = true;
      flow.stuck(channel, false);
      noteFull();
      await running;
    },
  };
}
