import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { Fault } from "../../src/model/errors.ts";
import { scanJson } from "../../src/http/kit/json-scan.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";

const SHAPE = { maxDepth: 5, maxMembers: 10, maxKeys: 20 };
const LARGE = { maxDepth: 1000, maxMembers: 100_000, maxKeys: 100_000 };

/** Why the text is refused, as `code: message`; null: it is not. */
function against(text: string, shape = SHAPE): string | null {
  try {
    scanJson(text, shape);
    return null;
  } catch (error) {
    assert.ok(error instanceof Fault, String(error));
    return `${error.code}: ${error.message}`;
  }
}

test("a key that comes twice is named with its place, at every level and however it is written", () => {
  const twice = (key: string, pointer: string) =>
    `invalid_request: The request body is invalid: The key ${JSON.stringify(key)} occurs twice (${pointer})`;
  assert.equal(against('{"mode":"plan","mode":"auto"}'), twice("mode", "/mode"));
  assert.equal(against('{"mode":"plan" , "m\\u006fde" : "auto"}'), twice("mode", "/mode"));
  assert.equal(against('{"users":[{"email":1},{"email":[],"email":2}]}'), twice("email", "/users/1/email"));
  assert.equal(against('{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}],"a":1}'), twice("a", "/a"));
  assert.equal(against('{"a/b~":{"":1,"":2}}'), twice("", "/a~1b~0/"));
  assert.equal(against('{"a":{"b":1},"b":{"a":1},"c":[{"a":1,"b":"\\"a\\":1,\\"a\\""},{"a":1}]}'), null);
});

test("a key of prototypes is refused by name, as a value it is a text like any other", () => {
  const refused = 'invalid_request: The request body is invalid: Unknown field "__proto__"';
  assert.equal(against('{"__proto__":{"admin":true}}'), `${refused} (/__proto__)`);
  assert.equal(against('{"users":[{"__pr\\u006fto__":1}]}'), `${refused} (/users/0/__proto__)`);
  assert.equal(against('{"name":"__proto__","list":["__proto__"]}'), null);
});

test("what is too deep, has too many members, or too many different keys is refused where it begins to be", () => {
  const list = (n: number) => `[${Array.from({ length: n }, () => 1).join()}]`;
  const object = (n: number, from = 0) => `{${Array.from({ length: n }, (_, i) => `"k${from + i}":1`).join()}}`;
  assert.equal(against("[[[[[]]]]]"), null);
  assert.match(against("[[[[[[]]]]]]")!, /^malformed_json: The body is nested more than 5 levels deep/);
  assert.match(against("[".repeat(10_000_000))!, /^malformed_json/);
  assert.deepEqual([against(list(10)), against(object(10))], [null, null]);
  for (const text of [list(11), object(11), `{"a":{"b":${list(11)}}}`]) {
    assert.match(against(text)!, /^too_large: A list or object in the body has more than 10 members/, text);
  }
  assert.equal(against(`[${object(10)},${object(10, 10)},${object(10)}]`), null);
  assert.match(against(`[${object(10)},${object(10, 10)},{"one":1}]`)!, /^too_large: .* more than 20 different keys/);
});

test("whatever JSON.stringify writes passes, and so does what is no JSON: the parser says what is wrong with it", () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
    const text = JSON.stringify(value);
    // Only a parser makes a key of this name.
    if (text.includes("__proto__")) return;
    assert.equal(against(text, LARGE), null, text);
  }));
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'{}[],:"\\1a ') }), (text) => {
    const found = against(text, LARGE);
    assert.ok(found === null || found.includes("occurs twice"), `${text}: ${found}`);
  }));
});

let hub: TestHub;
let ask: Ask;

before(async () => {
  hub = await createTestHub();
  ask = createAsk(hub, await createTestToken(hub));
});
after(() => hub.close());

const send = (path: string, body: string) => ask(path, { body, headers: { "content-type": "application/json" } });

test("a doubled key is refused wherever a body is read, in the records of people, too; nothing is done", async () => {
  const bodies: [string, string, string][] = [
    ["/v1/tokens", '{"name":"a","scopes":["users:read"],"scopes":["admin"]}', "/scopes"],
    [
      "/v1/connections",
      '{"connector":"csv-upload","name":"a","policy":{"missing":"keep","missing":"keep"}}',
      "/policy/missing",
    ],
    ["/v1/users/import", '{"users":[{"email":"a@example.com","email":"b@example.com"}]}', "/users/0/email"],
    ["/v1/users/import", '{"users":[{"email":"a@example.com","note":{"a":1,"a":2}}]}', "/users/0/note/a"],
    ["/v1/users/import", '{"users":[],"mode":"plan","mode":"auto"}', "/mode"],
  ];
  for (const [path, body, pointer] of bodies) {
    const answer = await send(path, body);
    const { code, errors } = await answer.json();
    assert.deepEqual([answer.status, code], [400, "invalid_request"], body);
    assert.equal(errors[0].pointer, pointer);
    assert.match(errors[0].detail, /^The key "\w+" occurs twice$/);
  }
  assert.deepEqual((await (await ask("/v1/runs")).json()).data, []);
});

test("a hundred thousand keys are refused before anything is made of them, on their own or in many records", async () => {
  const keys = (n: number, from = 0) => Array.from({ length: n }, (_, i) => `"k${from + i}":1`).join();
  const records = Array.from({ length: 1000 }, (_, i) => `{${keys(100, i * 100)}}`).join();
  for (
    const [path, body] of [["/v1/tokens", `{${keys(90_000)}}`], ["/v1/users/import", `{"users":[${records}]}`]]
  ) {
    const parse = JSON.parse;
    let parsed = 0;
    JSON.parse = (text, ...rest) => (parsed += text.length > 100_000 ? 1 : 0, parse(text, ...rest));
    const answer = await send(path!, body!).finally(() => JSON.parse = parse);
    assert.equal(answer.status, 413, path);
    assert.equal((await answer.json()).code, "too_large");
    assert.equal(parsed, 0);
  }
});

test("a long body that is no JSON is refused with the place where it stops to be", async () => {
  const row = `[${Array.from({ length: 19_000 }, () => 1).join()}]`;
  const answer = await send("/v1/users/import", `{"users":[\n${Array.from({ length: 50 }, () => row).join()}\n}`);
  const { code, detail } = await answer.json();
  assert.deepEqual([answer.status, code], [400, "malformed_json"]);
  assert.equal(detail, "The body is not valid JSON at line 3, column 1: unexpected character");
});
