/** The attacks of whoever connects, against the server of the process and against a hub that is served. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Handler, ListenAt, Listening } from "../../src/runtime/command.ts";
import { startHttpServer } from "../../src/runtime/http-server.ts";
import { connectionCap, sftpShare } from "../../src/runtime/open-files.ts";
import type { ConnectionLimits } from "../../src/runtime/connection-table.ts";
import type { CutReason } from "../../src/model/metrics.ts";
import { createTokenText } from "../../src/security/token.ts";
import { without } from "../support/programs.ts";
import { onlyInCheck } from "../support/rounds.ts";
import { type Served, startServing } from "../support/serve.ts";

/** Anybody may connect from any address of 127.0.0.0/8 there. */
const linux = existsSync("/proc/self/limits") ? false : "on Linux alone";

interface Client {
  readonly socket: Socket;
  received: string;
  closed: boolean;
}

function open(port: number, from = "127.0.0.1", text = ""): Promise<Client> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", localAddress: from });
    const client: Client = { socket, received: "", closed: false };
    socket.on("data", (data) => client.received += data.toString("latin1"));
    socket.on("error", () => {});
    socket.on("close", () => {
      client.closed = true;
      resolve(client);
    });
    socket.on("connect", () => {
      if (text !== "") socket.write(text);
      resolve(client);
    });
  });
}

