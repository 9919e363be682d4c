import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CODES } from "../../src/model/codes.ts";
import { FAULTS } from "../../src/model/errors.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";

let hub: TestHub;
let ask: Ask;

before(async () => {
  hub = await createTestHub();
  ask = createAsk(hub, await createTestToken(hub));
});
after(() => hub.close());

test("a problem says its code, its help page and the request's id, which every answer carries", async () => {
  const refused = await ask("/v1/users/usr_nobody", { headers: { "x-request-id": "trace-1" } });
  assert.equal(refused.status, 404);
  assert.equal(refused.headers.get("content-type"), "application/problem+json");
  assert.equal(refused.headers.get("x-request-id"), "trace-1");
  assert.deepEqual(await refused.json(), {
    type: "http://hub.example.com/errors/not_found",
    title: "Not found",
    status: 404,
    detail: 'There is no user "usr_nobody"',
    code: "not_found",
    request_id: "trace-1",
    errors: [],
  });
  const fine = await ask("/healthz", { headers: { "x-request-id": "not an id\u00e9" } });
  assert.match(fine.headers.get("x-request-id")!, /^[0-9a-f-]{36}$/);
});

test("a request is logged by its route; one after the hub's health only when it is not well", async () => {
  hub.lines.length = 0;
  await ask("/healthz");
  await ask("/readyz");
  assert.equal(hub.lines.length, 0);
  await ask("/v1/users?email=ana@example.com");
  await ask("/readyz", { method: "POST" });
  assert.deepEqual(hub.lines.map(({ event, details }) => [event, details.route, details.status]), [
    ["request", "/v1/users", 200],
    ["request", "none", 405],
  ]);
});

test("malformed JSON is refused with its line and column", async () => {
  const refused = await ask("/v1/tokens", {
    body: '{"name": "x",\n "scopes": [}',
    headers: { "content-type": "application/json" },
  });
  assert.equal(refused.status, 400);
  const { code, detail } = await refused.json();
  assert.equal(code, "malformed_json");
  assert.match(detail, /line 2, column 13/);
});

