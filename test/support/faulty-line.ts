/** A line between two programs on loopback that can be cut, held up or dropped at any byte. */
import { connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";

export interface Fault {
  /** Bytes from the server to the client before it happens, on each connection. */
  readonly afterBytes: number;
  /** `cut`: the connection is reset; `stall`: nothing comes any more, and it stays open. */
  readonly kind: "cut" | "stall";
  /** On how many connections; then none. */
  readonly times?: number;
}

export interface FaultyLine {
  readonly port: number;
  /** What happens on connections from now on; null: nothing. */
  fault: Fault | null;
  /** Bytes that went from the server to the client, on the latest connection. */
  readonly passed: number;
  readonly connections: number;
  close(): void;
}

export async function layLine(t: TestContext, target: number): Promise<FaultyLine> {
  const sockets = new Set<Socket>();
  const line = { port: 0, fault: null as Fault | null, passed: 0, connections: 0, close };
  let happened = 0;
  const server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    const fault = line.fault;
    let passed = 0, isStalled = false;
    line.connections++;
    line.passed = 0;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        if (!isStalled) (socket === client ? upstream : client).destroy();
      });
    }
    client.on("data", (chunk) => {
      if (!isStalled) upstream.write(chunk);
    });
    upstream.on("data", (chunk: Uint8Array) => {
      if (isStalled) return;
      const isDue = fault !== null && happened < (fault.times ?? Infinity) && passed + chunk.length >= fault.afterBytes;
      const some = isDue ? chunk.subarray(0, Math.max(0, fault.afterBytes - passed)) : chunk;
      passed += some.length;
      line.passed = passed;
      if (!client.write(some)) {
        upstream.pause();
        client.once("drain", () => upstream.resume());
      }
      if (!isDue) return;
      happened++;
      if (fault.kind === "stall") isStalled = true;
      else client.end(() => client.resetAndDestroy());
    });
  });
  function close(): void {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(close);
  line.port = (server.address() as { port: number }).port;
  return line;
}
