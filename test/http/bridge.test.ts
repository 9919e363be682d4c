import { runNext } from "../../src/runs/next.ts";
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { compactDecrypt, importJWK, type JWK } from "jose";
import { after, before, test } from "node:test";
import { createRegistry } from "../../src/runtime/registry.ts";
import { decodeId, encodeId } from "../../src/model/id.ts";
import { sealSecrets, writeSecrets } from "../../src/store/connections/connection-secrets.ts";
import { createTokenText, hashToken } from "../../src/security/token.ts";
import {
  createBridgeKey,
  handOverOne,
  HOSTED,
  introduceBridge,
  type Introduced,
  openOne,
} from "../support/introduce.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";

let hub: TestHub;
let operator: Ask;

before(async () => {
  hub = await createTestHub({ registry: createRegistry() });
  operator = createAsk(hub, await createTestToken(hub, { scopes: ["admin", "operator"] }));
});
after(() => hub.close());

// deno-lint-ignore no-explicit-any
type Json = any;

interface Caller extends Introduced {
  post(path: string, json?: unknown): Promise<{ status: number; body: Json }>;
}

async function caller(
  { confirm = true, ...options }: { token?: string; hosted?: object | null; confirm?: boolean } = {},
): Promise<Caller> {
  const bridge = await introduceBridge(hub, confirm ? operator : null, options);
  return {
    ...bridge,
    async post(path, json = {}) {
      const answer = await bridge.ask(`/v1/bridge${path}`, { json });
      return { status: answer.status, body: answer.status === 204 ? null : await answer.json() };
    },
  };
}

const publicKey = async () => (await createBridgeKey()).publicKey;

let count = 0;
async function connect(settings: object = {}, organization = "default"): Promise<string> {
  const answer = await operator("/v1/connections", {
    json: { connector: "sftp-drop", name: `c${++count}`, settings },
    headers: { "muster-organization": organization },
  });
  assert.equal(answer.status, 201, await answer.clone().text());
  return (await answer.json()).id;
}

const REMOTE = { mode: "remote", host: "sftp.example.com", username: "muster" };
const held = async (bridge: Caller): Promise<Json[]> => (await bridge.post("/connections")).body.connections;
const ids = async (bridge: Caller) => (await held(bridge)).map(({ id }) => id);
const remove = (bridge: Caller) => operator(`/v1/bridges/${bridge.id}`, { method: "DELETE" });

test("a bridge gets nothing before the operator has confirmed its key", async () => {
  const id = await connect();
  const bridge = await caller({ confirm: false });
  const refused = await bridge.post("/connections");
  assert.deepEqual([refused.status, refused.body.code], [403, "forbidden"]);
  assert.match(refused.body.detail, new RegExp(`POST /v1/bridges/${bridge.id}/confirm`));
  const listed = (await (await operator("/v1/bridges")).json()).data;
  assert.deepEqual([listed[0].id, listed[0].confirmed_at, listed[0].hosted], [bridge.id, null, HOSTED]);
  assert.equal((await operator(`/v1/bridges/${bridge.id}/confirm`, { method: "POST" })).status, 200);
  // Those of other tests are free as well.
  const all = await hub.db.rows<[number]>(sql`select id from connections where connector = 'sftp-drop' order by id`);
  assert.ok(all.some(([each]) => each === decodeId("con", id)));
  assert.deepEqual(await ids(bridge), all.map(([each]) => encodeId("con", each)));
  assert.notEqual((await (await operator(`/v1/bridges/${bridge.id}`)).json()).confirmed_at, null);
  assert.equal((await remove(bridge)).status, 204);
  assert.equal((await bridge.post("/connections")).status, 403);
  assert.equal((await operator(`/v1/bridges/${bridge.id}`)).status, 404);
  assert.equal((await operator(`/v1/bridges/${bridge.id}/confirm`, { method: "POST" })).status, 404);
  assert.equal((await remove(bridge)).status, 404);
});

