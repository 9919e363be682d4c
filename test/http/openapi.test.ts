import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Hono, type MiddlewareHandler } from "hono";
import { openViewer } from "../../src/runtime/viewer.ts";
import { createApp } from "../../src/http/app.ts";
import { describe, documented, NOTHING } from "../../src/http/kit/describe.ts";
import type { Env } from "../../src/http/kit/env.ts";
import { exampleOf, type JsonSchema } from "../../src/http/kit/json-schema.ts";
import { createDocument, type Document } from "../../src/http/kit/openapi.ts";
import { SCOPES } from "../../src/model/scope.ts";
import { checked, documentOfAll, refusedBy, resolve } from "../support/checked.ts";
import { type Ask, createAsk, createTestHub, type TestHub } from "../support/hub.ts";

let hub: TestHub;
let ask: Ask;

before(async () => {
  hub = await createTestHub();
  ask = createAsk({ ...hub, openViewer }, null);
});
after(() => hub.close());

test("every route describes itself", () => {
  const { undescribed } = createDocument(createApp(hub), { serverUrl: hub.publicUrl });
  assert.deepEqual(undescribed, [], "describe them where they are declared, as CONTRIBUTING.md shows");
});

test("the document is served without a token, and names the hub's own address", async () => {
  const answer = await ask("/openapi.json");
  assert.equal(answer.status, 200);
  const document = await answer.json() as Document;
  assert.equal(document.openapi, "3.1.1");
  assert.deepEqual(document.servers, [{ url: "http://hub.example.com" }]);
  assert.deepEqual(document.paths, JSON.parse(JSON.stringify(documentOfAll().paths)));
});

test("every operation has a name of its own, and one that needs a token says which scopes and how it refuses", () => {
  const operations = Object.entries(documentOfAll().paths).flatMap(([path, each]) =>
    Object.values(each).map((operation) => ({ path, ...operation }))
  );
  const ids = operations.map((operation) => operation.operationId);
  assert.deepEqual([...new Set(ids)], ids);
  for (const { path, operationId, security, responses } of operations) {
    const guarded = path.startsWith("/v1/") || path === "/metrics";
    assert.equal(security.length > 0, guarded, operationId);
    for (const scope of security[0]?.token ?? []) assert.ok(SCOPES.includes(scope as never), `${operationId} ${scope}`);
    if (guarded) {
      for (const status of [401, 403, 404, 500]) assert.ok(status in responses, operationId);
    }
  }
});

test("every operation and every parameter says what it is for", () => {
  const operations = Object.values(documentOfAll().paths).flatMap((each) => Object.values(each));
  const parameters = operations.flatMap(({ operationId, parameters }) =>
    parameters.map((each) => ({ operationId, parameter: resolve(each)! }))
  );
  assert.ok(operations.length > 100 && parameters.length > 300);
  for (const { operationId, summary, description } of operations) {
    assert.match(String(description), /^.{20,400}\.$/s, operationId);
    assert.match(summary, /^[A-Z][^.;]{5,80}$/, operationId);
  }
  for (const { operationId, parameter } of parameters) {
    const { name, description } = parameter;
    assert.ok(typeof description === "string" && description.length > 8, `${operationId} ${name}`);
  }
});

test("every example is as its schema says, and names nobody outside of the reserved names", () => {
  let count = 0;
  visit(documentOfAll(), "#");
  assert.ok(count > 200, `${count} examples`);

  function visit(value: unknown, place: string): void {
    if (typeof value !== "object" || value === null) return;
    const { schema, example, examples, type } = value as Record<string, unknown>;
    if (schema !== undefined && "example" in value) assertFits(schema, example, place);
    if (schema !== undefined && examples !== undefined && !Array.isArray(examples)) {
      for (const [name, each] of Object.entries(examples as Record<string, JsonSchema>)) {
        assertFits(schema, resolve(each)!.value, `${place} ${name}`);
      }
    }
    // Where the document has no example, viewers put one together of the shared schemas' own.
    if (schema !== undefined && !("example" in value) && examples === undefined && isShared(schema)) {
      assertFits(schema, exampleOf(schema as JsonSchema, documentOfAll().components.schemas), place);
    }
    if (Array.isArray(examples) && type !== undefined) {
      for (const each of examples) assertFits(value, each, place);
    }
    for (const [key, each] of Object.entries(value)) if (key !== "example") visit(each, `${place}/${key}`);
  }

  function isShared(schema: unknown): boolean {
    return JSON.stringify(schema).includes('"$ref"');
  }

  function assertFits(schema: unknown, example: unknown, place: string): void {
    count++;
    assert.equal(refusedBy(schema as never, example), null, `${place}: ${JSON.stringify(example)}`);
  }

  const hosts = JSON.stringify(documentOfAll()).matchAll(/(?:@|https?:\/\/)([\w-]+(?:\.[\w-]+)+)/g);
  for (const [, host] of hosts) assert.match(host!, /(^|\.)(example\.com|acme\.test)$/);
});

