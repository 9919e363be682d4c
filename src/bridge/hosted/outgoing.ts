/**
 * Sends what is written to a socket within one turn of the event loop in one piece.
 *
 * The SSH library writes each packet in three pieces, and answers are small: passing each piece to the system costs more
 * than encrypting it. The order stays, and nothing waits for what is written after the turn.
 *
 * While a client does not take what it was sent, it is not read from, so that it cannot request more: the library itself
 * answers much that this server has no part in, such as requests that are not supported.
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Flow } from "./flow.ts";
import type { HostedLimits } from "./limits.ts";

export type Outgoing = ReturnType<typeof writeInOnePiece>;

export interface OutgoingOptions {
  readonly flow: Flow;
  readonly limits: Pick<HostedLimits, "unsentBytes" | "mostUnsentBytes" | "stuckMs">;
}

/** Replaces the socket's `write` and `end`. */
export function writeInOnePiece(socket: Socket, { flow, limits }: OutgoingOptions) {
  const write = socket.write.bind(socket) as (data: Uint8Array, taken: () => void) => boolean;
  const end = socket.end.bind(socket);
  /** Why the socket is not read from. */
  const reason = {};
  const waiters = new Set<() => void>();
  let pieces: Uint8Array[] = [];
  /** Bytes of the pieces, and bytes that the system has not taken yet. */
  let gathered = 0, waiting = 0, movedAt = 0;

  const isFull = () => gathered + waiting > limits.unsentBytes;
  function settle(): void {
    flow(reason, isFull());
    if (!isFull()) wake();
  }
  function wake(): void {
    for (const resolve of waiters) resolve();
    waiters.clear();
  }
  socket.once("close", wake);

  function flush(): void {
    if (pieces.length === 0) return;
    const all = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    pieces = [];
    gathered = 0;
    if (!socket.writable) return;
    if (waiting === 0) movedAt = performance.now();
    waiting += all.length;
    write(all, () => {
      waiting -= all.length;
      movedAt = performance.now();
      settle();
    });
  }

  socket.write = ((data: Uint8Array): boolean => {
    if (pieces.length === 0) setImmediate(flush);
    pieces.push(data);
    gathered += data.length;
    if (gathered + waiting > limits.mostUnsentBytes) socket.destroy();
    else settle();
    return true;
  }) as Socket["write"];
  socket.end = ((...args: Parameters<Socket["end"]>) => {
    flush();
    return end(...args);
  }) as Socket["end"];

  return {
    /** Whether so much waits that nothing should be answered for now. */
    isFull,
    /** Resolves when there is room, when the socket is closed, and after that time in any case. */
    hasRoom: (ms: number) => !isFull() || socket.destroyed ? Promise.resolve() : wait(waiters, ms),
    /** Whether the client has taken nothing of what waits for too long. */
    isStuck: () => waiting > 0 && performance.now() - movedAt > limits.stuckMs,
  };
}

/** Resolves when it is called as one of the waiters, and after that time in any case. */
function wait(waiters: Set<() => void>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    waiters.add(wake);
  });
}