test("a bridge is its key and its token: nobody else acts in its name", async () => {
  const bridge = await caller();
  const other = createAsk(hub, await createTestToken(hub, { scopes: ["bridge"] }));
  const posing = await other("/v1/bridge/connections", { json: {}, headers: { "muster-bridge": bridge.id } });
  assert.equal(posing.status, 403);
  const admin = createAsk(hub, await createTestToken(hub));
  assert.equal((await admin("/v1/bridge/connections", { json: {} })).status, 403);
  assert.equal((await admin("/v1/bridges")).status, 403);
  // The scope opens nothing else.
  for (const path of ["/v1/users", "/v1/connections", "/v1/runs"]) {
    assert.equal((await bridge.ask(path)).status, 403);
  }
  await remove(bridge);
});

test("one connection is held by one bridge, until it has been silent or was sent away", async () => {
  const [hosted, remote] = [await connect(), await connect(REMOTE)];
  const mine = (list: string[]) => list.filter((id) => id === hosted || id === remote);
  const [first, second] = [await caller(), await caller()];
  assert.deepEqual(mine(await ids(first)), [hosted, remote]);
  assert.deepEqual(mine(await ids(second)), []);
  // A remote server may be visited by another one soon; the files of a hosted one are on the disk of the first.
  hub.clock.ms += 61_000;
  assert.deepEqual(mine(await ids(second)), [remote]);
  assert.deepEqual(mine(await ids(first)), [hosted]);
  const [connection] = await operator(`/v1/connections/${hosted}`).then((a) => a.json()).then((c) => [c]);
  assert.deepEqual([connection.sftp.bridge.id, connection.sftp.server], [first.id, HOSTED]);
  await remove(first);
  assert.deepEqual(mine(await ids(second)), [hosted, remote]);
  await remove(second);
});

test("two that ask at once never hold the same connection", async () => {
  const all = await Promise.all(Array.from({ length: 4 }, () => caller()));
  await Promise.all(Array.from({ length: 6 }, () => connect(REMOTE)));
  const lists = await Promise.all(all.map(ids));
  assert.equal(new Set(lists.flat()).size, lists.flat().length);
  await Promise.all(all.map(remove));
});

test("a bridge without a server of its own holds remote connections alone", async () => {
  const hosted = await connect(), remote = await connect(REMOTE);
  const bridge = await caller({ hosted: null });
  const list = await ids(bridge);
  assert.ok(list.includes(remote) && !list.includes(hosted));
  await remove(bridge);
});

test("a connection that was made a moment ago is checked by the bridge that then has it", async () => {
  const bridge = await caller();
  await ids(bridge);
  const made = await connect(REMOTE);
  const checking = operator(`/v1/connections/${made}/check`, { method: "POST" });
  let asked: string | null = null;
  for (let tries = 0; asked === null && tries < 100; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { body } = await bridge.post("/connections");
    asked = body.connections.find(({ id }: { id: string }) => id === made)?.check ?? null;
  }
  const found = { ok: true, detail: "It answers", found: { files: 0 } };
  assert.equal((await bridge.post(`/checks/${asked}`, found)).status, 204);
  const { ok, detail } = await (await checking).json();
  assert.deepEqual([ok, detail], [true, "It answers"]);
  await remove(bridge);
});

test("a token narrowed to organizations serves those alone, in every way", async () => {
  for (const slug of ["acme", "bolt"]) {
    await operator("/v1/organizations", { json: { slug, name: slug, timezone: "America/Los_Angeles" } });
  }
  const acme = await connect({}, "acme"), bolt = await connect({}, "bolt");
  const made = await operator("/v1/tokens", {
    json: { name: "bridge", scopes: ["bridge"], organizations: ["acme"], expires_in_days: null },
  });
  const { token, organizations } = await made.json();
  assert.equal(organizations.length, 1);
  const narrow = await caller({ token }), wide = await caller();
  assert.deepEqual(await ids(narrow), [acme]);
  assert.ok((await ids(wide)).includes(bolt));
  const stolen = await narrow.post(`/connections/${bolt}/uploads`, { name: "a.csv" });
  assert.deepEqual([stolen.status, stolen.body.code], [409, "conflict"]);
  const wrong = await operator("/v1/tokens", { json: { name: "x", scopes: ["users:read"], organizations: ["acme"] } });
  assert.equal(wrong.status, 400);
  const nowhere = await operator("/v1/tokens", { json: { name: "x", scopes: ["bridge"], organizations: ["none"] } });
  assert.equal(nowhere.status, 400);
  await Promise.all([narrow, wide].map(remove));
});