/** Bytes for each operation, with its share of all shapes: what repeats would add to that. */
const MOST_EACH = 2_250;

test("what repeats in the document is stored once, so that it stays small, and no reference leads nowhere", () => {
  const text = JSON.stringify(documentOfAll());
  const bytes = new TextEncoder().encode(text).length;
  const operations = Object.values(documentOfAll().paths).reduce((sum, path) => sum + Object.keys(path).length, 0);
  assert.ok(bytes <= MOST_EACH * operations, `${bytes} bytes for ${operations} operations`);
  const parts = [...text.matchAll(/"\$ref":"(#\/components\/[^"]+)"/g)].map(([, $ref]) => $ref!);
  assert.ok(parts.length > 1000, `${parts.length} references`);
  for (const $ref of new Set(parts)) assert.ok(resolve({ $ref }) !== undefined, $ref);
  for (const [kind, all] of Object.entries(documentOfAll().components)) {
    if (kind === "securitySchemes") continue;
    for (const name of Object.keys(all)) assert.ok(parts.includes(`#/components/${kind}/${name}`), `${kind} ${name}`);
  }
});

test("an answer that is not as documented fails the test that receives it", async () => {
  const headers = { "content-type": "application/json", "x-request-id": "trace-1" };
  const answer = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status, headers });
  await checked("GET", "/healthz", answer({ status: "ok" }));
  await assert.rejects(checked("GET", "/healthz", answer({ status: "ok", more: 1 })), /additional properties/);
  await assert.rejects(checked("GET", "/healthz", answer({ status: "well" })), /not as documented/);
  await assert.rejects(checked("GET", "/healthz", answer({ status: "ok" }, 201)), /which the document does not have/);
  await assert.rejects(checked("GET", "/healthz", new Response("ok", { headers: { "x-request-id": "1" } })), /type/);
  await assert.rejects(checked("GET", "/healthz", Response.json({ status: "ok" })), /lacks the header X-Request-Id/);
  await assert.rejects(checked("GET", "/nowhere", answer({})), /not in the document/);
});

test("the page has its viewer from the hub, under a policy that lets no other script run", async () => {
  const page = await ask("/docs");
  assert.match(page.headers.get("content-security-policy")!, /default-src 'none'; script-src 'self';/);
  const text = await page.text();
  assert.match(text, /<header class="top"><strong>Muster<\/strong>/);
  assert.doesNotMatch(text, /https?:|<script>/);
  for (const [, file] of text.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)) {
    assert.equal((await ask(`/${file}`)).status, 200, file);
  }
  assert.equal((await ask("/docs/absolute-path.js")).status, 404);
  assert.equal((await createAsk(hub, null)("/docs/viewer.js")).status, 404);
});

test("middleware tells of the routes behind it, and only of the methods that it concerns", () => {
  const app = new Hono<Env>();
  app.use(
    "/things/*",
    documented<MiddlewareHandler<Env>>((_, next) => next(), { methods: ["POST"], faults: ["stale"] }),
  );
  app.get(
    "/things/all",
    describe("listThings", "List things", { 200: NOTHING }, { description: "All." }),
    (c) => c.body(null),
  );
  app.post(
    "/things/all",
    describe("createThing", "Make a thing", { 201: NOTHING }, { description: "One." }),
    (c) => c.body(null),
  );
  app.post(
    "/others",
    describe("createOther", "Make another", { 201: NOTHING }, { description: "One." }),
    (c) => c.body(null),
  );
  const { document } = createDocument(app, { serverUrl: "https://hub.example.com" });
  const statuses = (path: string, method: string) => Object.keys(document.paths[path]![method]!.responses);
  assert.deepEqual(statuses("/things/all", "get"), ["200"]);
  assert.deepEqual(statuses("/things/all", "post"), ["201", "412"]);
  assert.deepEqual(statuses("/others", "post"), ["201"]);
});
