/**
 * Writes a handler's response to its connection. A body that is complete at once is sent with its length; a stream is sent
 * as it comes, no faster than the client reads. If a stream breaks, so does the connection, and the client can tell that
 * the response is incomplete.
 */
import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Hub } from "../hub.ts";
import { errorName } from "./log.ts";

type Reader = ReadableStreamDefaultReader<Uint8Array>;

export async function sendAnswer(response: Response, outgoing: ServerResponse, log: Hub["log"]): Promise<void> {
  const { status } = response;
  const headers = toOutgoing(response.headers);
  if (response.body === null) return void outgoing.writeHead(status, headers).end();
  const reader: Reader = response.body.getReader();
  // A client that disconnects cancels the body at any point.
  const cancel = () => void reader.cancel().catch(() => {});
  outgoing.once("close", cancel);
  try {
    if (outgoing.destroyed) return cancel();
    // An event stream sends its head at once; other bodies wait for their first chunk.
    if (String(headers["content-type"]).startsWith("text/event-stream")) {
      outgoing.writeHead(status, headers).flushHeaders();
    }
    const first = await reader.read();
    const rest = first.done ? null : reader.read();
    const second = rest === null ? first : await Promise.race([rest, soon()]);
    if (second?.done) {
      if (!outgoing.headersSent) outgoing.writeHead(status, { "content-length": first.value?.length ?? 0, ...headers });
      return void outgoing.end(first.value);
    }
    if (!outgoing.headersSent) outgoing.writeHead(status, headers);
    await write(outgoing, first.value!);
    for (let next = await rest!; !next.done; next = await reader.read()) await write(outgoing, next.value);
    outgoing.end();
  } catch (error) {
    // The error's message may contain people's data.
    if (!outgoing.destroyed) log("answer.broken", { error: errorName(error) });
    outgoing.destroy();
  }
}

function toOutgoing(headers: Headers): OutgoingHttpHeaders {
  const outgoing: OutgoingHttpHeaders = {};
  for (const [name, value] of headers) {
    const before = outgoing[name];
    outgoing[name] = before === undefined ? value : [before, value].flat() as string[];
  }
  return outgoing;
}

/** Resolves after everything that is ready now. */
function soon(): Promise<null> {
  return new Promise((resolve) => setImmediate(resolve, null));
}

/** Resolves when there is room for more, or when the connection has ended. */
function write(outgoing: ServerResponse, data: Uint8Array): Promise<void> | void {
  if (outgoing.write(data) || outgoing.destroyed) return;
  return new Promise((resolve) => {
    const done = () => {
      outgoing.off("drain", done);
      outgoing.off("close", done);
      resolve();
    };
    outgoing.on("drain", done);
    outgoing.on("close", done);
  });
}