test("a token narrowed to organizations cannot tell what others have from what nobody has", async () => {
  for (const slug of ["near", "far"]) {
    await operator("/v1/organizations", { json: { slug, name: slug, timezone: "UTC" } });
  }
  const near = await connect({}, "near"), far = await connect({}, "far");
  const wide = await caller();
  const theirs = await handOverOne(wide, far);
  const open = await openOne(wide, far);
  const made = await operator("/v1/tokens", {
    json: { name: "bridge", scopes: ["bridge"], organizations: ["near"], expires_in_days: null },
  });
  const narrow = await caller({ token: (await made.json()).token });
  const asked = async (path: string, method = "POST", json: unknown = {}) => {
    const answer = await narrow.ask(`/v1/bridge${path}`, { method, ...(method === "GET" ? {} : { json }) });
    const text = await answer.text();
    return [answer.status, text.replaceAll(/"request_id":"[^"]*"/g, "")];
  };
  const none = { file: encodeId("fil", 9999), upload: encodeId("upl", 9999), connection: encodeId("con", 9999) };
  const known = { file: theirs.file, upload: open, connection: far };
  const PATHS: readonly ((of: typeof none) => [string, string?])[] = [
    ({ file }) => [`/files/${file}/settle`],
    ({ file }) => [`/files/${file}/report`, "GET"],
    ({ file }) => [`/files/${file}/content`, "GET"],
    ({ file }) => [`/files/${file}/returned`],
    ({ file }) => [`/files/${file}/refused`],
    ({ upload }) => [`/uploads/${upload}/seal`],
    ({ upload }) => [`/uploads/${upload}`, "DELETE"],
    ({ connection }) => [`/connections/${connection}/secrets`],
    ({ connection }) => [`/connections/${connection}/uploads`],
    ({ connection }) => [`/trees?connections=${connection}`, "GET"],
  ];
  for (const pathOf of PATHS) {
    const [[path, method], [nowhere]] = [pathOf(known), pathOf(none)];
    const json = path.endsWith("/uploads") ? { name: "a.csv" } : {};
    const [status, text] = await asked(path, method, json);
    const named = (text: unknown, of: typeof none) =>
      Object.values(of).reduce((rest, id) => rest.replaceAll(id, "it"), String(text));
    const [status2, text2] = await asked(nowhere, method, json);
    assert.deepEqual([status, named(text, known)], [status2, named(text2, none)], path);
  }
  const { gone } = await (await narrow.ask(`/v1/bridge/trees?connections=${near},${far}`)).json();
  assert.deepEqual(gone, [far], "its own it knows");
  const own = await narrow.ask("/v1/organization");
  assert.equal(own.status, 403, "nor has it anything to read of the organization that its token is in");
  await Promise.all([narrow, wide].map(remove));
});

test("settings come with the defaults of the preset and the organization's time zone", async () => {
  await operator("/v1/organizations", { json: { slug: "zone", name: "Zone", timezone: "Europe/Berlin" } });
  const bridge = await caller();
  const settingsOf = async (preset: string | null, settings: object = {}) => {
    const answer = await operator("/v1/connections", {
      json: { connector: "sftp-drop", name: `p${++count}`, preset, settings },
      headers: { "muster-organization": "zone" },
    });
    const { id } = await answer.json();
    return (await held(bridge)).find((each) => each.id === id).settings;
  };
  const [betterworks, connecteam, opsCom] = [
    await settingsOf("betterworks"),
    await settingsOf("connecteam"),
    await settingsOf("ops-com"),
  ];
  assert.deepEqual([betterworks.folder, betterworks.when, betterworks.after], [
    "/incoming",
    { kind: "at_once" },
    "move",
  ]);
  assert.deepEqual([connecteam.folder, connecteam.when], [
    "/Uploads",
    { kind: "daily", at: "06:00", time_zone: "Europe/Berlin" },
  ]);
  assert.deepEqual([opsCom.folder, opsCom.when], ["/", { kind: "every", minutes: 5 }]);
  const own = await settingsOf("connecteam", { ...REMOTE, every_minutes: 15, folder: "out/hr/", after: "leave" });
  assert.deepEqual([own.folder, own.when, own.after], ["/out/hr", { kind: "every", minutes: 15 }, "leave"]);
  assert.deepEqual(own.remote, { host: "sftp.example.com", port: 22, username: "muster", host_key: null });
  await remove(bridge);
});

test("settings that cannot be are refused by name", async () => {
  for (
    const [settings, pointer] of [
      [{ mode: "remote", username: "x" }, "/settings/host"],
      [{ host: "sftp.example.com" }, "/settings/host"],
      [{ after: "leave" }, "/settings/after"],
      [{ folder: "/a/../b" }, "/settings/folder"],
      [{ folder: "reports/in" }, "/settings/folder"],
      [{ daily_at: "25:00" }, "/settings/daily_at"],
      [{ daily_at: "06:00", every_minutes: 5 }, "/settings/daily_at"],
      [{ time_zone: "Europe/Nowhere" }, "/settings/time_zone"],
      [{ ...REMOTE, host_key: "MD5:aa" }, "/settings/host_key"],
      [{ password: "x" }, "/settings/password"],
    ] as const
  ) {
    const answer = await operator("/v1/connections", { json: { connector: "sftp-drop", name: "bad", settings } });
    const body = await answer.json();
    assert.deepEqual([answer.status, body.errors?.[0]?.pointer], [400, pointer], JSON.stringify(body));
  }
});

test("a seal says what was sent: another size or digest is refused, and the same seal twice is one run", async () => {
  const id = await connect();
  const bridge = await caller();
  await held(bridge);
  const upload = (await bridge.post(`/connections/${id}/uploads`, { name: "a.csv" })).body.upload;
  const put = (part: string, body: string) =>
    bridge.ask(`/v1/bridge/uploads/${upload.id}/parts/${part}`, {
      method: "PUT",
      body,
      headers: { "muster-bridge": bridge.id, "content-type": "application/octet-stream" },
    });
  assert.equal((await put("1", "email\n")).status, 204);
  assert.equal((await put("zero", "email\n")).status, 400);
  assert.equal((await put("2", "x".repeat(8 * 1024 * 1024 + 1))).status, 413);
  const breaking = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("ema"));
      controller.error(new TypeError("connection reset"));
    },
  });
  const broken = await bridge.ask(`/v1/bridge/uploads/${upload.id}/parts/1`, {
    method: "PUT",
    body: breaking,
    headers: { "content-type": "application/octet-stream" },
  });
  assert.equal(broken.status, 422, "and the part is still what it was");
  const sha256 = await digestOf("email\n");
  const sealing = { bytes: 6, sha256, folder: "/incoming", name: "a.csv", modified_at: 1 };
  assert.equal((await bridge.post(`/uploads/${upload.id}/seal`, { ...sealing, bytes: 7 })).status, 422);
  assert.equal((await bridge.post(`/uploads/${upload.id}/seal`, { ...sealing, sha256: "0".repeat(64) })).status, 422);
  const first = await bridge.post(`/uploads/${upload.id}/seal`, sealing);
  const again = await bridge.post(`/uploads/${upload.id}/seal`, sealing);
  assert.deepEqual([first.status, again.body], [200, first.body]);
  assert.equal((await put("2", "email\n")).status, 409);
  const gone = await bridge.ask(`/v1/bridge/uploads/${upload.id}`, {
    method: "DELETE",
    headers: { "muster-bridge": bridge.id },
  });
  assert.equal(gone.status, 409);
  // The same file once more, before it was put away: two at once, and neither is a second run.
  const twice = await Promise.all([1, 2].map(async () => {
    const { upload } = (await bridge.post(`/connections/${id}/uploads`, { name: "a.csv" })).body;
    await bridge.ask(`/v1/bridge/uploads/${upload.id}/parts/1`, {
      method: "PUT",
      body: "email\n",
      headers: { "muster-bridge": bridge.id, "content-type": "application/octet-stream" },
    });
    return await bridge.post(`/uploads/${upload.id}/seal`, sealing);
  }));
  for (const { body } of twice) assert.deepEqual(body, { ...first.body, repeated: true });
  const [runs] = await hub.db.rows<[number]>(sql`select count(*) from runs where connection_id =
    (select max(id) from connections)`);
  assert.equal(runs![0], 1);
  // Nothing of this is another bridge's.
  const other = await caller();
  for (const path of [`/uploads/${upload.id}/seal`]) assert.equal((await other.post(path, sealing)).status, 409);
  assert.equal((await other.post(`/files/${first.body.file}/settle`)).status, 409);
  assert.equal((await bridge.post(`/files/${first.body.file}/settle`)).status, 204);
  assert.equal((await bridge.post("/files/fil_00000009999/settle")).status, 404);
  assert.equal((await bridge.post("/uploads/upl_00000009999/seal", sealing)).status, 404);
  await Promise.all([bridge, other].map(remove));
});

