import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadHostKey } from "../../src/bridge/hosted/host-key.ts";
import { ssh2 } from "../../src/bridge/ssh2.ts";
import { createKeyPair } from "../../src/security/sftp-login.ts";

test("the host key is made once, even when several servers start at the same time, and never replaced", async () => {
  const dir = mkdtempSync(join(tmpdir(), "muster-key-"));
  try {
    const both = await Promise.all([loadHostKey(dir), loadHostKey(dir), loadHostKey(dir)]);
    assert.equal(new Set(both.map(({ fingerprint }) => fingerprint)).size, 1);
    assert.match(both[0]!.fingerprint, /^SHA256:[A-Za-z0-9+/]{43}$/);
    assert.deepEqual(await loadHostKey(dir), both[0]);
    const file = join(dir, "host-key");
    writeFileSync(file, "spoiled");
    await assert.rejects(loadHostKey(dir), /holds no private key/);
    assert.equal(readFileSync(file, "utf8"), "spoiled");
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test("every key pair that the hub makes is one that others can read", async () => {
  for (let i = 0; i < 300; i++) {
    const { privateKey, text } = await createKeyPair(`key ${i}`);
    const parsed = ssh2.utils.parseKey(privateKey);
    if (parsed instanceof Error) throw parsed;
    assert.equal(`${parsed.type} ${parsed.getPublicSSH().toString("base64")}`, text);
    assert.equal(parsed.verify(Buffer.from("x"), parsed.sign(Buffer.from("x"))), true);
  }
});
