/**
 * What is written to a socket within one turn of the event loop leaves it in one piece.
 *
 * The SSH library writes each packet in three pieces, and answers are small: to hand each piece to the system costs more
 * than to encrypt it. The order stays, and nothing waits for what comes later than the turn.
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";

export function writeInOnePiece(socket: Socket): void {
  const write = socket.write.bind(socket) as (data: Uint8Array) => boolean;
  const end = socket.end.bind(socket);
  let pieces: Uint8Array[] = [];

  function flush(): void {
    if (pieces.length === 0) return;
    const all = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    pieces = [];
    if (socket.writable) write(all);
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
}