test("what is brought back is there to be fetched, for the bridge that holds it", async () => {
  const id = await connect();
  const bridge = await caller(), other = await caller();
  await held(bridge);
  const { upload } = (await bridge.post(`/connections/${id}/uploads`, { name: "a.csv" })).body;
  const headers = { "muster-bridge": bridge.id };
  await bridge.ask(`/v1/bridge/uploads/${upload.id}/parts/1`, {
    method: "PUT",
    body: "email\nx\n",
    headers: { ...headers, "content-type": "application/octet-stream" },
  });
  const sha256 = await digestOf("email\nx\n");
  const sealed = await bridge.post(`/uploads/${upload.id}/seal`, {
    bytes: 8,
    sha256,
    folder: "/incoming",
    name: "a.csv",
    modified_at: 5,
  });
  const { file } = sealed.body;
  const taken = (modified: number, by = bridge) =>
    by.ask(`/v1/bridge/connections/${id}/taken?folder=%2Fincoming&name=a.csv&bytes=8&modified_at=${modified}`, {
      headers: { "muster-bridge": by.id },
    });
  assert.deepEqual(await (await taken(5)).json(), { taken: true });
  assert.deepEqual(await (await taken(6)).json(), { taken: false });
  assert.equal((await taken(5, other)).status, 409);
  const content = await bridge.ask(`/v1/bridge/files/${file}/content`, { headers });
  assert.equal(await content.text(), "email\nx\n");
  const read = () => bridge.ask(`/v1/bridge/files/${file}/report`, { headers });
  assert.equal((await read()).status, 404);
  const signal = new AbortController().signal;
  while (await runNext(hub, { signal, owner: "test", rethrow: true }) !== null);
  const report = await read();
  assert.equal(report.headers.get("content-type"), "text/csv; charset=utf-8");
  assert.match(await report.text(), /^email,_severity,.*,_line\r\nx,error,email_invalid/);
  for (const path of ["content", "report"]) {
    const foreign = await other.ask(`/v1/bridge/files/${file}/${path}`, { headers: { "muster-bridge": other.id } });
    assert.equal(foreign.status, 409);
    const none = await bridge.ask(`/v1/bridge/files/fil_00000009999/${path}`, { headers });
    assert.equal(none.status, 404);
  }
  // A report is no note: it waits until it may be written.
  assert.deepEqual(await bridge.post(`/files/${file}/refused`), { status: 200, body: { mailed: false } });
  assert.equal((await other.post(`/files/${file}/refused`)).status, 409);
  assert.equal((await bridge.post("/files/fil_00000009999/refused")).status, 404);
  const left = { name: "b.csv", since: 1, why: "empty" };
  assert.equal((await bridge.post(`/connections/${id}/not-used`, left)).status, 204);
  assert.equal((await other.post(`/connections/${id}/not-used`, left)).status, 409);
  assert.equal((await bridge.post(`/files/${file}/returned`)).status, 204);
  assert.equal((await other.post(`/files/${file}/returned`)).status, 409);
  assert.equal((await bridge.post("/files/fil_00000009999/returned")).status, 404);
  const upload2 = (await bridge.post(`/connections/${id}/uploads`, { name: "b.csv" })).body.upload;
  const drop = (by: Caller) =>
    by.ask(`/v1/bridge/uploads/${upload2.id}`, { method: "DELETE", headers: { "muster-bridge": by.id } });
  assert.deepEqual([(await drop(other)).status, (await drop(bridge)).status, (await drop(bridge)).status], [
    409,
    204,
    404,
  ]);
  await Promise.all([bridge, other].map(remove));
});

