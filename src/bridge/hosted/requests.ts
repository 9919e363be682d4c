/**
 * The requests of one SFTP channel, done and answered one after another in the order in which they came.
 *
 * A client may send requests faster than a disk answers, or send them and not take the answers. Neither fills the memory:
 * the socket is not read from while too much waits. Only while the client has to announce room for answers, the socket has
 * to be read; what comes with that announcement has a limit. Requests that can be done together, such as adjacent writes,
 * are one piece of work in the place of the first.
 */
import type { Socket } from "node:net";
import { sleep } from "../../std/sleep.ts";
import type { Flow } from "./flow.ts";
import type { Incoming } from "./incoming.ts";
import type { HostedLimits } from "./limits.ts";
import type { Outgoing } from "./outgoing.ts";

/** The most bytes of requests that are done together. */
export const MOST_TOGETHER = 256 * 1024;
/** How soon it is noticed that a client has made room. That it takes what it was sent is noticed at once. */
const LOOK_AGAIN_MS = 20, LOOK_ANYWAY_MS = 1000;

export type Requests = ReturnType<typeof createRequests>;

/** Work that waits for its turn, for one request or several. */
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
  /** Whether an answer would be sent now; otherwise the client has to announce room first. */
  readonly sendsNow: () => boolean;
  readonly limits: Pick<HostedLimits, "waitingRequests" | "waitingBytes" | "stuckMs">;
  /** What has come and was not added, as there was no room for it. */
  readonly incoming: () => Pick<Incoming, "bytes" | "hasMore" | "go">;
  /** How many more bytes, or fewer, wait while the client has not announced room for answers. */
  readonly stuck: (bytes: number) => void;
}

type Queue = ReturnType<typeof createQueue>;

function createQueue(options: RequestsOptions) {
  return {
    ...options,
    /** Work in front of `next` has begun. */
    waiting: [] as Waiting[],
    next: 0,
    /** Requests that wait, and bytes of those that wait or are being done. */
    count: 0,
    bytes: 0,
    hasEnded: false,
    /** The client has not announced room for answers. */
    isStuck: false,
    /** Bytes that were reported as stuck. */
    stuckBytes: 0,
    /** Null: no request is being done. */
    running: null as Promise<void> | null,
  };
}

export function createRequests(options: RequestsOptions) {
  const queue = createQueue(options);

  function hold(bytes: number): void {
    queue.count++;
    queue.bytes += bytes;
    weigh(queue);
  }

  return {
    /** `bytes`: what the request occupies in memory while it waits. */
    add(bytes: number, work: () => Promise<void>, canGrow = false): Waiting {
      const one: Waiting = { bytes, requests: 1, canGrow, work };
      if (queue.hasEnded) return one;
      queue.waiting.push(one);
      hold(bytes);
      queue.running ??= run(queue);
      return one;
    },
    /**
     * Adds one more request to the work of another. False: it has to be added by itself, since that work has begun or is
     * full, or another request came in between.
     */
    join(one: Waiting, bytes: number): boolean {
      if (queue.hasEnded || !isLast(queue, one) || one.bytes + bytes > MOST_TOGETHER) return false;
      one.bytes += bytes;
      one.requests++;
      hold(bytes);
      return true;
    },
    /** Whether no more requests should come for now. */
    isFull: () => isFull(queue),
    /** To be called when the number of bytes in `incoming` has changed. */
    weigh: () => weigh(queue),
    /** Does what came before the channel ended; resolves when that is done. */
    async end(): Promise<void> {
      queue.hasEnded = true;
      queue.isStuck = false;
      weigh(queue);
      await queue.running;
    },
  };
}

async function run(queue: Queue): Promise<void> {
  const { waiting, incoming } = queue;
  while (queue.next < waiting.length) {
    await untilRoom(queue);
    const one = waiting[queue.next]!;
    await gather(queue, one);
    waiting[queue.next++] = undefined!;
    if (queue.next > 1024) waiting.splice(0, queue.next), queue.next = 0;
    queue.count -= one.requests;
    await one.work();
    queue.bytes -= one.bytes;
    incoming().go();
    weigh(queue);
  }
  // In the same step as the last look at the queue, so that work that is added later starts it again.
  queue.running = null;
}

/** Waits until the client takes answers. */
async function untilRoom(queue: Queue): Promise<void> {
  const { socket, outgoing, limits, sendsNow } = queue;
  const until = performance.now() + limits.stuckMs;
  while (!queue.hasEnded && !socket.destroyed) {
    queue.isStuck = !sendsNow();
    weigh(queue);
    if (!queue.isStuck && !outgoing.isFull()) return;
    if (performance.now() > until) socket.destroy();
    if (queue.isStuck) await sleep(LOOK_AGAIN_MS);
    else await outgoing.hasRoom(Math.min(limits.stuckMs, LOOK_ANYWAY_MS));
  }
  queue.isStuck = false;
  weigh(queue);
}

/** Waits while each turn of the event loop brings more of the same: every write to the disk has its price. */
async function gather(queue: Queue, one: Waiting): Promise<void> {
  let seen = 0;
  while (one.canGrow && one.requests > seen && isLast(queue, one) && one.bytes < MOST_TOGETHER && !queue.hasEnded) {
    seen = one.requests;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function isLast({ waiting, next }: Queue, one: Waiting): boolean {
  return next < waiting.length && waiting.at(-1) === one;
}

function isFull({ count, bytes, limits }: Queue): boolean {
  return count >= limits.waitingRequests || bytes >= limits.waitingBytes;
}

/** Stops or resumes reading from the socket, and reports how much is stuck. */
function weigh(queue: Queue): void {
  const { flow, incoming, stuck, isStuck } = queue;
  // The queue itself is the reason: the same each time.
  flow(queue, (isFull(queue) || incoming().hasMore()) && !isStuck && !queue.hasEnded);
  const before = queue.stuckBytes;
  queue.stuckBytes = isStuck ? queue.bytes + incoming().bytes : 0;
  if (queue.stuckBytes !== before) stuck(queue.stuckBytes - before);
}
