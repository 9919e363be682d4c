/** OpenPGP keys of a connection over the API: made, registered, read, retired, deleted, and what is refused. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after, before, test } from "node:test";
import { armor, enums, generateKey, readKey } from "openpgp";
import { createKeyPair } from "../../src/security/pgp.ts";
import { createNoSecrets } from "../../src/security/secrets.ts";
import { MAX_PGP_KEYS } from "../../src/store/connections/pgp-keys.ts";
import { pgpKeys } from "../../src/store/connections/schema-pgp.ts";
import { packet } from "../support/hostile-pgp.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";

const KEYS = "/v1/connections/csv/pgp-keys";

let hub: TestHub;
let ask: Ask;
/** A customer's public key. */
let theirs: string;

before(async () => {
  hub = await createTestHub();
  ask = createAsk(hub, await createTestToken(hub));
  theirs = (await createKeyPair("ecc", "HR of Acme", hub.clock.ms)).publicKey;
});
after(() => hub.close());

// deno-lint-ignore no-explicit-any
async function post(path: string, json: unknown = {}, as = ask): Promise<{ status: number; body: any }> {
  const answer = await as(path, { json });
  return { status: answer.status, body: await answer.json() };
}

async function connect(slug: string, connector = "csv-upload"): Promise<string> {
  assert.equal((await post("/v1/connections", { connector, name: slug, slug })).status, 201);
  return `/v1/connections/${slug}/pgp-keys`;
}

test("the hub makes an RSA key of 3072 bits unless another is asked for, and never shows its private half", async () => {
  const answer = await ask(KEYS, { json: {} });
  assert.equal(answer.status, 201);
  assert.equal(answer.headers.get("etag"), '"1"');
  const text = await answer.text();
  assert.doesNotMatch(text, /PRIVATE/);
  const { id, owner, status, fingerprint, public_key, retired_at } = JSON.parse(text);
  assert.match(id, /^pgp_/);
  assert.deepEqual([owner, status, retired_at], ["hub", "active", null]);
  const key = await readKey({ armoredKey: public_key });
  assert.equal(key.getFingerprint().toUpperCase(), fingerprint);
  assert.deepEqual(key.getAlgorithmInfo(), { algorithm: "rsaEncryptSign", bits: 3072 });
  assert.deepEqual(key.getUserIDs(), ["Muster for Default: CSV upload"]);
  const ecc = (await post(KEYS, { type: "ecc" })).body;
  assert.equal((await readKey({ armoredKey: ecc.public_key })).getAlgorithmInfo().algorithm, "eddsaLegacy");
  for (const path of [KEYS, `${KEYS}/${id}`]) {
    const shown = await (await ask(path)).text();
    assert.ok(shown.includes(fingerprint) && !shown.includes("PRIVATE"), path);
  }
});

test("keys are listed in the order they were made, page by page, and read one by one", async () => {
  const keys = await connect("listed");
  const made = [];
  for (const json of [{ type: "ecc" }, { public_key: theirs }, { type: "ecc" }]) {
    made.push((await post(keys, json)).body.id);
  }
  const first = await (await ask(`${keys}?limit=2`)).json();
  const second = await (await ask(`${keys}?limit=2&cursor=${first.next_cursor}`)).json();
  assert.deepEqual([...first.data, ...second.data].map(({ id }) => id), made);
  assert.equal(second.next_cursor, null);
  assert.equal((await (await ask(`${keys}/${made[1]}`)).json()).owner, "customer");
  assert.equal((await ask(`${keys}/pgp_00000000999`)).status, 404);
  assert.equal((await ask(`${KEYS}/${made[1]}`)).status, 404, "it is another connection's");
});

test("a retired key stays to be named, its private half is destroyed, and a deleted one is gone", async () => {
  const keys = await connect("retired");
  const { id } = (await post(keys, { type: "ecc" })).body;
  hub.clock.ms += 1000;
  const stale = await ask(`${keys}/${id}/retire`, { method: "POST", headers: { "if-match": '"7"' } });
  assert.equal(stale.status, 412);
  const retired = await ask(`${keys}/${id}/retire`, { method: "POST" });
  assert.equal(retired.headers.get("etag"), '"2"');
  const body = await retired.json();
  assert.deepEqual([body.status, body.retired_at], ["retired", new Date(hub.clock.ms).toISOString()]);
  assert.deepEqual((await post(`${keys}/${id}/retire`)).body, body, "again, nothing changes");
  const rows = await hub.db.orm.select().from(pgpKeys);
  assert.ok(rows.some(({ retiredAt, privateKey }) => retiredAt !== null && privateKey === null));
  assert.equal((await ask(`${keys}/${id}`, { method: "DELETE" })).status, 204);
  assert.equal((await ask(`${keys}/${id}`)).status, 404);
});