test("secrets are handed out encrypted to the bridge's key, and each time is in the audit", async () => {
  const bridge = await caller(), other = await caller();
  const id = await connect(REMOTE);
  const of = async () => (await held(bridge)).find((each) => each.id === id);
  assert.equal((await of()).secrets_version, null);
  const number = decodeId("con", id)!;
  const owner = { id: number, organizationId: hub.organization.id };
  const set = async (values: Record<string, string>) =>
    hub.db.write(writeSecrets(hub.db, owner, await sealSecrets(hub.secrets, number, values), hub.clock.ms));
  await set({ password: "correct horse" });
  const first = (await of()).secrets_version;
  const { status, body } = await bridge.post(`/connections/${id}/secrets`);
  assert.equal(status, 200);
  assert.doesNotMatch(JSON.stringify(body), /correct/);
  const key = await importJWK(await crypto.subtle.exportKey("jwk", bridge.privateKey) as JWK, "ECDH-ES");
  const { plaintext } = await compactDecrypt(body.jwe, key);
  assert.deepEqual(JSON.parse(new TextDecoder().decode(plaintext)), { password: "correct horse" });
  hub.clock.ms += 1000;
  await set({ passphrase: "x" });
  assert.notEqual((await of()).secrets_version, first);
  assert.equal((await other.post(`/connections/${id}/secrets`)).status, 409);
  const lines = await hub.db.rows<[string]>(sql`select subjects from audit_entries where action = 'secret.handed_out'`);
  assert.deepEqual(lines, [[JSON.stringify([id, bridge.id])]]);
  await Promise.all([bridge, other].map(remove));
});

