import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import test from "node:test";
import { createOutbound, type Resolve } from "../../src/runtime/outbound.ts";
import { createFetchOutbound } from "../../src/security/outbound-fetch.ts";
import {
  ALLOW_NONE,
  asFetch,
  isPublic,
  judgeUrl,
  type Outbound,
  OutboundRefused,
  parseAllowHosts,
  readFirst,
} from "../../src/security/outbound.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";

/** Spellings of addresses that are nobody's on the open Internet, as hosts of a URL. */
const HOSTS = [
  "127.0.0.1",
  "127.1",
  "127.0.0.1.",
  "2130706433",
  "0x7f000001",
  "0x7f.1",
  "017700000001",
  "0177.0.0.1",
  "0",
  "0.0.0.0",
  "10.0.0.1",
  "10.1",
  "012.0.0.1",
  "167772161",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "192.168.257",
  "3232235777",
  "169.254.169.254",
  "2852039166",
  "0xa9fea9fe",
  "0xa9.0xfe.0xa9.0xfe",
  "0251.0376.0251.0376",
  "168.63.129.16",
  "100.64.0.1",
  "100.100.100.200",
  "192.0.0.192",
  "192.0.2.1",
  "198.18.0.1",
  "224.0.0.1",
  "240.0.0.1",
  "255.255.255.255",
  "%31%32%37.0.0.1",
  "①②⑦.⓪.⓪.①",
  "１２７。０。０。１",
  "[::]",
  "[::1]",
  "[0:0:0:0:0:0:0:1]",
  "[0000::0001]",
  "[::127.0.0.1]",
  "[::7f00:1]",
  "[::10.0.0.1]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[::ffff:a9fe:a9fe]",
  "[::ffff:0:127.0.0.1]",
  "[64:ff9b::127.0.0.1]",
  "[64:ff9b::a9fe:a9fe]",
  "[64:ff9b:1::a00:1]",
  "[2002:7f00:1::]",
  "[2002:a9fe:a9fe::1]",
  "[2001:0:7f00:1::1]",
  "[fe80::1]",
  "[febf::1]",
  "[fec0::1]",
  "[fc00::1]",
  "[fd00:ec2::254]",
  "[ff02::1]",
  "[100::1]",
  "[2001:db8::1]",
  "[3fff::1]",
  "[5f00::1]",
  "[2606:4700::5efe:7f00:1]",
  "localhost",
  "localhost.",
  "LOCALHOST",
  "a.localhost",
  "metadata.google.internal",
  "metadata.google.internal.",
  "printer.local",
  "router.home.arpa",
  "intranet",
];

test("no spelling of an address that is not of the open Internet is called, by https or http", async () => {
  const asked: string[] = [];
  const byFetch = createFetchOutbound(ALLOW_NONE, (url) => {
    asked.push(url);
    return Promise.resolve(new Response());
  });
  const bySocket = createOutbound(ALLOW_NONE, (name) => {
    asked.push(name);
    return Promise.resolve([]);
  });
  for (const host of HOSTS) {
    for (const scheme of ["https", "http"]) {
      const url = `${scheme}://${host}:8443/x`;
      assert.throws(() => judgeUrl(url, ALLOW_NONE), OutboundRefused, url);
      for (const outbound of [byFetch, bySocket]) await assert.rejects(call(outbound, url), OutboundRefused, url);
    }
  }
  assert.deepEqual(asked, []);
});

test("addresses of the open Internet pass", () => {
  for (
    const url of [
      "https://example.com/a?b",
      "https://8.8.8.8/",
      "https://[2606:4700::1111]/",
      "https://a.b:443/",
      "https://a.b.c.",
    ]
  ) {
    assert.doesNotThrow(() => judgeUrl(url, ALLOW_NONE), url);
  }
  assert.ok(isPublic("::ffff:8.8.8.8") && isPublic("9.9.9.9"));
});

