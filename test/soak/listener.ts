/** A receiver of webhooks that notes what came, and whether the same event was being sent twice at once. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Listener {
  readonly url: string;
  /** How many times each event came, in the order in which each came first. */
  readonly events: ReadonlyMap<string, number>;
  /** Events that came while they were being sent already. */
  readonly doubled: readonly string[];
  close(): Promise<void>;
}

const TAKES_MS = [0, 5, 40];

export async function startListener(number: number): Promise<Listener> {
  const events = new Map<string, number>(), open = new Set<string>(), doubled: string[] = [];
  const server = createServer((request, response) => {
    const id = String(request.headers["webhook-id"]);
    if (open.has(id)) doubled.push(id);
    open.add(id);
    // A sender that is killed closes its connection.
    response.on("close", () => open.delete(id));
    request.resume().on("end", () => {
      events.set(id, (events.get(id) ?? 0) + 1);
      setTimeout(() => response.writeHead(204).end(), TAKES_MS[number % TAKES_MS.length]);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", 1024, resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${number}`,
    events,
    doubled,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
