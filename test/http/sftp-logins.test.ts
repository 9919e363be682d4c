/** Log-ins at the hosted server: what an admin makes and is shown once, and what the hub answers a bridge that asks. */
import { Buffer } from "node:buffer";
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ssh2 } from "../../src/bridge/ssh2.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { createRates } from "../../src/security/rates.ts";
import { createKeyPair } from "../../src/security/sftp-login.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { introduceBridge, type Introduced } from "../support/introduce.ts";

let hub: TestHub;
let admin: Ask;
let operator: Ask;
let connection: string;
let bridge: { ask: Ask; id: string };

const PATH = "/v1/connections/hr/sftp-login";
const SERVER = { host: "sftp.example.com", port: 22, host_key: `SHA256:${"a".repeat(43)}` };

async function introduce(): Promise<{ ask: Ask; id: string }> {
  const ask = createAsk(hub, await createTestToken(hub, { scopes: ["bridge"] }));
  const pair = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const hello = { name: "one", version: "0.1.0", public_key: { kty, crv, x, y }, hosted: SERVER };
  const { bridge } = await (await ask("/v1/bridge/hello", { json: hello })).json();
  await operator(`/v1/bridges/${bridge.id}/confirm`, { method: "POST" });
  return { ask, id: bridge.id };
}

before(async () => {
  hub = await createTestHub({ registry: createRegistry() });
  // As the doors have it; the limit is one of its own tests.
  Object.assign(hub, { rates: createRates({ requests: 0, logins: 20 }, hub.now) });
  admin = createAsk(hub, await createTestToken(hub));
  operator = createAsk(hub, await createTestToken(hub, { scopes: ["admin", "operator"] }));
  const made = await admin("/v1/connections", {
    json: { connector: "sftp-drop", name: "HR", slug: "hr", preset: "betterworks" },
  });
  connection = (await made.json()).id;
  bridge = await introduce();
  await bridge.ask("/v1/bridge/connections", { json: {}, headers: { "muster-bridge": bridge.id } });
});
after(() => hub.close());

async function make(json: object, path = PATH) {
  const answer = await admin(path, { json });
  return { status: answer.status, etag: answer.headers.get("etag"), body: await answer.json() };
}

