/** A hub and a bridge beside it, each a process of its own, as an operator starts them. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { createTokenText } from "../../src/security/token.ts";
import { layBridgeLine, type Moment } from "./bridge-line.ts";
import { until } from "./bridging.ts";
import { fetch } from "./checked.ts";
import { type Killable, startKillable } from "./killable.ts";
import { freePort } from "./sshd.ts";

/** Asks the hub as its operator: GET, or POST where there is `json`; fails unless it is answered with success. */
// deno-lint-ignore no-explicit-any
export type AskHub = (path: string, json?: unknown) => Promise<any>;

const ANSWERED_WITHIN_MS = 60_000;

export interface Apart {
  readonly hub: Killable;
  readonly bridge: Killable;
  readonly ask: AskHub;
  readonly url: string;
  readonly admin: string;
  readonly sftpPort: number;
  /** What the hub was started with. */
  readonly env: Record<string, string>;
}

export interface ApartOptions {
  readonly dataDir: string;
  readonly sftpDir: string;
  /** Beside what a bridge needs. */
  readonly bridgeEnv?: Record<string, string>;
  /** Gets the events of the hub's log. */
  readonly hears?: (event: string) => void;
  /** See layBridgeLine. */
  readonly passes?: (step: string, moment: Moment) => boolean;
}

/** Both work and know each other once it resolves. */
export async function startApart(t: TestContext, options: ApartOptions): Promise<Apart> {
  const { hears = () => {}, passes = () => false } = options;
  const [port, sftpPort] = [await freePort(), await freePort()];
  const admin = createTokenText();
  const url = `http://127.0.0.1:${port}`;
  const env = { PORT: String(port), MUSTER_DATA_DIR: options.dataDir, MUSTER_ADMIN_TOKEN: admin };
  const ask: AskHub = async (path, json) => {
    const answer = await fetch(`${url}${path}`, {
      method: json === undefined ? "GET" : "POST",
      headers: {
        authorization: `Bearer ${admin}`,
        ...(json === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      signal: AbortSignal.timeout(ANSWERED_WITHIN_MS),
    });
    assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
    return answer.headers.get("content-type")?.includes("json") ? await answer.json() : await answer.text();
  };
  const hub = await startKillable(["serve"], env, /^Muster is at /m, hears);
  t.after(() => hub.end());
  const line = await layBridgeLine(port, passes);
  t.after(() => line.close());
  const { token } = await ask("/v1/tokens", { name: "bridge", scopes: ["bridge"] });
  const bridge = await startKillable(["bridge", "--hub", line.url], {
    MUSTER_BRIDGE_TOKEN: token,
    MUSTER_SFTP_PORT: String(sftpPort),
    MUSTER_SFTP_DIR: options.sftpDir,
    ...options.bridgeEnv,
  }, /^SFTP is at /m);
  t.after(() => bridge.end());
  const [{ id }] = await until("the bridge has come", async () => (await ask("/v1/bridges")).data, (l) => l.length > 0);
  await ask(`/v1/bridges/${id}/confirm`, {});
  return { hub, bridge, ask, url, admin, sftpPort, env };
}

/** Waits until a bridge holds the connection; gives its id. */
export async function isServed(ask: AskHub, slug: string): Promise<string> {
  const look = () => ask(`/v1/connections/${slug}`);
  return (await until(`${slug} is held`, look, ({ sftp }) => sftp.bridge !== null, 30_000)).id;
}
