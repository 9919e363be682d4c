/** Receivers of webhooks on loopback, each with a manner of its own, and a gate that lets the hub call them. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createOutbound } from "../../src/runtime/outbound.ts";
import { type Outbound, parseAllowHosts } from "../../src/security/outbound.ts";

/** Calls receivers on this machine as if they were far away. */
export const loopback: Outbound = createOutbound(parseAllowHosts("127.0.0.0/8").allow);

export interface Received {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly at: number;
}

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** What is answered; 204 where nothing is said. Without an answer of its own the caller hangs. */
  answer: (request: Received, response: ServerResponse) => void;
  /** Resolves once so many have been received. */
  has(count: number, withinMs?: number): Promise<void>;
  close(): Promise<void>;
}

export async function startReceiver(answer: Receiver["answer"] = (_, response) => void response.writeHead(204).end()) {
  const received: Received[] = [];
  const server: Server = createServer((request: IncomingMessage, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (data) => body += data);
    request.on("end", () => {
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
      const one = { path: request.url!, headers, body, at: Date.now() };
      received.push(one);
      receiver.answer(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", 1024, resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer,
    async has(count, withinMs = 30_000) {
      for (const end = Date.now() + withinMs; received.length < count;) {
        if (Date.now() > end) throw new Error(`${received.length} of ${count} arrived within ${withinMs} ms`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}
