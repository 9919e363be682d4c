/** A hub on a database of its own in a temporary file, for tests that need the store or the API. */
import { sql } from "drizzle-orm";
import process from "node:process";
import sftpDrop from "../../connectors/sftp-drop.ts";
import type { Connector } from "../../src/connector.ts";
import { defineConnector } from "../../src/connector.ts";
import { createScratchFile } from "../../src/kit/scratch.ts";
import { openDatabase } from "../../src/runtime/database.ts";
import { createApp } from "../../src/http/app.ts";
import type { Hub } from "../../src/hub.ts";
import type { Outbound } from "../../src/security/outbound.ts";
import { createLeaseWatch } from "../../src/store/lease-watch.ts";
import type { Database } from "../../src/store/database.ts";
import { createMasterKeyText, createSecrets } from "../../src/security/secrets.ts";
import type { Scope } from "../../src/model/scope.ts";
import { createOrganization, findOrganizationNamed, type Organization } from "../../src/store/organizations.ts";
import { createToken } from "../../src/store/tokens.ts";
import { createTokenText, hashToken } from "../../src/security/token.ts";
import { z } from "zod";
import { checked } from "./checked.ts";
import { type LibsqlServer, startLibsqlServer } from "./libsql-server.ts";
import { nowhere } from "./nowhere.ts";

export interface TestHub extends Hub {
  /** The organization with the slug `default`. */
  readonly organization: Organization;
  /** The clock, which stands still until a test moves it. Leases go by it, too, and so does a server's. */
  readonly clock: { ms: number };
  /** How often `wake` was called. */
  readonly woken: { count: number };
  /** Lines that were logged. */
  readonly lines: { event: string; details: Record<string, unknown> }[];
  /** The database's server, if it is on one. */
  readonly server: LibsqlServer | undefined;
  /** Another connection to the database, as another process has one. */
  openAgain(): Promise<Database>;
  /** Closes the database and removes its file. */
  close(): void;
}

/** With MUSTER_TEST_DATABASE=server the database is one on a libSQL server, which tests can have on purpose, too. */
const ON_SERVER = process.env.MUSTER_TEST_DATABASE === "server";
const SERVER_TOKEN = "the server's token";
/** A read is repeated once. */
const PATIENCE_MS = 200;
/** A hub keeps requests to a server below this. */
const MAX_REQUEST_BYTES = 1024 * 1024;

export interface TestHubOptions {
  readonly now?: number;
  readonly registry?: ReadonlyMap<string, Connector<never>>;
  readonly outbound?: Outbound;
  /** The database is on a libSQL server, `TestHub.server`. */
  readonly onServer?: boolean;
}

/** Call `close` at the end. `now` is where the clock starts. */
export async function createTestHub({ onServer = ON_SERVER, ...options }: TestHubOptions = {}): Promise<TestHub> {
  const { path, remove } = await createScratchFile();
  const clock = { ms: options.now ?? Date.UTC(2026, 2, 2, 8) };
  const now = () => clock.ms;
  const server = onServer
    ? await startLibsqlServer(path, SERVER_TOKEN, { maxBytes: MAX_REQUEST_BYTES, now })
    : undefined;
  const url = server?.url ?? `file:${path}`;
  const authToken = onServer ? SERVER_TOKEN : null;
  const watch = createLeaseWatch(now);
  const open = async () => (await openDatabase({ url, authToken, role: "alone", patienceMs: PATIENCE_MS, watch })).db;
  const db = await open();
  await db.rows(sql`pragma synchronous = off`);
  const woken = { count: 0 };
  const lines: TestHub["lines"] = [];
  const organization = await createOrganization(db, { slug: "default", name: "Default", timezone: "UTC" }, clock.ms);
  return {
    db,
    registry: options.registry ?? TEST_CONNECTORS,
    secrets: await createSecrets([createMasterKeyText()]),
    outbound: options.outbound ?? nowhere,
    now,
    publicUrl: "http://hub.example.com",
    retainDays: 30,
    wake: () => void woken.count++,
    log: (event, details = {}) => void lines.push({ event, details }),
    organization,
    clock,
    woken,
    lines,
    server,
    openAgain: open,
    close() {
      db.close();
      if (server === undefined) remove();
      else void server.close().then(remove);
    },
  };
}

/** The text of a new token; by default one of the default organization that may do everything in it. */
export async function createTestToken(
  hub: TestHub,
  options: { organization?: string; scopes?: Scope[]; expiresAt?: number | null } = {},
): Promise<string> {
  const organization = await findOrganizationNamed(hub.db, options.organization ?? "default");
  const text = createTokenText();
  await createToken(hub.db, organization!.id, {
    name: "test",
    scopes: options.scopes ?? ["admin"],
    hash: hashToken(text),
    expiresAt: options.expiresAt ?? null,
  }, hub.clock.ms);
  return text;
}

/** Asks the hub's API as a holder of `token`; a `json` body is sent as such. */
export type Ask = (
  path: string,
  options?: { method?: string; json?: unknown; body?: BodyInit; headers?: Record<string, string> },
) => Promise<Response>;

/** A way to ask the hub's API with one token, or without one. An answer that is not as documented fails. */
export function createAsk(hub: TestHub, token: string | null): Ask {
  const app = createApp(hub);
  return async (path, { method: said, json, body, headers } = {}) => {
    const method = said ?? (json === undefined && body === undefined ? "GET" : "POST");
    const answer = await app.request(path, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(json === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      ...(body === undefined ? {} : { body, duplex: "half" }),
    } as RequestInit);
    return await checked(method, path, answer);
  };
}

/** Connectors that can be named and never run. */
export const TEST_CONNECTORS: ReadonlyMap<string, Connector<never>> = new Map(
  ([
    ["csv-upload", "full", "drop"],
    ["rest-import", "diff", "drop"],
    ["fetched", "full", "fetch"],
  ] as const).map(([name, coverage, input]): [string, Connector<never>] => [
    name,
    defineConnector({
      api: 1,
      name,
      version: "1.0.0",
      title: name,
      coverage: { users: coverage },
      settings: z.strictObject({ delimiter: z.enum(["auto", ",", ";"]).optional() }),
      input,
      ...(input === "drop" ? {} : {
        secrets: { api_key: { title: "API key" } },
        auth: () => ({
          kind: "oauth2",
          clientId: { text: "client" },
          clientSecret: { text: "secret" },
          scopes: ["people"],
          authorizationUrl: () => "https://source.example.com/authorize",
          tokenUrl: () => "https://source.example.com/token",
        }),
        check: () => Promise.resolve({ ok: true, detail: "There is nobody to be seen", found: {} }),
      }),
      async *fetch() {},
      normalize: () => ({}),
    }) as Connector<never>,
  ]),
).set(sftpDrop.name, sftpDrop as Connector<never>);
