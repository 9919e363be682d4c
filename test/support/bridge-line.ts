/** The line between a bridge and its hub, both processes of their own: it tells of every step that passes. */
import { Agent, createServer, type IncomingMessage, request as ask, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a bridge asks. */
const STEPS: readonly (readonly [step: string, method: string, path: RegExp])[] = [
  ["hello", "POST", /\/hello$/],
  ["connections", "POST", /\/connections$/],
  ["secrets", "POST", /\/secrets$/],
  ["log-in", "POST", /\/logins$/],
  ["open", "POST", /\/connections\/[^/]+\/uploads$/],
  ["part", "PUT", /\/parts\/\d+$/],
  ["seal", "POST", /\/seal$/],
  ["settle", "POST", /\/settle$/],
  ["report", "GET", /\/report$/],
  ["returned", "POST", /\/returned$/],
  ["erased", "POST", /\/erasures$/],
  ["health", "POST", /\/health$/],
];

/** Not sent yet; half of the body sent; all of it sent; the answer is here; the bridge has it. */
export type Moment = "asked" | "half" | "sent" | "answered" | "told";

export interface BridgeLine {
  readonly url: string;
  close(): void;
}

/** `passes` is called at each moment of each request, before the next one; true: the line breaks there. */
export async function layBridgeLine(
  hubPort: number,
  passes: (step: string, moment: Moment) => boolean,
): Promise<BridgeLine> {
  const agent = new Agent({ keepAlive: false });

  async function pass(from: IncomingMessage, to: ServerResponse): Promise<void> {
    const { method, url, headers } = from;
    const step = STEPS.find(([, verb, path]) => verb === method && path.test(url!.split("?")[0]!))?.[0] ?? "other";
    const body = await readAll(from);
    if (passes(step, "asked")) return void to.destroy();
    const answer = await new Promise<{ status: number; headers: IncomingMessage["headers"]; body: Uint8Array }>(
      (resolve, reject) => {
        const onward = ask({ port: hubPort, host: "127.0.0.1", method, path: url, headers, agent }, (incoming) => {
          readAll(incoming).then(
            (body) => resolve({ status: incoming.statusCode!, headers: incoming.headers, body }),
            reject,
          );
        });
        onward.on("error", reject);
        const middle = Math.floor(body.length / 2);
        onward.write(body.subarray(0, middle), () => {
          if (passes(step, "half")) reject(new Error("The line broke"));
          onward.end(body.subarray(middle), () => passes(step, "sent") && reject(new Error("The line broke")));
        });
      },
    );
    if (passes(step, "answered")) return void to.destroy();
    to.writeHead(answer.status, answer.headers);
    to.end(answer.body, () => passes(step, "told"));
  }

  const server = createServer((from, to) => void pass(from, to).catch(() => to.destroy()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Fails where the other end is gone before it has said all. */
async function readAll(message: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of message) chunks.push(chunk);
  if (!message.complete) throw new Error("It broke off");
  return new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}
