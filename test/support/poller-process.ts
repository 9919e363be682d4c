/**
 * A poller as a process of its own, to be killed: it visits what its first argument says, and hands over to the recorder
 * at its second, over HTTP. Its clock is a hundred times as fast as others.
 */
import process from "node:process";
import type { BridgeConnection, BridgeHub, HandedOver } from "../../src/bridge/contract.ts";
import { createPoller } from "../../src/bridge/remote/poller.ts";
import { dialLoopback } from "./remote.ts";

const FASTER = 100;

const connection = JSON.parse(process.argv[2]!) as BridgeConnection;
const recorder = process.argv[3]!;

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const answer = await fetch(`${recorder}${path}`, { method: "POST", ...init });
  if (!answer.ok) throw new Error(`The recorder answers ${answer.status}`);
  return answer;
}

const hub: BridgeHub = {
  connections: () => [connection],
  async handOver(connection, file, signal): Promise<HandedOver> {
    const { name, bytes, modifiedAt } = file;
    const query = new URLSearchParams({
      connection: connection.id,
      name,
      bytes: String(bytes),
      modified_at: String(modifiedAt),
    });
    const answer = await ask(`/hand-over?${query}`, { body: file.open(), duplex: "half", signal } as RequestInit);
    const taken = await answer.json() as Omit<HandedOver, "settle">;
    return { ...taken, settle: async () => void await (await ask(`/settle?run=${taken.run}`)).body?.cancel() };
  },
  async reportListing(_connection, files) {
    await (await ask("/saw", { body: JSON.stringify(files) })).body?.cancel();
  },
  isAlreadyTaken: () => Promise.resolve(false),
  reportHealth: () => {},
};

const start = Date.now();
const now = () => start + (Date.now() - start) * FASTER;
createPoller({ hub, dial: dialLoopback, log: () => {}, now }, {
  clock: {
    now,
    elapsed: () => performance.now() * FASTER,
    after(ms, run) {
      const timer = setTimeout(run, Math.max(0, ms) / FASTER);
      return () => clearTimeout(timer);
    },
  },
});
