/** The runtime's scrypt is the hub's own, and leaves the thread to others. */
import assert from "node:assert/strict";
import test from "node:test";
import { createScrypt } from "../../src/runtime/scrypt.ts";
import { hashPassword, isPassword } from "../../src/security/sftp-login.ts";

test("what the hub has hashed itself, the runtime's own scrypt recognizes, and nothing else", async () => {
  const scrypt = createScrypt();
  const stored = await hashPassword("k7m2p-9qrst");
  assert.equal(await isPassword("k7m2p-9qrst", stored, scrypt), true);
  assert.equal(await isPassword("k7m2p-9qrsu", stored, scrypt), false);
  assert.equal(await isPassword("k7m2p-9qrst", null, scrypt), false);
});

test("hashes wait for each other, and timers do not wait for them", async () => {
  const scrypt = createScrypt();
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const hashes = Array.from(
    { length: 8 },
    (_, i) => scrypt(`guess ${i}`, new Uint8Array(16), { N: 2 ** 14, r: 8, p: 1, dkLen: 32 }),
  );
  assert.equal(new Set((await Promise.all(hashes)).map((hash) => hash.join())).size, 8);
  clearInterval(timer);
  assert.ok(ticks > 8, `${ticks} ticks`);
});
