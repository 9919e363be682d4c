/**
 * What is written to a socket within one turn of the event loop leaves it in one piece.
 *
 * The SSH library writes each packet in three pieces, and answers are small: to hand each piece to the system costs more
 * than to encrypt it. The order stays, and nothing waits for what comes later than the turn.
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { HostedLimits } from "./limits.ts";

export interface Outgoing {
  /** Whether nothing of what waits was taken for too long. */
  isStuck(): boolean;
}

export function writeInOnePiece(
  socket: Socket,
  limits: Pick<HostedLimits, "unsentBytes" | "stuckMs">,
): Outgoing {
  const write = socket.write.bind(socket) as (data: Uint8Array, taken: () => void) => boolean;
  const end = socket.end.bind(socket);
  let pieces: Uint8Array[] = [];
  let waiting = 0, movedAt = 0;

  function flush(): void {
    if (pieces.length === 0) return;
    const all = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    pieces = [];
    if (!socket.writable) return;
    if (waiting === 0) movedAt = performance.now();
    waiting += all.length;
    if (waiting > limits.unsentBytes) return void socket.destroy();
    write(all, () => {
      waiting -= all.length;
      movedAt = performance.now();
    });
  }

  socket.write = ((data: Uint8Array): boolean => {
    if (pieces.length === 0) setImmediate(flush);
    pieces.push(data);
    return true;
  }) as Socket["write"];
  socket.end = ((...args: Parameters<Socket["end"]>) => {
    flush();
    return end(...args);
  }) as Socket["end"];
  return { isStuck: () => waiting > 0 && performance.now() - movedAt > limits.stuckMs };
}