test("the hub's own bridge is confirmed at once, and acts as the hub", async () => {
  const text = createTokenText();
  const own = { ...hub, ownBridge: { tokenHash: hashToken(text) } };
  const ask = createAsk(own, text);
  const hello = await ask("/v1/bridge/hello", {
    json: { name: "own", version: "0.1.0", public_key: await publicKey(), hosted: HOSTED },
    headers: { "x-request-id": "own-hello" },
  });
  const { bridge } = await hello.json();
  assert.equal(bridge.confirmed, true);
  const lines = await hub.db.rows<[string, string]>(
    sql`select action, actor_kind from audit_entries where request_id = 'own-hello' order by seq`,
  );
  assert.deepEqual(lines, [["bridge.introduced", "hub"], ["bridge.confirmed", "hub"]]);
  assert.equal((await ask("/v1/users")).status, 403);
  await operator(`/v1/bridges/${bridge.id}`, { method: "DELETE" });
});

test("those who wait for the operator do not grow without end", async () => {
  const ask = createAsk(hub, await createTestToken(hub, { scopes: ["bridge"] }));
  let refused = 0;
  for (let i = 0; i < 101; i++) {
    const hello = await ask("/v1/bridge/hello", {
      json: { name: "many", version: "0.1.0", public_key: await publicKey(), hosted: null },
    });
    if (hello.status === 403) refused++;
  }
  assert.equal(refused, 1);
  await hub.db.write([hub.db.orm.run(sql`delete from bridges`) as never]);
});

async function digestOf(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
