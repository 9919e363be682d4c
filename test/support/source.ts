/**
 * A source to fetch from: a small HTTP server on loopback that gives people in pages, to whoever has its key or a token
 * that it has given out, and does by script what servers do wrong. And a connector for it, as others write them.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { type Auth, type Connector, defineConnector, expectOk } from "../../src/connector.ts";

/** What one answer is instead of the page that was asked for. */
export type Trouble =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** The connection ends before, or in the middle of, the answer. */
  | "drop"
  | "truncate"
  /** Nothing comes, until the source is closed. */
  | "hang";

export interface Source {
  /** As the connector's setting has it: `127.0.0.1:12345`. */
  readonly host: string;
  people: Record<string, unknown>[];
  pageSize: number;
  key: string;
  /** Taken one by one, each for one request for people; null: that one is answered as it should be. */
  readonly script: (Trouble | null)[];
  /** Paths with their queries. */
  readonly asked: string[];
  /** Authorizations that came, in order. */
  readonly shown: string[];
  /** Forms that came for tokens. */
  readonly granted: Record<string, string>[];
  /** What is answered to a form for tokens. */
  grant: (form: Record<string, string>) => { status: number; body: object };
  /** Access tokens that are good. */
  readonly tokens: Set<string>;
  close(): Promise<void>;
}

export async function startSource(people: Record<string, unknown>[] = []): Promise<Source> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  let given = 0;
  const source: Source = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    people,
    pageSize: 2,
    key: "the-key-of-the-source",
    script: [],
    asked: [],
    shown: [],
    granted: [],
    tokens: new Set(),
    grant: () => {
      const token = `token-number-${++given}`;
      source.tokens.clear();
      source.tokens.add(token);
      return {
        status: 200,
        body: { access_token: token, refresh_token: `renew-${given}`, token_type: "Bearer", expires_in: 3600 },
      };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return source;

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url!, "http://source");
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (data) => body += data);
    request.on("end", () => {
      source.asked.push(`${url.pathname}${url.search}`);
      if (url.pathname === "/token") return answerToken(body, response);
      const shown = request.headers.authorization ?? "";
      source.shown.push(shown);
      const trouble = source.script.shift() ?? null;
      if (trouble === "hang") return;
      if (trouble === "drop") return void request.socket.destroy();
      if (trouble !== null && trouble !== "truncate") {
        return void response.writeHead(trouble.status, trouble.headers).end();
      }
      const basic = `Basic ${Buffer.from(`${source.key}:x`).toString("base64")}`;
      const isKnown = shown === `Bearer ${source.key}` || shown === basic ||
        source.tokens.has(shown.replace(/^Bearer /, ""));
      if (!isKnown) return void response.writeHead(401).end(`No such key: ${shown}`);
      const after = Number(url.searchParams.get("after") ?? 0);
      const page = source.people.slice(after, after + source.pageSize);
      const next = after + source.pageSize < source.people.length ? after + source.pageSize : null;
      const text = JSON.stringify({ people: page, next, total: source.people.length });
      response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
      if (trouble !== "truncate") return void response.end(text);
      response.write(text.slice(0, text.length >> 1), () => request.socket.destroy());
    });
  }

  function answerToken(body: string, response: ServerResponse): void {
    const form = Object.fromEntries(new URLSearchParams(body));
    source.granted.push(form);
    const { status, body: said } = source.grant(form);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(said));
  }
}

const SETTINGS = z.strictObject({
  host: z.string(),
  auth: z.enum(["key", "basic", "oauth2"]).default("key"),
  client_id: z.string().optional(),
  checkpoints: z.boolean().default(false),
});
type Settings = z.infer<typeof SETTINGS>;

const AUTH: Record<Settings["auth"], Auth<Settings>> = {
  key: { kind: "bearer", token: { secret: "api_key" } },
  basic: { kind: "basic", username: { secret: "api_key" }, password: { text: "x" } },
  oauth2: {
    kind: "oauth2",
    clientId: { setting: "client_id" },
    clientSecret: { secret: "client_secret" },
    scopes: ["people", "offline_access"],
    authorizationUrl: ({ host }) => `http://${host}/authorize?request=authorize`,
    tokenUrl: ({ host }) => `http://${host}/token`,
  },
};

const paged = defineConnector({
  api: 1,
  name: "paged",
  version: "1.0.0",
  title: "Pages of people",
  coverage: { users: "full" },
  input: "fetch",
  settings: SETTINGS,
  mapping: {
    id: "source_id",
    mail: "email",
    first: "first_name",
    last: "last_name",
    job: "title",
    boss: "manager_key",
  },
  key: "source_id",
  schedule: { cron: "0 3 * * *", timezone: "America/Los_Angeles" },
  secrets: {
    api_key: { title: "API key", description: "Made at the source, for one of its users" },
    client_secret: { title: "Client secret" },
  },
  authKinds: ["bearer", "basic", "oauth2"],
  auth: ({ auth }) => AUTH[auth],
  hosts: ({ host }) => [host],
  async check({ fetch, settings, log }) {
    log("looking at the first page");
    const answer = expectOk(await fetch(`http://${settings.host}/people`), "people");
    const { total } = await answer.json() as { total: number };
    return { ok: total > 0, detail: `${total} people can be read`, found: { people: total } };
  },
  async *fetch({ fetch, settings, checkpoint, signal }) {
    let after = (checkpoint.resume as { after: number } | null)?.after ?? 0;
    for (;;) {
      signal.throwIfAborted();
      const path = `/people?after=${after}`;
      const answer = expectOk(await fetch(`http://${settings.host}${path}`), "people");
      const { people, next } = await answer.json() as { people: Record<string, string>[]; next: number | null };
      yield { origin: path, records: people };
      if (next === null) return;
      after = next;
      if (settings.checkpoints) await checkpoint.save({ after });
    }
  },
}) as Connector<Settings>;

export { paged };
/** As a module that MUSTER_CONNECTORS names. */
export default paged;
