/**
 * The first moments of a connection, before the SSH library gets it: the server sends its first line, and reads which
 * ciphers the client supports. Then the socket is passed on, with everything that was read put back.
 *
 * A server of the library offers the same algorithms on all connections, and does so right after the client's first line.
 * So the client's list is read first, and decides which of the servers the client gets.
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { type Proposal, readHello } from "./hello.ts";

/** Null: there was no valid list in time. Some clients wait for the server's list before they send their own. */
export type OnProposal = (proposal: Proposal | null) => void;

/**
 * `name`: the name that the library has too. The library sends the first line once more, which is suppressed. `waitMs`: for
 * the client's list, from its first line on. `then` is not called when the client disconnects before.
 */
export function greet(socket: Socket, { name, waitMs }: { name: string; waitMs: number }, then: OnProposal): void {
  const line = Buffer.from(`SSH-2.0-${name}\r\n`);
  let received = Buffer.alloc(0);
  let timer: ReturnType<typeof setTimeout> | undefined;

  function read(chunk: Buffer): void {
    received = Buffer.concat([received, chunk]);
    const hello = readHello(received);
    if (hello.kind === "proposal") passOn(hello.proposal);
    else if (hello.kind === "unclear") passOn(null);
    else if (received.includes(10)) timer ??= setTimeout(() => passOn(null), waitMs);
  }

  function stop(): void {
    clearTimeout(timer);
    socket.off("data", read).off("close", stop);
  }

  function passOn(proposal: Proposal | null): void {
    stop();
    socket.pause();
    socket.unshift(received);
    skipOnce(socket, line);
    then(proposal);
  }

  socket.write(line);
  socket.on("data", read).on("close", stop);
}

/** Suppresses the next write if it is this line. */
function skipOnce(socket: Socket, line: Buffer): void {
  const write = socket.write;
  socket.write = ((data: Uint8Array, ...more: never[]) => {
    socket.write = write;
    return (Buffer.isBuffer(data) && line.equals(data)) || write.call(socket, data, ...more);
  }) as Socket["write"];
}