test("of ports only 443 is called, and those that the operator names, at the host that they are named with", async () => {
  const text = "hooks.acme.test:8443 [2606:4700::1111]:8443 9.9.9.9:8443 10.0.0.1:8443 localhost:8443 named.acme.test";
  const { allow, problems } = parseAllowHosts(text);
  assert.deepEqual(problems, []);
  for (const host of ["hooks.acme.test", "HOOKS.acme.test.", "[2606:4700::1111]", "9.9.9.9", "named.acme.test"]) {
    assert.doesNotThrow(() => judgeUrl(`https://${host}:8443/`, allow), host);
  }
  const byFetch = createFetchOutbound(allow, fetch), bySocket = createOutbound(allow);
  // A port is no exception from anything else, and another port of the same host none either.
  for (
    const url of [
      "https://hooks.acme.test:6379/",
      "https://hooks.acme.test:80/",
      "http://hooks.acme.test:8443/",
      "https://other.acme.test:8443/",
      "https://10.0.0.1:8443/",
      "https://localhost:8443/",
      "https://example.com:22/",
    ]
  ) {
    assert.throws(() => judgeUrl(url, allow), OutboundRefused, url);
    for (const outbound of [byFetch, bySocket]) await assert.rejects(call(outbound, url), OutboundRefused, url);
  }
  assert.throws(
    () => judgeUrl("https://example.com:6379/", ALLOW_NONE),
    /the port 6379, and only 443 is called: the operator can allow it with example.com:6379 in MUSTER_ALLOW_HOSTS/,
  );
  for (const wrong of ["a.test:0", "a.test:65536", "a.test:", "a:b:1", "[::x]:1"]) {
    assert.equal(parseAllowHosts(wrong).problems.length, 1, wrong);
  }
});

test("only https passes, without a user name or a password", () => {
  for (
    const url of [
      "http://example.com",
      "ftp://example.com",
      "file:///etc/passwd",
      "https://a:b@example.com",
      "x",
      "//a",
    ]
  ) {
    assert.throws(() => judgeUrl(url, ALLOW_NONE), OutboundRefused, url);
  }
});

test("the operator's exceptions pass, by http too, and nothing beside them", () => {
  const { allow, problems } = parseAllowHosts(
    "hooks.acme.test, 10.1.0.0/16\n[::1 fd00::/8,pinned.acme.test=127.0.0.1:9",
  );
  assert.deepEqual(problems, [
    '"[::1": it should be a name, a block like 10.0.0.0/8, name:8443, or name=127.0.0.1:9999',
  ]);
  for (
    const url of [
      "http://hooks.acme.test/",
      "http://HOOKS.acme.test./",
      "https://10.1.2.3",
      "http://10.1.2.3",
      "http://[::ffff:10.1.2.3]",
      "http://[fd00::1]",
      "http://pinned.acme.test/",
    ]
  ) {
    assert.doesNotThrow(() => judgeUrl(url, allow), url);
  }
  for (const url of ["http://acme.test", "https://10.2.0.1", "http://a.hooks.acme.test", "https://127.0.0.1:9"]) {
    assert.throws(() => judgeUrl(url, allow), OutboundRefused, url);
  }
});

test("what is no exception is a problem that names its part", () => {
  for (
    const part of [
      "http://x",
      "10.0.0.0/33",
      "a=b",
      "a=1.2.3.4:0",
      "a=1.2.3.4:70000",
      "10.1",
      "2130706433",
      "*.x",
      "=1.2.3.4",
      "x/8",
    ]
  ) {
    assert.equal(parseAllowHosts(part).problems.length, 1, part);
  }
});

test("a name that leads to a private address is not called, though it led elsewhere a moment ago", () =>
  serving((_request, response) => response.end("secret"), async (port, count) => {
    for (const found of [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::ffff:127.0.0.1"], ["::1"], []]) {
      const resolve: Resolve = () =>
        Promise.resolve(found.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })));
      const { allow } = parseAllowHosts(`rebind.acme.test:${port}`);
      const outbound = createOutbound(allow, resolve);
      const url = `https://rebind.acme.test:${port}/`;
      assert.doesNotThrow(() => judgeUrl(url, allow));
      await assert.rejects(call(outbound, url), OutboundRefused, found.join());
    }
    assert.equal(count(), 0);
  }));

test("a pinned name goes where it is pinned, under its own name, whatever a resolver says", () =>
  serving((request, response) => response.end(request.headers.host), async (port, count) => {
    const { allow } = parseAllowHosts(`hooks.acme.test=127.0.0.1:${port}`);
    const outbound = createOutbound(allow, () => Promise.reject(new Error("nobody is asked")));
    const answer = await call(outbound, "http://hooks.acme.test/x");
    assert.equal(await textOf(answer), "hooks.acme.test");
    assert.equal(count(), 1);
  }));