/** What the hub answers a bridge. */
async function logIn(attempt: object, { ask, id } = bridge): Promise<string | null> {
  const answer = await ask("/v1/bridge/logins", {
    json: { address: "192.0.2.7", ...attempt },
    headers: { "muster-bridge": id },
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return (await answer.json()).connection;
}

async function actions(action: string): Promise<number> {
  const { data } = await (await admin(`/v1/audit?action=${action}`)).json();
  return data.length;
}

test("before anything is made nobody logs in, and the answer says where one will", async () => {
  const answer = await admin(PATH);
  assert.equal(answer.headers.get("etag"), '"0"');
  assert.deepEqual(await answer.json(), { username: null, password: null, keys: [], server: SERVER, version: 0 });
  assert.equal((await admin(PATH, { method: "DELETE" })).status, 404);
});

let password: string;

test("a password is made and shown once, lets in, and is stored as a slow hash alone", async () => {
  const { status, body, etag } = await make({ method: "password" });
  assert.equal(status, 201);
  assert.equal(etag, '"1"');
  assert.match(body.username, /^hr-[0-9a-z]{8}$/);
  assert.match(body.password, /^([0-9a-z]{5}-){4}[0-9a-z]{5}$/);
  assert.deepEqual(body.server, SERVER);
  password = body.password;
  const read = await (await admin(PATH)).text();
  assert.ok(!read.includes(password));
  assert.equal(JSON.parse(read).password.set, true);
  const [[hash]] = await hub.db.rows<[string]>(sql`select password_hash from sftp_logins`) as [[string]];
  assert.match(hash, /^\$scrypt\$ln=14,r=8,p=1\$/);
  const { username } = body;
  assert.equal(await logIn({ username, password }), connection);
  assert.equal(await logIn({ username, password }), connection, "and again");
  assert.equal(await logIn({ username, password: `${password}x` }), null);
  assert.equal(await logIn({ username }), null);
  assert.equal(await logIn({ username: "nobody-0123abcd", password }), null);
  assert.equal(await actions("sftp_login.used"), 1);
  assert.equal(await actions("sftp_login.refused"), 1);
  assert.ok(!JSON.stringify(hub.lines).includes(password));
});

test("a new password ends the old one, and the user's name stays", async () => {
  const stale = await admin(PATH, { json: { method: "password" }, headers: { "if-match": '"999"' } });
  assert.equal(stale.status, 412);
  const before = (await (await admin(PATH)).json()).username;
  const { body } = await make({ method: "password" });
  assert.equal(body.username, before);
  assert.notEqual(body.password, password);
  assert.equal(await logIn({ username: before, password }), null);
  assert.equal(await logIn({ username: before, password: body.password }), connection);
  password = body.password;
});

test("the same request under its key is answered again without the secret", async () => {
  const send = async () => {
    const answer = await admin(PATH, { json: { method: "key_pair" }, headers: { "idempotency-key": "once" } });
    return await answer.json();
  };
  const first = await send();
  const second = await send();
  assert.match(first.private_key, /^-----BEGIN OPENSSH PRIVATE KEY-----\n/);
  assert.deepEqual([second.private_key, second.code], [null, "shown_once"]);
  assert.equal(second.keys.length, first.keys.length);
  await admin(PATH, { method: "PATCH", json: { keys: [] } });
});

test("a key pair is made in OpenSSH's form, its private half is shown once, and its public half lets in", async () => {
  const { status, body } = await make({ method: "key_pair", name: "HR server" });
  assert.equal(status, 201);
  const parsed = ssh2.utils.parseKey(body.private_key);
  if (parsed instanceof Error) throw parsed;
  assert.equal(parsed.isPrivateKey(), true);
  const publicKey = `${parsed.type} ${parsed.getPublicSSH().toString("base64")}`;
  const [key] = body.keys;
  assert.deepEqual([key.name, key.type, key.made_by], ["HR server", "ssh-ed25519", "hub"]);
  const signed = parsed.sign(Buffer.from("what is signed"));
  assert.equal(parsed.verify(Buffer.from("what is signed"), signed), true);
  assert.equal(await logIn({ username: body.username, public_key: publicKey }), connection);
  assert.ok(!(await (await admin(PATH)).text()).includes("PRIVATE"));
  const stored = await hub.db.rows<[string]>(sql`select * from sftp_keys`);
  assert.ok(!JSON.stringify(stored).includes("PRIVATE"));
});

test("public keys are taken as their owners have them, and distinguished by their fingerprints", async () => {
  const comment = "hr@example.com";
  for (const [type, bits] of [["ed25519", 0], ["rsa", 2048], ["ecdsa", 521]] as const) {
    const pair = type === "ed25519"
      ? { public: `${(await createKeyPair("")).text} ${comment}` }
      : ssh2.utils.generateKeyPairSync(type as "rsa", { bits, comment });
    const { status, body } = await make({ method: "public_key", public_key: `${pair.public}\n` });
    assert.equal(status, 201, JSON.stringify(body));
    const key = body.keys.find(({ made_by, name }: Record<string, string>) => made_by === "admin" && name === comment);
    assert.match(key.fingerprint, /^SHA256:[A-Za-z0-9+/]{43}$/);
    const publicKey = pair.public.split(" ").slice(0, 2).join(" ");
    assert.equal(await logIn({ username: body.username, public_key: publicKey }), connection);
    const again = await make({ method: "public_key", public_key: pair.public });
    assert.deepEqual([again.status, again.body.code], [409, "conflict"]);
  }
  const stranger = (await createKeyPair("")).text;
  const { username } = await (await admin(PATH)).json();
  assert.equal(await logIn({ username, public_key: stranger }), null);
});

test("what is no key, a private one, or a weak one is refused with what it should be", async () => {
  const weak = ssh2.utils.generateKeyPairSync("rsa", { bits: 1024 });
  const pair = await createKeyPair("");
  const good = { public: pair.text, private: pair.privateKey };
  const cases: [string | undefined, RegExp][] = [
    [undefined, /is required/],
    ["", /should be one line, like ssh-ed25519/],
    ["hello", /should be one line/],
    [weak.public, /has 1024 bits; an RSA key should have 2048/],
    [good.private, /is a private key, which nobody else should have/],
    [good.public.slice(0, 40), /cut off or changed/],
    [good.public.replace("ssh-ed25519 ", "ssh-rsa "), /cut off or changed/],
    ["ssh-dss AAAAB3NzaC1kc3MAAAAA", /is of type "ssh-dss"; it should be ssh-ed25519/],
    ["---- BEGIN SSH2 PUBLIC KEY ----", /ssh-keygen -i/],
  ];
  for (const [public_key, message] of cases) {
    const { status, body } = await make({ method: "public_key", public_key });
    assert.equal(status, 400, String(public_key));
    assert.match(body.errors[0].detail, message);
    assert.equal(body.errors[0].pointer, "/public_key");
    assert.ok(!JSON.stringify(body).includes("PRIVATE KEY-----"));
  }
  assert.equal((await make({ method: "password", public_key: good.public })).status, 400);
});

test("keys and the password are taken away one by one, and then all of it", async () => {
  const { username, keys, version } = await (await admin(PATH)).json();
  const stale = await admin(PATH, { method: "PATCH", json: { password: null }, headers: { "if-match": '"999"' } });
  assert.equal(stale.status, 412);
  const kept = keys[0].fingerprint;
  const changed = await admin(PATH, {
    method: "PATCH",
    json: { password: null, keys: [kept] },
    headers: { "if-match": `"${version}"` },
  });
  const body = await changed.json();
  assert.deepEqual([body.password, body.keys.map((key: { fingerprint: string }) => key.fingerprint)], [null, [kept]]);
  assert.equal(await logIn({ username, password }), null);
  assert.equal((await admin(PATH, { method: "DELETE" })).status, 204);
  assert.equal((await (await admin(PATH)).json()).username, null);
  assert.deepEqual(await hub.db.rows(sql`select 1 from sftp_keys`), []);
});

test("a bridge that sends nothing, or no JSON, is answered what it should send", async () => {
  const headers = { "muster-bridge": bridge.id };
  assert.equal((await bridge.ask("/v1/bridge/logins", { json: {}, headers })).status, 400);
  const type = { "content-type": "text/plain" };
  const plain = await bridge.ask("/v1/bridge/logins", { method: "POST", body: "{}", headers: { ...headers, ...type } });
  assert.equal(plain.status, 415);
  assert.equal((await admin("/v1/bridge/logins", { json: {}, headers })).status, 403);
});

test("a bridge learns of no connection but its own", async () => {
  const { body } = await make({ method: "password" });
  const other = await introduce();
  const { username, password } = body;
  assert.equal(await logIn({ username, password }, other), null);
  assert.equal(await logIn({ username, password }), connection);
});

test("a guesser is soon refused, while a client that logged in recently is not", async () => {
  const { username } = await (await admin(PATH)).json();
  const { body } = await make({ method: "password" });
  assert.equal(await logIn({ username, password: body.password, address: "192.0.2.9" }), connection);
  for (let i = 0; i < 21; i++) await logIn({ username: "nobody", public_key: "x", address: "192.0.2.9" });
  assert.equal(
    await logIn({ username, password: body.password, address: "192.0.2.9" }),
    connection,
    "known from lately",
  );
  const fresh = (await make({ method: "password" })).body.password;
  assert.equal(await logIn({ username, password: fresh, address: "192.0.2.9" }), null, "not asked any more");
  assert.equal(await logIn({ username, password: fresh, address: "192.0.2.10" }), connection);
  hub.clock.ms += 60_000;
  assert.equal(await logIn({ username, password: fresh, address: "192.0.2.9" }), connection);
});

test("only hosted connections have log-ins, and one that is deleted takes its own along", async () => {
  for (const path of ["/v1/connections/csv/sftp-login", "/v1/connections/api/sftp-login"]) {
    const { status, body } = await make({ method: "password" }, path);
    assert.deepEqual([status, body.code], [422, "unprocessable"]);
  }
  assert.equal((await admin("/v1/connections/hr", { method: "DELETE" })).status, 204);
  assert.deepEqual(await hub.db.rows(sql`select 1 from sftp_logins`), []);
});

test("the answer has the server at once on a new connection, of the bridge that it then goes to", async () => {
  const own = await createTestHub({ registry: createRegistry() });
  try {
    const operator = createAsk(own, await createTestToken(own, { scopes: ["admin", "operator"] }));
    const make = async (organization = "default") => {
      const headers = { "muster-organization": organization };
      const json = { connector: "sftp-drop", name: "HR", slug: crypto.randomUUID().slice(0, 8) };
      const { id } = await (await operator("/v1/connections", { json, headers })).json();
      const path = `/v1/connections/${id}/sftp-login`;
      const { server } = await (await operator(path, { json: { method: "password" }, headers })).json();
      return { id, server, later: async () => (await (await operator(path, { headers })).json()).server };
    };
    await operator("/v1/organizations", { json: { slug: "acme", name: "Acme", timezone: "Europe/Berlin" } });
    const at = (host: string) => ({ ...SERVER, host });
    const held = async ({ ask }: Introduced): Promise<string[]> =>
      (await (await ask("/v1/bridge/connections", { json: {} })).json()).connections.map(({ id }: { id: string }) =>
        id
      );

    // Only where no bridge has ever been there does it say nothing; one that is not confirmed is none.
    const first = await make();
    await introduceBridge(own, null, { hosted: at("posing.example.com") });
    assert.deepEqual([first.server, await first.later()], [null, null]);
    const one = await introduceBridge(own, operator, { hosted: at("one.example.com") });
    await introduceBridge(own, operator, { hosted: null });
    assert.deepEqual(await first.later(), at("one.example.com"));

    // Of several it goes to the one that was named, however soon another one asks.
    const two = await introduceBridge(own, operator, { hosted: at("two.example.com") });
    const second = await make();
    assert.deepEqual(second.server, at("one.example.com"));
    assert.ok(!(await held(two)).includes(second.id));
    assert.ok((await held(one)).includes(second.id));

    // One that serves other organizations alone is passed by, and so is one that was not heard of lately.
    const narrow = await operator("/v1/tokens", {
      json: { name: "bridge", scopes: ["bridge"], organizations: ["acme"], expires_in_days: null },
    });
    own.clock.ms += 10 * 60_000;
    await introduceBridge(own, operator, { token: (await narrow.json()).token, hosted: at("acme.example.com") });
    assert.deepEqual((await make("acme")).server, at("acme.example.com"));
    const third = await make();
    assert.deepEqual(third.server, at("one.example.com"), "silent, and the best that is known");
    await held(two);
    assert.deepEqual((await make()).server, at("two.example.com"));
    assert.deepEqual(await third.later(), at("two.example.com"), "it went to the first one that came");
  } finally {
    own.close();
  }
});
