/**
 * A libSQL server as its HTTP clients see one (hrana.ts), which fails as a test says: scripted faults, a limit on the size
 * of requests, a token, one database, and restarts at the same address.
 */
import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createStreams, EXPIRED, type Pipeline, type Streams, textsOf } from "./hrana.ts";

/**
 * `lost`: done, and the connection breaks off before the answer. `cut`: done, and only half of the answer comes. `late`: done,
 * and never answered. `silent`: not done, and never answered. `dropped`: not done, and the connection breaks off. `busy`:
 * SQLite's error while another connection writes. `expired`: the stream is gone. `refused_token`, `no_database`, or a status
 * of a proxy: not done.
 */
export type ServerFault =
  | "lost"
  | "cut"
  | "late"
  | "silent"
  | "dropped"
  | "busy"
  | "expired"
  | "refused_token"
  | "no_database"
  | number;

export interface Received {
  /** Of the body. */
  readonly bytes: number;
  /** The SQL texts in it. */
  readonly texts: readonly string[];
}

export interface LibsqlServer {
  readonly url: string;
  /** Requests without the token, each answered with 401. */
  readonly refused: { count: number };
  /** Pipelines that were received, with those that failed by script. */
  readonly received: Received[];
  /** Streams that are open between requests: an interactive transaction has one. */
  readonly openStreams: () => number;
  /**
   * The next request for which `when` holds (any) fails so, `times` times. Faults are taken in the order in which they are
   * given. The result ends it.
   */
  fail(fault: ServerFault, options?: { when?: (received: Received) => boolean; times?: number }): () => void;
  /** Ends all streams and listens no more. */
  down(): Promise<void>;
  /** Listens again, at the same address. */
  up(): Promise<void>;
  close(): Promise<void>;
}

const KEEP_ALIVE_MS = 600_000;

interface Script {
  readonly fault: ServerFault;
  readonly when: (received: Received) => boolean;
  left: number;
}

export interface ServerOptions {
  /** Bytes of a request; a larger one is answered with 413. */
  readonly maxBytes?: number;
  /** The server's clock, in milliseconds since 1970; the machine's unless given. */
  readonly now?: () => number;
}

export async function startLibsqlServer(
  file: string,
  token: string,
  { maxBytes = Infinity, now }: ServerOptions = {},
): Promise<LibsqlServer> {
  const streams = createStreams(file, now);
  const refused = { count: 0 };
  const received: Received[] = [];
  const scripts: Script[] = [];

  function faultOf(each: Received): ServerFault | null {
    const found = scripts.find(({ when }) => when(each));
    if (found === undefined) return null;
    if (--found.left <= 0) scripts.splice(scripts.indexOf(found), 1);
    return found.fault;
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    if (request.headers.authorization !== `Bearer ${token}`) {
      refused.count++;
      return answer(response, 401, { error: "Unauthorized: the token is not valid" });
    }
    const path = /^(\/.*)?\/v[23](\/pipeline)?$/.exec(request.url ?? "");
    if (path === null || path[1] !== undefined) return answer(response, 404, { error: "There is no such database" });
    if (path[2] === undefined) return answer(response, 200, {});
    if (body.length > maxBytes) return answer(response, 413, { error: "length limit exceeded" });
    const pipeline = JSON.parse(body.toString()) as Pipeline;
    const each = { bytes: body.length, texts: textsOf(pipeline) };
    received.push(each);
    await respond(streams, response, pipeline, faultOf(each));
  }

  const listen = async (port: number): Promise<Server> => {
    const server = createServer((request, response) => {
      // A client that goes away is none of the server's trouble.
      handle(request, response).catch(() => response.destroy());
    });
    // A test that has to wait for the processor must not find its connection closed, which looks like a lost answer.
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
    return server;
  };
  let server: Server | null = await listen(0);
  const { port } = server.address() as AddressInfo;

  async function down(): Promise<void> {
    const last = server;
    server = null;
    streams.end();
    if (last === null) return;
    last.closeAllConnections();
    await new Promise((resolve) => last.close(resolve));
  }

  return {
    url: `http://127.0.0.1:${port}`,
    refused,
    received,
    openStreams: () => streams.open,
    fail(fault, { when = () => true, times = 1 } = {}) {
      const script = { fault, when, left: times };
      scripts.push(script);
      return () => {
        if (scripts.includes(script)) scripts.splice(scripts.indexOf(script), 1);
      };
    },
    down,
    async up() {
      server ??= await listen(port);
    },
    close: down,
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function respond(
  streams: Streams,
  response: ServerResponse,
  pipeline: Pipeline,
  fault: ServerFault | null,
): Promise<void> {
  switch (fault) {
    case null:
      return answerPipeline(streams, response, pipeline);
    case "lost":
      streams.answer(pipeline);
      return void response.destroy();
    case "cut": {
      const text = JSON.stringify(streams.answer(pipeline));
      response.writeHead(200, { "content-type": "application/json", "content-length": text.length });
      await new Promise((resolve) => response.write(text.slice(0, text.length >> 1), resolve));
      return void response.destroy();
    }
    case "late":
      return void streams.answer(pipeline);
    case "silent":
      return;
    case "dropped":
      return void response.destroy();
    case "busy": {
      const error = { message: "SQLite error: database is locked", code: "SQLITE_BUSY" };
      return answer(response, 200, {
        baton: null,
        base_url: null,
        results: pipeline.requests.map(({ type }) =>
          ["execute", "batch", "sequence"].includes(type)
            ? { type: "error", error }
            : { type: "ok", response: { type } }
        ),
      });
    }
    case "expired":
      return answer(response, 400, { message: "The stream has expired due to inactivity", code: EXPIRED });
    case "refused_token":
      return answer(response, 401, { error: "Unauthorized: the token is not valid" });
    case "no_database":
      return answer(response, 404, { error: "There is no such database" });
    default:
      return void response.writeHead(fault, { "content-type": "text/html" }).end("<h1>Bad gateway</h1>");
  }
}

function answerPipeline(streams: Streams, response: ServerResponse, pipeline: Pipeline): void {
  let result: unknown;
  try {
    result = streams.answer(pipeline);
  } catch (error) {
    const { message, code } = error as { message: string; code?: string };
    if (code !== EXPIRED) throw error;
    return answer(response, 400, { message, code });
  }
  answer(response, 200, result);
}