test("a customer's key is kept as it is, once, and anything else is refused by what it is", async () => {
  const keys = await connect("customers");
  const { status, body } = await post(keys, { public_key: `\n${theirs}\n` });
  assert.deepEqual([status, body.owner, body.public_key], [201, "customer", theirs]);
  const again = await post(keys, { public_key: theirs });
  assert.deepEqual([again.status, again.body.code], [409, "conflict"]);
  const { privateKey } = await createKeyPair("ecc", "HR of Acme", hub.clock.ms);
  const expired = await generateKey({
    type: "curve25519",
    userIDs: [{ name: "Old" }],
    date: new Date(hub.clock.ms - 86_400_000),
    keyExpirationTime: 60,
  });
  for (
    const [json, detail] of [
      [{ public_key: privateKey }, /is a private key, which nobody else should ever have/],
      [{ public_key: theirs + theirs }, /holds more than one key/],
      [{ public_key: "hello" }, /is not an armored OpenPGP key/],
      [{ public_key: theirs.slice(0, 300) }, /is not an armored OpenPGP key/],
      [{ public_key: expired.publicKey }, /can neither be encrypted for nor verify signatures: .*expired/],
      [{ public_key: theirs, type: "rsa" }, /either created or registered/],
      [{ public_key: "x".repeat(100_001) }, /at most 100000 characters/],
    ] as const
  ) {
    const refused = await post(keys, json);
    assert.deepEqual([refused.status, refused.body.code], [400, "invalid_request"]);
    assert.match(refused.body.detail, detail);
    assert.doesNotMatch(refused.body.detail, /BEGIN PGP PRIVATE/);
  }
});

test("a key that would take long to calculate with is refused before anybody does", async () => {
  const [primary, ...rest] = (await readKey({ armoredKey: theirs })).toPacketList() as unknown as {
    write(): Uint8Array;
  }[];
  const tags = [13, 2, 14, 2];
  const body = (tag: number) => rest[tags.indexOf(tag)]!.write();
  const armored = (...packets: Uint8Array[]) => armor(enums.armor.publicKey, Buffer.concat(packets));
  const number = (bits: number) => Buffer.concat([Uint8Array.of(bits >> 8, bits & 255), Buffer.alloc(bits >> 3, 0xff)]);
  const rsa = (...numbers: Uint8Array[]) => packet(6, Buffer.concat([Uint8Array.of(4, 0, 0, 0, 1, 1), ...numbers]));
  const refused = {
    "more than 20 subkeys": [packet(6, primary!.write()), ...Array(21).fill(packet(14, body(14)))],
    "more than 150 signatures": [
      packet(6, primary!.write()),
      packet(13, body(13)),
      ...Array(151).fill(packet(2, body(2))),
    ],
    "larger numbers than RSA with 8192 bits": [rsa(number(60_000), number(16))],
    "an exponent of more than 64 bits": [rsa(number(4096), number(4096))],
    "is a private key": [packet(5, primary!.write())],
  };
  for (const [why, packets] of Object.entries(refused)) {
    const { status, body: problem } = await post(KEYS, { public_key: armored(...packets) });
    assert.equal(status, 400);
    assert.match(problem.errors[0].detail, new RegExp(why));
  }
});

test("a connection that fetches has no files to be encrypted, but reports that are", async () => {
  const keys = await connect("fetching", "fetched");
  assert.equal((await post(keys)).status, 422);
  assert.equal((await post(keys, { public_key: theirs })).status, 201);
});

test("a connection has a limited number of keys, and each goes with it", async () => {
  const keys = await connect("full");
  const { id: connection } = await (await ask("/v1/connections/full")).json();
  const { connectionId } = (await hub.db.orm.select().from(pgpKeys)).at(-1)!;
  await post(keys, { public_key: theirs });
  const mine = (await hub.db.orm.select().from(pgpKeys)).at(-1)!;
  assert.notEqual(mine.connectionId, connectionId);
  const rows = Array.from({ length: MAX_PGP_KEYS - 1 }, (_, i) => ({ ...mine, id: 1000 + i, fingerprint: `F${i}` }));
  await hub.db.write([
    hub.db.orm.insert(pgpKeys).values(rows.slice(0, 8)),
    hub.db.orm.insert(pgpKeys).values(rows.slice(8)),
  ]);
  const refused = await post(keys, { type: "ecc" });
  assert.deepEqual([refused.status, refused.body.code], [409, "conflict"]);
  assert.match(refused.body.detail, /"full" has 20 keys; delete those that are retired/);
  assert.equal((await ask(`/v1/connections/${connection}`, { method: "DELETE" })).status, 204);
  assert.ok((await hub.db.orm.select().from(pgpKeys)).every((key) => key.connectionId !== mine.connectionId));
});

test("a hub without a master key keeps no private keys, and says so", async () => {
  const bare = createAsk({ ...hub, secrets: createNoSecrets() }, await createTestToken(hub));
  const { status, body } = await post(KEYS, { type: "ecc" }, bare);
  assert.deepEqual([status, body.code], [503, "unavailable"]);
});

test("an organization's keys go with it", async () => {
  const operator = createAsk(hub, await createTestToken(hub, { scopes: ["admin", "operator"] }));
  assert.equal((await post("/v1/organizations", { slug: "acme", name: "Acme" }, operator)).status, 201);
  const headers = { "muster-organization": "acme" };
  assert.equal((await operator(KEYS, { json: { type: "ecc" }, headers })).status, 201);
  const before = (await hub.db.orm.select().from(pgpKeys)).length;
  assert.equal((await operator("/v1/organizations/acme", { method: "DELETE" })).status, 204);
  assert.equal((await hub.db.orm.select().from(pgpKeys)).length, before - 1);
});
