/** Messages that nobody honest would send, each decrypted beside this thread: refused, in bounds, while this one is free. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createDecrypt } from "../../../src/runtime/threads/decrypting.ts";
import { Fault } from "../../../src/model/errors.ts";
import { type Decryption, openEncrypted } from "../../../src/intake/decrypt.ts";
import { createKeyPair } from "../../../src/security/pgp.ts";
import { sleep } from "../../../src/std/sleep.ts";
import * as hostile from "../../support/hostile-pgp.ts";
import { streamOf } from "../../intake/bytes.ts";
import { onlyInCheck, onlyInCheckOnDeno, rounds } from "../../support/rounds.ts";

const NOW = Date.now();
const TEXT = "email\n" + "ana@acme.test\n".repeat(100);
const key = await createKeyPair("ecc", "Muster", NOW);
const rsa = await createKeyPair("rsa", "Muster", NOW);

function knowing(pair = key, decrypt = createDecrypt()): Decryption {
  const own = [{ ...pair, retired: null, open: () => Promise.resolve(pair.privateKey) }];
  const pause = (signal: AbortSignal) => sleep(100, signal).catch(() => {});
  return { own, signers: [], signatureRequired: false, now: NOW, maxBytes: 2 ** 30, pause, decrypt };
}

const dropOf = (bytes: Uint8Array) => ({
  name: "people.csv.pgp",
  contentType: "text/csv",
  bytes: bytes.length,
  open: () => streamOf(bytes),
});

async function refusal(bytes: Uint8Array, decryption = knowing()): Promise<Fault> {
  const error = await openEncrypted(dropOf(bytes), decryption)
    .then((drop) => drop.prove(() => Promise.resolve()))
    .then(() => null, (error) => error);
  assert.ok(error instanceof Fault, `should have been refused: ${error?.stack ?? error}`);
  return error;
}

test("an honest message is read beside this thread, as often as it is asked for, and may be left in its middle", async () => {
  const text = TEXT.repeat(1000);
  const sealed = await hostile.seal(key.publicKey, hostile.deflated(hostile.literal(text)));
  const encrypted = await openEncrypted(dropOf(sealed), knowing());
  await encrypted.prove(() => Promise.resolve());
  for (let i = 0; i < 2; i++) {
    const left = (encrypted.drop.open() as ReadableStream<Uint8Array>).getReader();
    assert.ok((await left.read()).value!.length > 0);
    await left.cancel();
    const all = new Response(encrypted.drop.open() as ReadableStream<Uint8Array<ArrayBuffer>>);
    assert.equal(await all.text(), text);
  }
});

test("a message of two kilobytes that unpacks to a gigabyte is stopped, and this thread is free meanwhile", async () => {
  const bomb = await hostile.seal(key.publicKey, hostile.bzip2Bomb(30));
  assert.ok(bomb.length < 2000);
  let turns = 0;
  const turning = setInterval(() => turns++, 10);
  const { code } = await refusal(bomb);
  clearInterval(turning);
  assert.equal(code, "too_large");
  assert.ok(turns > 10, `only ${turns} turns`);
});

test("a damaged message that the library never comes back from is let go of", { skip: onlyInCheckOnDeno }, async () => {
  const sealed = await hostile.seal(key.publicKey, hostile.deflated(hostile.literal(TEXT)));
  sealed[119]! ^= 0x41;
  const started = performance.now();
  assert.match((await refusal(sealed)).code, /input_incomplete|decryption_failed/);
  // It was eleven seconds by the clock.
  assert.ok(performance.now() - started < 30_000);
});

test("packets inside one another end at some level", { skip: onlyInCheck }, async () => {
  const { code } = await refusal(await hostile.seal(key.publicKey, hostile.nested(hostile.literal(TEXT), 1000)));
  assert.match(code, /too_large|input_incomplete/);
});

test("a message for hundreds of keys is refused before any is tried", async () => {
  const started = performance.now();
  for (
    const [bytes, pair] of [
      [await hostile.sealForMany(key.publicKey, TEXT, rounds(300, 60)), key],
      [await hostile.sealForRsa(rsa.publicKey, rsa.keyIds[1]!, 3000), rsa],
      [await hostile.sealForRsa(rsa.publicKey, "0000000000000000", 3000), rsa],
    ] as const
  ) {
    const { code, message } = await refusal(bytes, knowing(pair));
    assert.equal(code, "decryption_failed");
    assert.match(message, /is encrypted for \d+ keys, which are too many to try/);
  }
  assert.ok(performance.now() - started < 30_000);
});

test("a message with several session keys that all open for the hub is refused: each would be tried on the data", async () => {
  const { code, message } = await refusal(await hostile.sealForMany(key.publicKey, TEXT, 10));
  assert.deepEqual([code, /has 11 session keys/.test(message)], ["decryption_failed", true]);
});

test("a thread that says nothing for too long is ended, whatever it does", async () => {
  const packets = hostile.unknownPackets(1_500_000);
  const sealed = await hostile.seal(key.publicKey, packets);
  const decryption = knowing(key, createDecrypt({ silentBeats: 4, beatMs: 50 }));
  const { code } = await refusal(sealed, decryption);
  assert.match(code, /decryption_failed|too_large/);
  // And the next message has another.
  const good = await openEncrypted(
    dropOf(await hostile.seal(key.publicKey, hostile.literal(TEXT))),
    { ...decryption, decrypt: createDecrypt() },
  );
  await good.prove(() => Promise.resolve());
});

test("data behind the data is not read to its end", { skip: onlyInCheck }, async () => {
  for (const packets of [hostile.unknownPackets(1_500_000), hostile.signatures(rounds(300_000, 20_000))]) {
    const joined = new Uint8Array(await new Blob([hostile.literal(TEXT) as never, packets as never]).arrayBuffer());
    assert.match((await refusal(await hostile.seal(key.publicKey, joined))).code, /too_large|input_incomplete/);
  }
});