test("a body of more levels inside one another than anything has is refused wherever it is sent", async () => {
  const deep = `{"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
  const settings = `{"name":"Deep","slug":"deep","connector":"csv-upload","settings":${deep}}`;
  for (const [path, body] of [["/v1/users/import", `{"users":[${deep}]}`], ["/v1/connections", settings]] as const) {
    const refused = await ask(path, { body, headers: { "content-type": "application/json" } });
    assert.equal(refused.status, 400, path);
    assert.match((await refused.json()).detail, /more than 34 levels/);
  }
  const brackets = { name: "[".repeat(100), slug: "brackets", connector: "csv-upload" };
  assert.equal((await ask("/v1/connections", { json: brackets })).status, 201, "brackets in a text are text");
});

test("a body that breaks off is its sender's failure, and none that the hub logs", async () => {
  const body = new ReadableStream({
    pull(controller) {
      controller.enqueue(new TextEncoder().encode('{"name":'));
      controller.error(new TypeError("connection reset"));
    },
  });
  const refused = await ask("/v1/tokens", { body, headers: { "content-type": "application/json" } });
  assert.deepEqual([refused.status, (await refused.json()).code], [400, "invalid_request"]);
  assert.ok(hub.lines.every(({ event }) => event !== "request_failed"));
});

test("whatever is sent on purpose is refused in little time and few words", async () => {
  const many = (n: number, text: string) => Array(n).fill(text).join();
  const million = 1_000_000;
  const bodies: [string, number, string][] = [
    ["/v1/tokens", 400, `{"${"a.".repeat(million / 2 - 10)}":1}`],
    ["/v1/tokens", 400, `{${Array.from({ length: 20_000 }, (_, i) => `"k${i}":1`).join()}}`],
    ["/v1/tokens", 413, `{"name":"x","scopes":[${many(240_000, '"x"')}]}`],
    ["/v1/tokens", 400, `{"name":"x","scopes":[${many(20_000, '"x"')}]}`],
    ["/v1/users/import", 413, `{"users":[${many(8 * million, "1")}]}`],
    ["/v1/users/import", 413, `{"users":[${many(20_000, "1")}]}`],
  ];
  for (const [path, status, body] of bodies) {
    const started = performance.now();
    const refused = await ask(path, { body, headers: { "content-type": "application/json" } });
    const text = await refused.text();
    assert.equal(refused.status, status, text.slice(0, 300));
    assert.ok(text.length < 100_000, `${text.length} characters`);
    assert.ok(performance.now() - started < 15_000);
  }
  const started = performance.now();
  assert.equal((await ask(`/${"a.".repeat(300_000)}`)).status, 404);
  assert.ok(performance.now() - started < 15_000, "a long address is looked through once");
});

test("a request without a body is empty, however its end is marked, and whatever type it declares", async () => {
  const typed = { "content-type": "application/json" };
  const requests: [ReadableStream | undefined, Record<string, string>][] = [
    [undefined, {}],
    [new Blob([]).stream(), {}],
    [new Blob([]).stream(), typed],
  ];
  for (const [body, headers] of requests) {
    const refused = await ask("/v1/tokens", { method: "POST", body, headers });
    assert.equal(refused.status, 400);
    assert.equal((await refused.json()).detail, "The request body is invalid: is required (/name)");
  }
  const some = await ask("/v1/tokens", { body: new Blob(["{}"]).stream() });
  assert.equal(some.status, 415);
});

test("what a value should be has the same words everywhere", async () => {
  const { errors } = await (await ask("/v1/tokens", { json: { name: 7, scopes: ["everything"] } })).json();
  assert.equal(errors[0].detail, "should be a string, but is number");
  assert.match(errors[1].detail, /^should be one of "users:read", "users:write"/);
  const limits = await ask("/v1/connections/csv", { method: "PATCH", json: { limits: { update: { percent: -5 } } } });
  assert.equal((await limits.json()).errors[0].detail, "should be at least 0");
});

test("names are one line of whole characters, so that nothing is cut off or changed when they are kept", async () => {
  for (
    const name of ["a\u0000b", "two\nlines", "half \ud800", "back\u0085", "gnp\u202eexe", "\u2066x\u2069", "l\u2028l"]
  ) {
    for (
      const [path, json] of [
        ["/v1/tokens", { name, scopes: ["users:read"] }],
        ["/v1/connections", { name, slug: "odd", connector: "csv-upload" }],
        ["/v1/connections/csv/uploads", { name }],
      ] as const
    ) {
      const refused = await ask(path, { json });
      assert.equal(refused.status, 400, path);
      const { errors } = await refused.json();
      assert.deepEqual(errors, [{
        pointer: "/name",
        detail: "should have no control characters, no direction overrides and no unpaired surrogates",
      }]);
    }
    const endpoint = await ask("/v1/webhook-endpoints", { json: { url: "https://a.example.com", description: name } });
    assert.equal((await endpoint.json()).errors[0].pointer, "/description");
    const field = await ask("/v1/custom-fields/odd", {
      method: "PUT",
      json: { type: "select", label: name, options: [name] },
    });
    const { errors } = await field.json();
    assert.deepEqual(errors.map(({ pointer }: { pointer: string }) => pointer), ["/label", "/options/0"]);
  }
  assert.equal((await ask("/v1/tokens", { json: { name: " 名前 👩‍👧 ", scopes: ["users:read"] } })).status, 201);
});

test("a body of another type is refused with 415, one over its limit with 413, naming what would do", async () => {
  const type = await ask("/v1/tokens", {
    body: "name=x",
    headers: { "content-type": "application/x-www-form-urlencoded" },
  });
  assert.equal(type.status, 415);
  assert.match((await type.json()).detail, /should be application\/json/);
  const size = await ask("/v1/tokens", { json: { name: "x".repeat(2 ** 20) } });
  assert.equal(size.status, 413);
  assert.match((await size.json()).detail, /1 MiB at most/);
});

test("a method that a resource lacks is answered 405 with those it has", async () => {
  const refused = await ask("/v1/users", { method: "DELETE" });
  assert.equal(refused.status, 405);
  assert.match(refused.headers.get("allow")!, /GET/);
  assert.equal((await refused.json()).code, "method_not_allowed");
});

test("unknown query parameters, wrong limits and foreign cursors are refused by name", async () => {
  const users = await (await ask("/v1/users?color=red")).json();
  assert.deepEqual(users.errors, [{ pointer: "?color", detail: 'Unknown field "color"' }]);
  for (const limit of ["0", "201", "many", "1.5"]) {
    assert.equal((await (await ask(`/v1/users?limit=${limit}`)).json()).errors[0].pointer, "?limit", limit);
  }
  const { next_cursor } = await (await ask("/v1/connections?limit=1")).json();
  assert.equal((await ask(`/v1/connections?cursor=${next_cursor}`)).status, 200);
  for (const cursor of [next_cursor, "%%%", "zzz"]) {
    assert.equal((await ask(`/v1/users?cursor=${encodeURIComponent(cursor)}`)).status, 400);
  }
});

test("every code of a fault and of an issue has a page in the frame of all pages, small and cacheable", async () => {
  for (const code of new Set([...Object.keys(FAULTS), ...Object.keys(CODES)])) {
    const page = await ask(`/errors/${code}`), text = await page.text();
    assert.equal(page.status, 200, code);
    assert.match(page.headers.get("content-type")!, /^text\/html/);
    assert.equal(page.headers.get("cache-control"), "public, max-age=3600");
    assert.match(page.headers.get("content-security-policy")!, /default-src 'none'/);
    assert.match(text, /<header class="top"><strong>Muster<\/strong>/);
    for (const part of [`<code>${code}</code>`, "What Muster did", "What to do"]) assert.ok(text.includes(part), part);
    assert.ok(text.length < 20_000, `${code}: ${text.length} bytes`);
  }
});

test("a page of a code shows what happened, what was done, what to do, and an example", async () => {
  const text = await (await ask("/errors/cell_count")).text();
  const { when, then, todo, example } = CODES.cell_count;
  for (const part of [when, then, todo, example.before]) assert.ok(text.includes(part), part);
  assert.ok(text.includes("17,Ana,Sol,&quot;Sales, Berlin&quot;"));
  const cleared = await (await ask("/errors/placeholder_value")).text();
  assert.match(cleared, /After<\/dt>\s*<dd>\s*<span class="soft">empty/);
});

test("an unknown code is a page, too, that is not cached and does not quote the address", async () => {
  const page = await ask("/errors/nonsense"), text = await page.text();
  assert.deepEqual([page.status, page.headers.get("cache-control")], [404, "no-store"]);
  assert.match(page.headers.get("content-type")!, /^text\/html/);
  assert.ok(text.includes("There is no such code") && !text.includes("nonsense"));
});

test("a failure that nobody foresaw is answered without its message, and logged without values", async () => {
  const broken = await createTestHub();
  const token = await createTestToken(broken);
  const failing = createAsk(
    Object.assign(broken, {
      registry: {
        values() {
          throw new Error("Failed query: select 1 params: ana@example.com");
        },
      },
    }),
    token,
  );
  const answer = await failing("/v1/connectors");
  assert.equal(answer.status, 500);
  assert.ok(!(await answer.text()).includes("ana@example.com"));
  assert.ok(broken.lines.some(({ event }) => event === "request_failed"));
  assert.ok(!JSON.stringify(broken.lines).includes("ana@example.com"));
  broken.close();
});

test("the log names routes, never what was asked for in them", async () => {
  await ask("/v1/users?email=ana@example.com");
  const line = hub.lines.findLast(({ event }) => event === "request")!;
  assert.equal(line.details.route, "/v1/users");
  assert.ok(!JSON.stringify(line).includes("ana"));
});