test("by https the receiver is asked for under its own name, and one that cannot prove it gets nothing", async () => {
  const hellos: Buffer[] = [];
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (data) => {
      hellos.push(data);
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const outbound = createOutbound(parseAllowHosts(`hooks.acme.test=127.0.0.1:${port}`).allow);
    await assert.rejects(outbound("https://hooks.acme.test/", { body: "secret", timeoutMs: 2000, maxBytes: 10 }));
    assert.equal(hellos.length, 1);
    // A TLS handshake with the name in it, and not a word of HTTP.
    assert.equal(hellos[0]![0], 22);
    assert.ok(hellos[0]!.includes("hooks.acme.test") && !hellos[0]!.includes("secret"));
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test("method, headers and body arrive, and no redirect is followed", () =>
  serving((request, response) => {
    let body = "";
    request.on("data", (data) => body += data);
    request.on("end", () => {
      response.writeHead(302, { location: "/elsewhere", "x-echo": `${request.method} ${request.headers["x-a"]}` });
      response.end(body);
    });
  }, async (port, count) => {
    for (const outbound of both("127.0.0.1")) {
      const before = count();
      const answer = await outbound(`http://127.0.0.1:${port}/`, {
        method: "POST",
        headers: { "x-a": "b" },
        body: "hello",
        timeoutMs: 5000,
        maxBytes: 1000,
      });
      assert.equal(answer.status, 302);
      assert.equal(answer.headers.get("x-echo"), "POST b");
      assert.equal(await textOf(answer), "hello");
      assert.equal(count(), before + 1);
    }
  }));

test("a receiver that does not answer, or never ends, or says too much, holds nobody for longer than allowed", {
  skip: onlyInCheckOnDeno,
}, () =>
  serving((request, response) => {
    if (request.url === "/silent") return;
    response.writeHead(200);
    const timer = setInterval(() => response.write("x".repeat(1000)), 5);
    response.on("close", () => clearInterval(timer));
  }, async (port) => {
    for (const outbound of both("127.0.0.1")) {
      const url = `http://127.0.0.1:${port}`;
      const started = Date.now();
      await assert.rejects(outbound(`${url}/silent`, { timeoutMs: 200, maxBytes: 10 }));
      const endless = await outbound(`${url}/endless`, { timeoutMs: 300, maxBytes: 1e9 });
      await assert.rejects(textOf(endless));
      const long = await outbound(`${url}/endless`, { timeoutMs: 3000, maxBytes: 5000 });
      await assert.rejects(textOf(long), /more than 5000 bytes/);
      const first = await outbound(`${url}/endless`, { timeoutMs: 3000, maxBytes: 5000 });
      assert.equal((await readFirst(first, 1024)).length, 1024);
      const stop = new AbortController();
      const aborted = outbound(`${url}/silent`, { timeoutMs: 60_000, maxBytes: 10, signal: stop.signal });
      setTimeout(() => stop.abort(), 20);
      await assert.rejects(aborted);
      assert.ok(Date.now() - started < 30_000);
    }
  }));

test("a receiver that answers with another protocol, with nothing or with nonsense is an end, not a wait", async () => {
  const answers = {
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n": 101,
    "HTTP/1.1 999 None\r\nContent-Length: 0\r\n\r\n": 999,
    "SSH-2.0-None\r\n": null,
    "": null,
  };
  const outbound = createOutbound(parseAllowHosts("127.0.0.1").allow);
  for (const [text, status] of Object.entries(answers)) {
    const server = createTcpServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => text === "" ? socket.end() : socket.write(text));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const started = performance.now();
    const answer = outbound(`http://127.0.0.1:${port}/`, {
      method: "POST",
      body: "x",
      timeoutMs: 30_000,
      maxBytes: 10,
    });
    if (status === null) await assert.rejects(answer);
    else {
      assert.equal((await answer).status, status);
      assert.equal((await readFirst(await answer, 10)).length, 0);
    }
    assert.ok(performance.now() - started < 10_000, text);
    await new Promise((resolve) => server.close(resolve));
  }
});

test("the gate as a fetch gives what a library for keys needs, and refuses what the gate refuses", () =>
  serving((_request, response) => response.end('{"keys":[]}'), async (port) => {
    const fetch = asFetch(createOutbound(parseAllowHosts("127.0.0.0/8").allow));
    assert.deepEqual(await (await fetch(`http://127.0.0.1:${port}/keys`)).json(), { keys: [] });
    await assert.rejects(asFetch(createOutbound(ALLOW_NONE))(`http://127.0.0.1:${port}/keys`), OutboundRefused);
  }));

function both(allowed: string): Outbound[] {
  const { allow } = parseAllowHosts(allowed);
  return [createOutbound(allow), createFetchOutbound(allow, (url, init) => fetch(url, init))];
}

const call = async (outbound: Outbound, url: string) => await outbound(url, { timeoutMs: 2000, maxBytes: 1000 });

async function textOf({ body }: { body: ReadableStream<Uint8Array> }): Promise<string> {
  return await new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

async function serving(listener: RequestListener, work: (port: number, count: () => number) => Promise<void>) {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await work((server.address() as AddressInfo).port, () => requests);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