/** Looks until it is so. */
async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 30_000): Promise<void> {
  for (const end = Date.now() + ms; !await holds();) {
    assert.ok(Date.now() < end, `It never came to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

interface Serving {
  readonly port: number;
  readonly listening: Listening;
  readonly log: { event: string; details: unknown }[];
}

async function withServer(
  handler: Handler,
  limits: Partial<ConnectionLimits>,
  work: (serving: Serving) => Promise<void>,
  at: Partial<ListenAt> = {},
): Promise<void> {
  const log: Serving["log"] = [];
  const listening = await startHttpServer(
    handler,
    { host: "127.0.0.1", port: 0, maxConnections: 100, addressHeader: null, ...at },
    (event, details) => log.push({ event, details }),
    limits,
  );
  try {
    await work({ port: listening.port, listening, log });
  } finally {
    await listening.close();
  }
}

/** A hub that does not answer for as long as this does not answer at all. */
const ANSWER_MS = 60_000;

/** The status of one request on a connection of its own. */
function ask(port: number, path = "/healthz", from?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path, localAddress: from, agent: false, timeout: ANSWER_MS };
    const asked = request(options, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode!));
    });
    asked.on("timeout", () => asked.destroy(new Error("It is not answered")));
    asked.on("error", reject);
    asked.end();
  });
}

const HELLO: Handler = () => new Response("hello");
const cuts = ({ listening }: Serving, reason: CutReason) => listening.figures().cut.get(reason) ?? 0;

test(
  "a head that does not come in time is cut, and so is one that begins after an answer",
  { skip: onlyInCheck },
  () =>
    withServer(HELLO, { headMs: 300 }, async (serving) => {
      const silent = await open(serving.port);
      const half = await open(serving.port, "127.0.0.1", "GET / HTTP/1.1\r\nHost: a");
      const again = await open(serving.port, "127.0.0.1", "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      await until("it is answered", () => again.received.includes("hello"));
      again.socket.write("GET / HT");
      await until("all of them are cut", () => silent.closed && half.closed && again.closed);
      assert.match(half.received, /^HTTP\/1\.1 408 /);
      assert.equal(silent.received, "");
      assert.equal(cuts(serving, "head"), 3);
      assert.ok(serving.log.some(({ event }) => event === "connections.cut"));
      assert.equal(await ask(serving.port), 200);
    }),
);

const reading: Handler = async (request) => new Response(String((await request.arrayBuffer()).byteLength));
const post = (bytes: number, begin = "") => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n${begin}`;

test(
  "a body that stands still or drips is cut, and one that flows slowly is taken",
  { skip: onlyInCheck },
  () =>
    withServer(reading, { bodyMs: 1500, minBodyBytes: 100 }, async (serving) => {
      const still = await open(serving.port, "127.0.0.1", post(1000, "x"));
      const drips = await open(serving.port, "127.0.0.1", post(1000, "x"));
      const flows = await open(serving.port, "127.0.0.1", post(2000));
      const timer = setInterval(() => !drips.closed && drips.socket.write("x"), 200);
      const flow = setInterval(() => flows.socket.write("x".repeat(100)), 200);
      await until("both are cut", () => still.closed && drips.closed);
      clearInterval(timer);
      assert.match(still.received, /^HTTP\/1\.1 408 /);
      assert.equal(cuts(serving, "body"), 2);
      await until("the slow one is taken", () => flows.received.includes("\r\n\r\n2000"));
      clearInterval(flow);
      flows.socket.destroy();
    }),
);

test("of too many bodies on their way the slowest give way", () =>
  withServer(reading, { maxBodies: 4 }, async (serving) => {
    const many: Client[] = [];
    for (let i = 0; i < 20; i++) many.push(await open(serving.port, "127.0.0.1", post(1000, "x")));
    await until("all but four are cut", () => many.filter(({ closed }) => closed).length === 16);
    const honest = await open(serving.port, "127.0.0.1", post(20_000, "x".repeat(20_000)));
    await until("a whole one is taken", () => honest.received.includes("20000"));
    for (const { socket } of [...many, honest]) socket.destroy();
  }));

test(
  "an answer that nobody reads is cut, and one that is read or has to be waited for is not",
  { skip: onlyInCheck },
  () => {
    const block = new Uint8Array(64 * 1024);
    let cancelled = 0;
    const endless = () =>
      new ReadableStream({ pull: (controller) => controller.enqueue(block), cancel: () => void cancelled++ });
    const quiet = () =>
      new ReadableStream({
        async start(controller) {
          controller.enqueue(new TextEncoder().encode("first "));
          await new Promise((resolve) => setTimeout(resolve, 4000));
          controller.enqueue(new TextEncoder().encode("last"));
          controller.close();
        },
      });
    const handler: Handler = (asked) => new Response(asked.url.endsWith("/quiet") ? quiet() : endless());
    return withServer(handler, { unreadMs: 1000 }, async (serving) => {
      const unread = await open(serving.port);
      unread.socket.pause();
      unread.socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      const quiet = await open(serving.port, "127.0.0.1", "GET /quiet HTTP/1.1\r\nHost: a\r\n\r\n");
      await until("it is cut", () => cuts(serving, "unread") === 1);
      await until("its stream is cancelled", () => cancelled === 1);
      await until("the other one ends", () => quiet.received.includes("last"));
      assert.equal(cuts(serving, "unread"), 1);
      for (const { socket } of [unread, quiet]) socket.destroy();
    });
  },
);

test(
  "of too many answers that nobody reads, those that have stood still for longest are cut",
  { skip: onlyInCheck },
  () => {
    const block = new Uint8Array(16 * 1024 * 1024);
    return withServer((asked) => new Response(asked.url.endsWith("/big") ? block : "hello"), { maxUnread: 4 }, async (
      serving,
    ) => {
      const many: Client[] = [];
      for (let i = 0; i < 12; i++) {
        many.push(await open(serving.port));
        many[i]!.socket.pause();
        many[i]!.socket.write("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
      }
      await until("all but four are cut", () => cuts(serving, "unread") === 8);
      assert.equal(await ask(serving.port), 200);
      for (const { socket } of many) socket.destroy();
    });
  },
);

test(
  "one address has a share of the connections, and takes them from itself",
  { skip: linux },
  () =>
    withServer(HELLO, { max: 40, maxOfNetwork: 10 }, async (serving) => {
      const other = await open(serving.port, "127.0.0.9");
      const many: Client[] = [];
      for (let i = 0; i < 60; i++) many.push(await open(serving.port, "127.0.0.2"));
      await until("it has its share", () => many.filter(({ closed }) => closed).length === 50);
      assert.equal(other.closed, false);
      assert.equal(await ask(serving.port, "/", "127.0.0.2"), 200);
      assert.equal(await ask(serving.port, "/", "127.0.0.3"), 200);
      for (const { socket } of [other, ...many]) socket.destroy();
    }),
);

test(
  "beyond the cap, the silent ones of whoever has most of them give way, then those of whoever has most that rest",
  { skip: linux },
  () =>
    withServer(HELLO, { max: 20, maxOfNetwork: Infinity }, async (serving) => {
      const resting = await open(serving.port, "127.0.0.9", "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      await until("it is answered", () => resting.received.includes("hello"));
      const alone = await open(serving.port, "127.0.0.8");
      const many: Client[] = [];
      for (let i = 0; i < 200; i++) many.push(await open(serving.port, `127.0.0.${2 + i % 2}`));
      await until("the cap holds", () => many.filter(({ closed }) => closed).length === 182);
      assert.deepEqual([resting.closed, alone.closed], [false, false]);
      const answered: Client[] = [];
      for (let i = 0; i < 40; i++) {
        answered.push(await open(serving.port, "127.0.0.4", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        await until("it is answered", () => answered.at(-1)!.received.includes("hello"));
      }
      await until("of those that rest, the oldest of whoever has most is gone", () => answered[0]!.closed);
      assert.equal(alone.closed, true);
      assert.equal(resting.closed, false);
      assert.ok(serving.listening.figures().open <= 20);
      for (const { socket } of [alone, ...many, ...answered]) socket.destroy();
    }),
);

test("a stream that breaks ends its connection and says nothing of why", () => {
  const handler: Handler = (asked) =>
    asked.url.endsWith("/broken")
      ? new Response(
        new ReadableStream({
          async pull(controller) {
            controller.enqueue(new TextEncoder().encode("begun"));
            await new Promise((resolve) => setTimeout(resolve, 50));
            throw Object.assign(new Error("anna@example.com"), { code: "E_BROKEN" });
          },
        }),
      )
      : new Response("hello");
  return withServer(handler, {}, async (serving) => {
    const broken = await open(serving.port, "127.0.0.1", "GET /broken HTTP/1.1\r\nHost: a\r\n\r\n");
    await until("it is cut", () => broken.closed);
    assert.doesNotMatch(broken.received, /anna|\r\n0\r\n/);
    assert.deepEqual(serving.log, [{ event: "answer.broken", details: { error: "Error E_BROKEN" } }]);
    assert.equal(await ask(serving.port), 200);
  });
});

test("what is no HTTP is refused, and a handler hears of a client that went", () => {
  let aborted = false;
  const handler: Handler = async (asked) => {
    if (!asked.url.endsWith("/wait")) return new Response("hello");
    await new Promise<void>((resolve) => asked.signal.addEventListener("abort", () => resolve()));
    aborted = true;
    return new Response("late");
  };
  return withServer(handler, {}, async (serving) => {
    for (const text of ["\0\0\0\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET  \r\n\r\n", "CONNECT a:1 HTTP/1.1\r\n\r\n"]) {
      const wrong = await open(serving.port, "127.0.0.1", text);
      await until(`${JSON.stringify(text)} is refused`, () => wrong.closed);
      assert.doesNotMatch(wrong.received, /^HTTP\/1\.1 [235]/);
    }
    const gone = await open(serving.port, "127.0.0.1", "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    await new Promise((resolve) => setTimeout(resolve, 100));
    gone.socket.destroy();
    await until("the handler hears of it", () => aborted);
    assert.equal(await ask(serving.port), 200);
  });
});

test("a HEAD has no body, an expected body is asked for, and a second request is answered on the same connection", () =>
  withServer(reading, {}, async (serving) => {
    const head = await open(serving.port, "127.0.0.1", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + post(1, "x"));
    await until("both are answered", () => (head.received.match(/HTTP\/1\.1 200/g) ?? []).length === 2);
    assert.match(head.received, /\r\n\r\nHTTP\/1\.1 200[^]*\r\n\r\n1$/);
    const expecting = await open(
      serving.port,
      "127.0.0.1",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n",
    );
    await until("it is asked for", () => expecting.received.startsWith("HTTP/1.1 100 Continue\r\n\r\n"));
    expecting.socket.write("abc");
    await until("it is answered", () => expecting.received.includes("\r\n\r\n3"));
    for (const { socket } of [head, expecting]) socket.destroy();
  }));

test("connections leave files for the rest of the process, and a setting that would not is refused", () => {
  assert.deepEqual([64, 128, 256, 1024, 20_000, 1e6, Infinity].map((files) => connectionCap(0, files)), [
    8,
    8,
    64,
    512,
    2048,
    2048,
    2048,
  ]);
  assert.equal(connectionCap(600, 1024), 600);
  assert.throws(() => connectionCap(800, 1024), /MUSTER_MAX_CONNECTIONS is 800, .* should be at most 640, or/);
});

test("the SFTP server takes a quarter of the files, and no log-in all that may be open there", () => {
  assert.deepEqual(sftpShare(1024), { connections: 128, strangers: 64, handlesInAll: 128, handlesOfLogIn: 64 });
  assert.deepEqual(sftpShare(Infinity), { connections: 500, strangers: 100, handlesInAll: 4096, handlesOfLogIn: 512 });
});

test("requests sent all at once are answered one after the other, and too many of them are cut", () => {
  let at = 0, most = 0;
  const handler: Handler = async () => {
    most = Math.max(most, ++at);
    await new Promise((resolve) => setTimeout(resolve, 20));
    at--;
    return new Response("hello");
  };
  return withServer(handler, {}, async (serving) => {
    const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const some = await open(serving.port, "127.0.0.1", get.repeat(8));
    await until("all are answered", () => (some.received.match(/hello/g) ?? []).length === 8);
    assert.equal(most, 1);
    const many = await open(serving.port, "127.0.0.1", get.repeat(1000));
    await until("it is cut", () => many.closed);
    assert.equal(cuts(serving, "pipelined"), 1);
    some.socket.destroy();
  });
});

/** Keeps the thread busy, as an answer that is made at once does. */
function burn(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

const whose = (authorization: string | undefined) => authorization?.split(" ")[1];
const get = (who: string, path = "/") => `GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${who}\r\n\r\n`;

test("many requests of one organization let one of another begin before them", () => {
  const begun: string[] = [];
  const handler: Handler = (asked) => {
    begun.push(whose(asked.headers.get("authorization") ?? undefined)!);
    burn(3);
    return new Response("hello");
  };
  return withServer(handler, { maxOfNetwork: 100 }, async (serving) => {
    const other = await open(serving.port);
    const many = await Promise.all(Array.from({ length: 80 }, () => open(serving.port)));
    for (const { socket } of many) socket.write(get("many"));
    await until("they begin", () => begun.length > 0);
    other.socket.write(get("other"));
    await until("all are answered", () => [...many, other].every(({ received }) => received.includes("hello")));
    assert.equal(begun.length, 81);
    // As many as may have begun before the other one's had come.
    assert.ok(begun.indexOf("other") < 30, `${begun.indexOf("other")} before it`);
    for (const { socket } of [...many, other]) socket.destroy();
  }, { whose });
});

test("a request whose client goes while it waits for its turn does not begin", () => {
  let begun = 0;
  const handler: Handler = () => {
    begun++;
    burn(20);
    return new Response("hello");
  };
  return withServer(handler, {}, async (serving) => {
    const clients = await Promise.all(Array.from({ length: 50 }, () => open(serving.port)));
    for (const { socket } of clients) socket.write(get("many"));
    await until("they begin", () => begun > 0);
    for (const { socket } of clients) socket.destroy();
    await until("all are gone", () => serving.listening.figures().open === 0);
    assert.ok(begun < 50, `${begun} began`);
    const before = begun;
    assert.equal(await ask(serving.port), 200);
    assert.equal(begun, before + 1);
  }, { whose });
});

test("where all places are taken by requests that wait for their turn, a newcomer takes one of them", () => {
  const handler: Handler = () => {
    burn(10);
    return new Response("hello");
  };
  return withServer(handler, { max: 20, maxOfNetwork: 20 }, async (serving) => {
    const many = await Promise.all(Array.from({ length: 20 }, () => open(serving.port, "127.0.0.2")));
    for (const { socket } of many) socket.write(get("many").repeat(8));
    await until("somebody is answered", () => many.some(({ received }) => received !== ""));
    assert.equal(await ask(serving.port, "/", "127.0.0.3"), 200);
    assert.equal(cuts(serving, "displaced"), 1);
    for (const { socket } of many) socket.destroy();
  }, { whose });
});

test("a body of a request that waits for its turn is taken whole, and counts once its turn has come", () => {
  const handler: Handler = async (asked) => {
    burn(20);
    return await reading(asked, null);
  };
  // Of bodies at work some may be on their way at once, as a busy machine brings each in several pieces.
  return withServer(handler, { maxBodies: 10 }, async (serving) => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => open(serving.port)));
    for (const { socket } of clients) socket.write(post(300_000, "x".repeat(300_000)));
    await until("all are answered", () => clients.every(({ received }) => received.includes("\r\n\r\n300000")));
    for (const { socket } of clients) socket.destroy();
  });
});

test(
  "of too much that came with heads of waiting requests, what brought most gives way",
  { skip: onlyInCheck },
  () =>
    withServer((asked) => (burn(500), reading(asked, null)), { maxQueuedBytes: 100_000 }, async (serving) => {
      const first = await open(serving.port, "127.0.0.1", "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      const small = await open(serving.port, "127.0.0.1", post(1000, "x".repeat(1000)));
      const large = await Promise.all(
        Array.from({ length: 5 }, () => open(serving.port, "127.0.0.1", post(1_000_000, "x".repeat(50_000)))),
      );
      await until("the small one is taken", () => small.received.includes("\r\n\r\n1000"));
      assert.ok(cuts(serving, "bodies") >= 3, `${cuts(serving, "bodies")} were cut`);
      for (const { socket } of [first, small, ...large]) socket.destroy();
    }),
);

async function withHub(
  work: (hub: Served, port: number, token: string, dir: string) => Promise<void>,
  env: (dir: string) => Promise<Record<string, string>> = () => Promise.resolve({}),
  { maxFiles, entry }: { maxFiles?: number; entry?: string } = {},
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "muster-"));
  const token = createTokenText();
  const hub = await startServing(
    { MUSTER_DATA_DIR: join(dir, "data"), MUSTER_ADMIN_TOKEN: token, ...await env(dir) },
    maxFiles,
    undefined,
    entry,
  );
  try {
    await work(hub, Number(new URL(hub.url).port), token, dir);
    assert.equal(hub.process.exitCode, null, hub.said().err);
    assert.equal(await hub.stop(), 0, hub.said().err);
  } finally {
    await hub.stop("SIGKILL");
    await rm(dir, { recursive: true, force: true });
  }
}

async function figure(port: number, token: string, name: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  const text = await answer.text();
  const value = text.split("\n").find((line) => line.startsWith(`${name} `))?.split(" ")[1];
  assert.ok(value !== undefined, text);
  return Number(value);
}

test(
  "more silent connections than the process may open files do not keep others out",
  { skip: onlyInCheck || linux },
  () =>
    withHub(
      async (hub, port, token) => {
        const silent: Client[] = [];
        for (let i = 0; i < 600; i++) {
          silent.push(await open(port, `127.0.0.${2 + i % 5}`));
          if (i % 100 === 99) assert.equal(await ask(port, "/readyz"), 200);
        }
        await until("the cap holds", () => silent.filter(({ closed }) => !closed).length <= 64);
        assert.equal(await figure(port, token, "muster_http_max_connections"), 64);
        assert.ok(await figure(port, token, 'muster_http_cut_connections_total{reason="displaced"}') > 400);
        await until("the log says so", () => hub.said().err.includes('"event":"connections.cut"'));
        for (const { socket } of silent) socket.destroy();
      },
      undefined,
      { maxFiles: 256 },
    ),
);

test(
  "a client that goes in the middle of anything costs the hub nothing but that",
  { skip: onlyInCheck },
  () =>
    withHub(async (hub, port, token) => {
      const head = (method: string, path: string, more = "") =>
        `${method} ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n${more}\r\n`;
      const csv = "Content-Type: text/csv\r\nContent-Length: 100000\r\n";
      const made = await fetch(`${hub.url}/v1/connections/csv/drops`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "text/csv" },
        body: "employee_id,email\n1,a@example.com\n",
      });
      const { run } = await made.json();
      const texts = [
        head("POST", "/v1/connections/csv/drops", csv) + "employee_id,email\n",
        head("POST", "/v1/users", "Content-Type: application/json\r\nContent-Length: 1000\r\n") + "{",
        head("POST", "/v1/users", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n") + "5\r\n{",
        "POST /hints/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{",
        "POST /v1/users HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n{",
        head("GET", `/v1/runs/${run.id}/events`),
        head("GET", "/openapi.json"),
        head("GET", "/healthz").repeat(20),
        head("GET", "//%%%[\\"),
        head("TRACE", "/v1/users"),
      ];
      for (const text of texts) {
        for (const reset of [true, false]) {
          const client = await open(port, "127.0.0.1", text);
          await new Promise((resolve) => setTimeout(resolve, 30));
          if (reset) client.socket.resetAndDestroy();
          else client.socket.end();
          client.socket.destroy();
        }
      }
      assert.equal(await ask(port, "/readyz"), 200);
      assert.equal(await figure(port, token, "muster_process_uncaught_errors_total"), 0);
      assert.doesNotMatch(hub.said().err, /Uncaught|process\.uncaught|^ +at /m);
    }),
);

test(
  "an error that nobody caught is told without its words, counted, and survived",
  { skip: onlyInCheck },
  () =>
    withHub(
      async (hub, port, token, dir) => {
        await writeFile(join(dir, "now"), "");
        await until("both are told", () => (hub.said().err.match(/"process\.uncaught"/g) ?? []).length === 2);
        assert.match(hub.said().err, /"event":"process\.uncaught","error":"Error E_TIMER"/);
        assert.match(hub.said().err, /"event":"process\.uncaught","error":"TypeError"/);
        assert.doesNotMatch(hub.said().err, /anna@/);
        assert.equal(await figure(port, token, "muster_process_uncaught_errors_total"), 2);
        assert.equal(await ask(port, "/readyz"), 200);
      },
      (dir) => Promise.resolve({ RESTLESS: join(dir, "now") }),
      {
        entry: fileURLToPath(new URL("../support/restless.ts", import.meta.url)),
      },
    ),
);

test("a process that could accept nobody, as no file was free, accepts again once one is", {
  skip: linux || without("/usr/bin/prlimit", "util-linux") || onlyInCheck,
}, () =>
  withHub(async (hub, port, token) => {
    const { pid } = hub.process;
    const count = () => readdirSync(`/proc/${pid}/fd`).length;
    // A thread that reads its modules must not be without files; after a run all are read.
    const answer = await fetch(`${hub.url}/v1/connections/csv/drops`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "text/csv", prefer: "wait=60" },
      body: "employee_id,email,first_name,last_name\n1,a@example.com,A,B\n",
    });
    assert.equal((await answer.json()).run.status, "succeeded");
    const files = count();
    execFileSync("/usr/bin/prlimit", [`--pid=${pid}`, `--nofile=${files + 10}:`]);
    const many: Client[] = [];
    for (let i = 0; i < 40; i++) many.push(await open(port, `127.0.0.${2 + i % 5}`));
    await until("no file is free", () => count() >= files + 10);
    for (const { socket } of many) socket.destroy();
    await until("it answers", async () => {
      const asked = await open(port, "127.0.0.1", "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
      await new Promise((resolve) => setTimeout(resolve, 500));
      asked.socket.destroy();
      return asked.received.startsWith("HTTP/1.1 200");
    });
    execFileSync("/usr/bin/prlimit", [`--pid=${pid}`, "--nofile=1000:"]);
    // Node waits for a free file by itself.
    if ("Deno" in globalThis) assert.match(hub.said().err, /"event":"listener\.restarted"/);
  }));

const ATTACKS = [
  { many: 20_000, of: "silent connections", text: "" },
  { many: 20_000, of: "half heads", text: "GET /v1/users HTTP/1.1\r\nHost: a" },
  {
    many: 20_000,
    of: "bodies of one byte",
    text: "POST /hints/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{",
  },
  {
    many: 2_000,
    of: "bodies that stop half-way",
    text: `POST /hints/x HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${"x".repeat(60_000)}`,
  },
  // Each of them takes the hub a while to make.
  { many: 1_000, of: "answers that nobody reads", text: "GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n".repeat(17) },
];

for (const { many, of, text } of ATTACKS) {
  test(
    `${many} ${of} leave the hub up, small, and there for others`,
    { skip: linux || onlyInCheck },
    () =>
      withHub(async (_hub, port, token) => {
        const before = await figure(port, token, "process_resident_memory_bytes");
        // One that comes in the very moment may be turned away, and tries again.
        const others = () =>
          until("others are answered", () => ask(port).then((status) => status === 200, () => false));
        const all: Client[] = [];
        for (let i = 0; i < many; i += 200) {
          const some = Array.from({ length: 200 }, (_, n) => open(port, `127.0.0.${2 + n % 20}`, text));
          for (const client of await Promise.all(some)) {
            client.socket.pause();
            // Nobody may hold twenty thousand files either.
            all.push(client);
            if (all.length > 9_000) all.shift()!.socket.destroy();
          }
          if (i % 2000 === 0) await others();
        }
        await others();
        await until(
          "the figures are answered",
          () => figure(port, token, "process_resident_memory_bytes").then(() => true, () => false),
        );
        const grown = await figure(port, token, "process_resident_memory_bytes") - before;
        assert.ok(grown < 400_000_000, `${grown} bytes more`);
        for (const { socket } of all) socket.destroy();
      }),
  );
}
