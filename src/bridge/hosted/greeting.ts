/**
 * The first moments of a connection, before the SSH library has it: the server names itself, and hears which ciphers the
 * client speaks. Then the socket is given on, with everything that was heard still to be read from it.
 *
 * The library sends what it offers as soon as it knows the client's name, and every connection of one server the same.
 * So the client is heard first, and what it said decides which server it gets.
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { type Proposal, readHello } from "./hello.ts";

/** Gives null where nothing clear was said in time: some clients wait for the server's list before they send their own. */
export type Heard = (proposal: Proposal | null) => void;

/**
 * `name`: as the library is told it, for it names the server once more, which the client does not get to see. `waitMs`:
 * for the client's list, from its name on. Nobody is called where the client goes before.
 */
export function greet(socket: Socket, { name, waitMs }: { name: string; waitMs: number }, then: Heard): void {
  const line = Buffer.from(`SSH-2.0-${name}\r\n`);
  let heard = Buffer.alloc(0);
  let timer: ReturnType<typeof setTimeout> | undefined;

  function hear(chunk: Buffer): void {
    heard = Buffer.concat([heard, chunk]);
    const hello = readHello(heard);
    if (hello.kind === "proposal") giveOn(hello.proposal);
    else if (hello.kind === "unclear") giveOn(null);
    else if (heard.includes(10)) timer ??= setTimeout(() => giveOn(null), waitMs);
  }

  function stop(): void {
    clearTimeout(timer);
    socket.off("data", hear).off("close", stop);
  }

  function giveOn(proposal: Proposal | null): void {
    stop();
    socket.pause();
    socket.unshift(heard);
    skipOnce(socket, line);
    then(proposal);
  }

  socket.write(line);
  socket.on("data", hear).on("close", stop);
}

/** Does not write the next thing that is written, if it is this. */
function skipOnce(socket: Socket, line: Buffer): void {
  const write = socket.write;
  socket.write = ((data: Uint8Array, ...more: never[]) => {
    socket.write = write;
    return (Buffer.isBuffer(data) && line.equals(data)) || write.call(socket, data, ...more);
  }) as Socket["write"];
}
