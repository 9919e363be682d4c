import assert from "node:assert/strict";
import test from "node:test";
import {
  createMasterKeyText,
  createNoSecrets,
  createSecrets,
  isMasterKeyText,
  masterKeyId,
} from "../../src/security/secrets.ts";

const KEY = createMasterKeyText();

test("what is sealed opens again for its purpose alone, and never reads the same", async () => {
  const secrets = await createSecrets([KEY]);
  const sealed = await secrets.seal("webhook-endpoint:1", "whsec_very secret");
  assert.equal(await secrets.open("webhook-endpoint:1", sealed), "whsec_very secret");
  assert.notEqual(await secrets.seal("webhook-endpoint:1", "whsec_very secret"), sealed);
  await assert.rejects(secrets.open("webhook-endpoint:2", sealed), /not for "webhook-endpoint:2"/);
  const header = JSON.parse(atob(sealed.split(".")[0]!.replace(/-/g, "+").replace(/_/g, "/")));
  assert.deepEqual(header, { alg: "dir", enc: "A256GCM", kid: await masterKeyId(KEY), purpose: "webhook-endpoint:1" });
});

test("a sealed text that was touched does not open, and the fault says nothing of it", async () => {
  const secrets = await createSecrets([KEY]);
  const sealed = await secrets.seal("test", "whsec_very secret");
  const parts = sealed.split(".");
  const flip = (text: string) => (text[3] === "A" ? text.slice(0, 3) + "B" : text.slice(0, 3) + "A") + text.slice(4);
  const header = btoa(JSON.stringify({ alg: "dir", enc: "A256GCM", kid: await masterKeyId(KEY), purpose: "other" }));
  const touched = [
    ...[2, 3, 4].map((at) => parts.map((part, i) => i === at ? flip(part) : part).join(".")),
    [header.replace(/=+$/, ""), ...parts.slice(1)].join("."),
    "nonsense",
    "",
  ];
  for (const text of touched) {
    await assert.rejects(secrets.open("test", text), (error: Error) => {
      assert.match(error.message, /^A stored secret does not open/);
      return error.cause === undefined;
    });
  }
});

test("a secret of an earlier key opens while that key is at hand, and can be sealed again with the current one", async () => {
  const old = await createSecrets([KEY]);
  const sealed = await old.seal("test", "plain");
  const next = createMasterKeyText();
  const both = await createSecrets([next, KEY]);
  assert.equal(await both.open("test", sealed), "plain");
  const again = (await both.reseal(sealed))!;
  assert.equal(await both.reseal(again), null);
  const alone = await createSecrets([next]);
  assert.equal(await alone.open("test", again), "plain");
  const missing = new RegExp(`master key "${await masterKeyId(KEY)}"`);
  await assert.rejects(alone.open("test", sealed), missing);
  // A process that was started before another one rotated looks for the keys as they are now.
  const started = await createSecrets([KEY], () => Promise.resolve([next, KEY]));
  assert.equal(await started.open("test", again), "plain");
});

test("what is derived is the same for the same purpose and key, and tells neither another purpose nor the key", async () => {
  const secrets = await createSecrets([KEY]);
  const links = await secrets.derive("links");
  assert.equal(links.length, 32);
  assert.deepEqual(await (await createSecrets([KEY])).derive("links"), links);
  assert.notDeepEqual(await secrets.derive("cursors"), links);
  const next = createMasterKeyText();
  const both = await createSecrets([next, KEY]);
  assert.notDeepEqual(await both.derive("links"), links);
  assert.deepEqual(await both.deriveAll("links"), [await both.derive("links"), links]);
});

test("a master key has one text only", () => {
  assert.ok(isMasterKeyText(KEY));
  assert.ok(!isMasterKeyText("A".repeat(42) + "B"), "its last digit carries bits of nothing");
  for (const text of ["", KEY.slice(1), `${KEY}A`, `${KEY.slice(1)}+`]) assert.ok(!isMasterKeyText(text));
});

test("without a master key whatever needs one says so", async () => {
  await assert.rejects(createNoSecrets().seal("test", "plain"), /MUSTER_MASTER_KEY is not set/);
  await assert.rejects(createNoSecrets().derive("test"), /MUSTER_MASTER_KEY is not set/);
});
