/**
 * What is written to a socket within one turn of the event loop leaves it in one piece.
 *
 * The SSH library writes each packet in three pieces, and answers are small: to hand each piece to the system costs more
 * than to encrypt it. The order stays, and nothing waits for what comes later than the turn.
 *
 * A client that does not take what it was sent is not read from meanwhile, so that it asks for no more: the library
 * itself answers much that this server has no part in, such as requests for what there is not.
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Flow } from "./flow.ts";
import type { HostedLimits } from "./limits.ts";

export interface Outgoing {
  /** Whether so much waits that nothing should be answered for now. */
  isFull(): boolean;
  /** Resolves when it is not, when the socket is gone, and after so many milliseconds in any case. */
  hasRoom(ms: number): Promise<void>;
  /** Whether nothing of what waits was taken for too long. */
  isStuck(): boolean;
}

export function writeInOnePiece(
  socket: Socket,
  { flow, limits }: {
    readonly flow: Flow;
    readonly limits: Pick<HostedLimits, "unsentBytes" | "mostUnsentBytes" | "stuckMs">;
  },
): Outgoing {
  const write = socket.write.bind(socket) as (data: Uint8Array, taken: () => void) => boolean;
  const end = socket.end.bind(socket);
  const full = {};
  const hoping = new Set<() => void>();
  let pieces: Uint8Array[] = [];
  /** Bytes of the pieces, and bytes that the system has not taken yet. */
  let gathered = 0, waiting = 0, movedAt = 0;

  const isFull = () => gathered + waiting > limits.unsentBytes;
  function settle(): void {
    flow(full, isFull());
    if (!isFull()) wake();
  }
  function wake(): void {
    for (const resolve of hoping) resolve();
    hoping.clear();
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
    isFull,
    async hasRoom(ms) {
      if (!isFull() || socket.destroyed) return;
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        timer = setTimeout(resolve, ms);
        hoping.add(resolve);
      });
      clearTimeout(timer);
    },
    isStuck: () => waiting > 0 && performance.now() - movedAt > limits.stuckMs,
  };
}
