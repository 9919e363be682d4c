/** Encrypted drops as bytes: whatever GnuPG writes is read, and whatever was done to it since is found. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { deflateSync } from "node:zlib";
import process from "node:process";
import fc from "fast-check";
import {
  AEADEncryptedDataPacket,
  createMessage,
  encrypt,
  encryptSessionKey,
  enums,
  generateKey,
  readKey,
} from "openpgp";
import type { DropSource } from "../../src/connector.ts";
import { Fault } from "../../src/model/errors.ts";
import { type Decryption, isEncryptedDrop, openEncrypted, type OwnKey } from "../../src/intake/decrypt.ts";
import { parsePgpHead } from "../../src/intake/pgp-head.ts";
import { createKeyPair, type KeyType, parsePublicKey } from "../../src/security/pgp.ts";
import { sleep } from "../../src/std/sleep.ts";
import { createGpg, type Gpg, WITHOUT_GPG } from "../support/gpg.ts";
import { memoryInUse, mostMemoryOf } from "../support/memory.ts";
import { onlyInCheck, onlyInCheckOnDeno } from "../support/rounds.ts";
import { installInflate } from "../../src/runtime/inflate.ts";
import { streamOf } from "./bytes.ts";

installInflate();
const NOW = Date.now();
const ANA = "Ana <ana@acme.test>";
const PLAIN = "employee_id,email\n" +
  Array.from({ length: 4000 }, (_, i) => `${i},person${(i * 7919) % 10007}@acme.test\n`).join("");

/** What nobody has caught would stop the hub. */
const uncaught: unknown[] = [];
process.on("unhandledRejection", (reason) => uncaught.push(reason));

let gpg: Gpg;
const keys: Partial<Record<KeyType, OwnKey & { publicKey: string }>> = {};

before(async () => {
  const ecc = await createKeyPair("ecc", "Muster <for> (HR) @ Acme", NOW);
  // Shorter than the hub's own, and sooner made.
  const rsa = await generateKey({ type: "rsa", rsaBits: 2048, userIDs: [{ name: "RSA" }], date: new Date(NOW - 5000) });
  const facts = await parsePublicKey(rsa.publicKey, NOW);
  keys.ecc = { ...ecc, retired: null, open: () => Promise.resolve(ecc.privateKey) };
  keys.rsa = { ...facts, retired: null, open: () => Promise.resolve(rsa.privateKey) };
  if (WITHOUT_GPG !== false) return;
  gpg = createGpg();
  for (const key of Object.values(keys)) gpg.importKey(key.publicKey);
});
after(async () => {
  gpg?.close();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(uncaught, []);
});

function dropOf(bytes: Uint8Array, name = "people.csv.pgp", sizes?: readonly number[]): DropSource {
  return { name, contentType: "text/csv", bytes: bytes.length, open: () => streamOf(bytes, sizes) };
}

function knowing(...own: OwnKey[]): Decryption {
  return { own, signers: [], signatureRequired: false, now: NOW, maxBytes: 1024 * 1024 * 1024, pause };
}

/** Each pause is short, so that a message that got stuck is soon found. */
const pause = (signal: AbortSignal) => sleep(50, signal).catch(() => {});

/** What is in the drop, once it is proven. */
async function read(drop: DropSource, decryption: Decryption): Promise<string> {
  const encrypted = await openEncrypted(drop, decryption);
  await encrypted.prove(() => Promise.resolve());
  return await new Response(encrypted.drop.open() as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

async function refused(drop: DropSource, decryption: Decryption): Promise<Fault> {
  const error = await read(drop, decryption).then(() => null, (error) => error);
  assert.ok(error instanceof Fault, `should have been refused: ${error}`);
  assert.doesNotMatch(error.message, /undefined|null|\.$/);
  return error;
}

const own = (type: KeyType) => keys[type]!;
const encrypted = (type: KeyType, ...more: string[]) => gpg.encrypt(PLAIN, [own(type).fingerprint], more);

test("what gpg encrypts is read: RSA and ECC, binary and armored, packed in every way and not at all", {
  skip: WITHOUT_GPG,
}, async () => {
  for (const type of ["rsa", "ecc"] as const) {
    const ways = [
      [],
      ["--armor"],
      ["--compress-algo", "none"],
      ["--compress-algo", "zip"],
      [
        "--compress-algo",
        "bzip2",
      ],
      ["--textmode"],
      ["--cipher-algo", "AES128"],
      ["--throw-keyids"],
    ];
    if (gpg.knows("--force-ocb")) ways.push(["--force-ocb"], ["--force-ocb", "--armor"]);
    for (const way of type === "rsa" ? ways.slice(0, 2) : ways) {
      const text = await read(dropOf(encrypted(type, ...way)), knowing(own("rsa"), own("ecc")));
      assert.equal(text.replaceAll("\r\n", "\n"), PLAIN, `${type} ${way.join(" ")}`);
    }
  }
});

test("a message with AEAD is read, as newer programs write it: in either form of it", async () => {
  const config = { aeadProtect: true };
  const pair = await generateKey({ type: "curve25519", userIDs: [{ name: "Newer" }], format: "object", config });
  const newer: OwnKey = {
    ...own("ecc"),
    keyIds: pair.publicKey.getKeys().map((key) => key.getKeyID().toHex().toUpperCase()),
    open: () => Promise.resolve(pair.privateKey.armor()),
  };
  const message = await createMessage({ binary: new TextEncoder().encode(PLAIN) });
  const encryptionKeys = pair.publicKey;
  const sealed = await encrypt({ message, encryptionKeys, format: "binary", config }) as Uint8Array;
  assert.equal(parsePgpHead(sealed)?.data, "aead");
  assert.equal(await read(dropOf(sealed), knowing(newer)), PLAIN);

  // LibrePGP's, which gpg writes from 2.3 on.
  const data = crypto.getRandomValues(new Uint8Array(32));
  const plain = await createMessage({ binary: new TextEncoder().encode(PLAIN) });
  const packet = new AEADEncryptedDataPacket() as unknown as {
    encrypt(algorithm: number, key: Uint8Array): Promise<void>;
    readonly chunkSizeByte: number;
    readonly iv: Uint8Array;
    readonly encrypted: Iterable<Uint8Array>;
  };
  Object.assign(packet, { packets: plain.packets, aeadAlgorithm: enums.aead.ocb });
  await packet.encrypt(enums.symmetric.aes256, data);
  // It is filled in the background.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const head = Uint8Array.of(1, enums.symmetric.aes256, enums.aead.ocb, packet.chunkSizeByte, ...packet.iv);
  const body = new Uint8Array([...head, ...[...packet.encrypted].flatMap((chunk) => [...chunk])]);
  const session = await encryptSessionKey({
    data,
    algorithm: "aes256",
    encryptionKeys,
    format: "binary",
  }) as Uint8Array;
  const header = Uint8Array.of(0xd4, 0xff, ...new Uint8Array(new Uint32Array([body.length]).buffer).reverse());
  const older = new Uint8Array([...session, ...header, ...body]);
  assert.equal(parsePgpHead(older)?.data, "aead");
  assert.equal(await read(dropOf(older), knowing(newer)), PLAIN);
  // Of pieces that are too large to be held only the head is looked at.
  const huge = older.slice();
  huge[session.length + header.length + 3] = 30;
  assert.match((await refused(dropOf(huge), knowing(newer))).message, /pieces of more than 4 MiB/);
});

test(
  "it is read the same in any chunks, and as often as it is asked for",
  { skip: WITHOUT_GPG || onlyInCheckOnDeno },
  async () => {
    const [binary, armored] = [encrypted("ecc"), encrypted("ecc", "--armor")];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 5 }), async (sizes) => {
        for (const bytes of [binary, armored]) {
          assert.equal(await read(dropOf(bytes, "people.csv.pgp", sizes), knowing(own("ecc"))), PLAIN);
        }
      }),
      { numRuns: 15 },
    );
    const opened = await openEncrypted(dropOf(binary), knowing(own("ecc")));
    await opened.prove(() => Promise.resolve());
    const stopped = opened.drop.open().getReader();
    await stopped.read();
    await stopped.cancel();
    for (let i = 0; i < 2; i++) {
      assert.equal(await new Response(opened.drop.open() as ReadableStream<Uint8Array<ArrayBuffer>>).text(), PLAIN);
    }
  },
);

test("one of several recipients is enough", { skip: WITHOUT_GPG }, async () => {
  gpg.makeKey(ANA);
  const bytes = gpg.encrypt(PLAIN, [ANA, own("rsa").fingerprint]);
  assert.equal(await read(dropOf(bytes), knowing(own("ecc"), own("rsa"))), PLAIN);
});

test("encrypted files are known by how they begin, and by their name", { skip: WITHOUT_GPG }, async () => {
  for (const bytes of [encrypted("rsa"), encrypted("ecc"), encrypted("ecc", "--armor")]) {
    assert.ok(await isEncryptedDrop(dropOf(bytes, "people.csv")));
  }
  for (const name of ["people.csv.pgp", "PEOPLE.GPG", "people.asc"]) {
    assert.ok(await isEncryptedDrop(dropOf(new TextEncoder().encode("email\n"), name)));
  }
  for (const text of ["email\n", "", "\u00c3\u0085\u0001,\n", "Ã,…\n", "\ufeffemail\n", "… ,email\n"]) {
    assert.equal(await isEncryptedDrop(dropOf(new TextEncoder().encode(text), "people.csv")), false, text);
  }
});

test("the name of what is in it is left, so that the reader is picked by that", { skip: WITHOUT_GPG }, async () => {
  const { drop } = await openEncrypted(dropOf(encrypted("ecc"), "people.json.pgp"), knowing(own("ecc")));
  assert.equal(drop.name, "people.json");
});

test("one that is changed in any byte, or cut off anywhere, is never used", { skip: WITHOUT_GPG }, async () => {
  const whole = { packed: encrypted("ecc"), plain: encrypted("ecc", "--compress-algo", "none") };
  const places = (length: number) => [100, 150, 170, 400, length >> 1, length - 25, length - 10, length - 1];
  for (const bytes of Object.values(whole)) {
    for (const place of places(bytes.length)) {
      const changed = bytes.slice();
      changed[place]! ^= 0x41;
      const fault = await refused(dropOf(changed), knowing(own("ecc")));
      assert.match(fault.code, /^(input_incomplete|decryption_failed)$/, `${place}: ${fault.message}`);
      if (place > 400) assert.equal(fault.code, "input_incomplete");
      const cut = await refused(dropOf(bytes.slice(0, place)), knowing(own("ecc")));
      if (place > 400) assert.equal(cut.code, "input_incomplete", `${place}: ${cut.message}`);
    }
  }
  const armored = encrypted("ecc", "--armor");
  assert.equal((await refused(dropOf(armored.slice(0, 3000)), knowing(own("ecc")))).code, "input_incomplete");
});

test("one that is encrypted for somebody else says whose key should be used", { skip: WITHOUT_GPG }, async () => {
  const { code, message } = await refused(dropOf(encrypted("rsa")), knowing(own("ecc")));
  assert.equal(code, "decryption_failed");
  const sub = own("rsa").keyIds[1]!;
  assert.equal(
    message,
    `The file is encrypted with the key ${sub}, which is not one of the connection's: encrypt it with the connection's key ${
      own("ecc").fingerprint
    }`,
  );
  assert.match((await refused(dropOf(encrypted("rsa")), knowing())).message, /has no key to open it with: make a key/);
});

test("one that is encrypted with a retired key says when that was, and which key it is now", {
  skip: WITHOUT_GPG,
}, async () => {
  const retired = { ...own("rsa"), retired: "2026-02-03" };
  const { message } = await refused(dropOf(encrypted("rsa")), knowing(retired, own("ecc")));
  assert.match(
    message,
    new RegExp(`${retired.fingerprint}, which was retired on 2026-02-03: .* ${own("ecc").fingerprint}`),
  );
});

test("what is no encrypted message says what it is instead", { skip: WITHOUT_GPG }, async () => {
  const decryption = knowing(own("ecc"));
  const message = async (bytes: Uint8Array | string, name?: string) =>
    (await refused(dropOf(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes, name), decryption))
      .message;
  gpg.makeKey("Bo <bo@acme.test>");
  assert.match(await message(gpg.run(["--sign", "--local-user", "bo@acme.test"], PLAIN)), /not encrypted, only signed/);
  assert.match(
    await message(gpg.run(["--clear-sign", "--local-user", "bo@acme.test"], PLAIN)),
    /signed but not encrypted/,
  );
  assert.match(await message(own("ecc").publicKey), /is a public key: register it/);
  assert.match(await message(await own("ecc").open()), /is a private key: keep it to yourself/);
  assert.match(await message(PLAIN), /named like an encrypted one, but is not an OpenPGP message/);
  assert.match(await message(new Uint8Array(5000).fill(0x85)), /is not an OpenPGP message/);
  assert.match(await message(new Uint8Array()), /is not an OpenPGP message/);
  assert.match(
    await message(Uint8Array.of(0x84, 0x0c, 3, 1, 2, 3, 4, 5, 6, 7, 8, 1, 0, 0, 0xc9, 0x01, 1, 1, 1, 1)),
    /old way/,
  );
  const byPassword = gpg.run(
    ["--pinentry-mode", "loopback", "--passphrase", "secret", "--symmetric"],
    PLAIN,
  );
  assert.match(
    await message(byPassword),
    /with a password, which the hub does not have: encrypt it with the connection's/,
  );
});

test(
  "a small file that unpacks to far more than it may is stopped early",
  { skip: onlyInCheck || WITHOUT_GPG },
  async () => {
    const fill = new Uint8Array(96 * 1024 * 1024).fill(0x61);
    const bomb = gpg.encrypt(fill, [own("ecc").fingerprint]);
    assert.ok(bomb.length < 200_000);
    const { code } = await refused(dropOf(bomb), { ...knowing(own("ecc")), maxBytes: 1024 * 1024 });
    assert.equal(code, "too_large");
    // A packet that has to be held whole, of which nothing comes out until it has been: a signature of many megabytes.
    const inner = new Uint8Array(80 * 1024 * 1024);
    inner.set([0x8a, 0x04, 0xff, 0xff, 0xff], 0);
    const hidden = dropOf(await sealPackets(packed(inner)));
    const most = await mostMemoryOf(async () => {
      assert.match((await refused(hidden, knowing(own("ecc")))).code, /too_large|input_incomplete/);
    });
    assert.ok(most < 40e6, `${Math.round(most / 1e6)} MB more`);
  },
);

test("a file with thousands of signatures is refused before any of them is looked at", async () => {
  const signatures = Array.from(
    { length: 20_000 },
    (_, i) => [0xc4, 13, 3, 0, 8, 1, 1, 2, 3, 4, 5, 6, i >> 8, i & 255, 0],
  );
  const literal = [0xcb, 10, 0x62, 0, 0, 0, 0, 0, 0x61, 0x2c, 0x62, 0x0a];
  const { code, message } = await refused(
    dropOf(await sealPackets(new Uint8Array([...signatures.flat(), ...literal]))),
    knowing(own("ecc")),
  );
  assert.deepEqual([code, message], ["decryption_failed", "The file has more than 10 signatures: sign it once"]);
});

/** A compressed packet (zlib) of these bytes. */
function packed(inner: Uint8Array): Uint8Array {
  const body = deflateSync(inner);
  const packet = new Uint8Array(body.length + 2);
  packet.set([0xa3, 2]);
  packet.set(body, 2);
  return packet;
}

/** Packets that no program would write, encrypted for the hub as any other. */
async function sealPackets(packets: Uint8Array): Promise<Uint8Array> {
  const message = await createMessage({ binary: new Uint8Array() });
  Object.assign(message, { packets: { write: () => packets } });
  return await encrypt({
    message,
    encryptionKeys: await readKey({ armoredKey: own("ecc").publicKey }),
    format: "binary",
  }) as Uint8Array;
}

test("what goes wrong around the message is not taken for the message's own fault", { skip: WITHOUT_GPG }, async () => {
  const bytes = gpg.encrypt(PLAIN.repeat(8), [own("ecc").fingerprint], ["--compress-algo", "none"]);
  const encrypted = await openEncrypted(dropOf(bytes), knowing(own("ecc")));
  await assert.rejects(
    encrypted.prove(() => Promise.reject(new Error("The lease is lost"))),
    /^Error: The lease is lost$/,
  );
  let opened = 0;
  const failing: DropSource = {
    ...dropOf(bytes),
    open() {
      if (opened++ < 1) return streamOf(bytes);
      let chunks = 0;
      return new ReadableStream({
        pull(controller) {
          if (chunks++ < 5) controller.enqueue(bytes.subarray((chunks - 1) * 65536, chunks * 65536));
          else controller.error(new Error("The database is away"));
        },
      });
    },
  };
  const away = await openEncrypted(failing, knowing(own("ecc")));
  await assert.rejects(away.prove(() => Promise.resolve()), /^Error: The database is away$/);
});

test(
  "rows that are much alike are no bomb, however they are packed",
  { skip: WITHOUT_GPG || onlyInCheckOnDeno },
  async () => {
    const rows = "employee_id,first_name,last_name\n".repeat(200_000);
    for (const algorithm of ["zlib", "bzip2"]) {
      const bytes = gpg.encrypt(rows, [own("ecc").fingerprint], ["--compress-algo", algorithm]);
      assert.equal((await read(dropOf(bytes), knowing(own("ecc")))).length, rows.length, algorithm);
    }
  },
);

test("a big file is read without holding it", { skip: onlyInCheck || WITHOUT_GPG }, async () => {
  const size = 64 * 1024 * 1024;
  const bytes = new Uint8Array(size);
  // Text of which packing makes a third, as it does of people.
  for (let i = 0; i < size; i += 65536) bytes.set(crypto.getRandomValues(new Uint8Array(16384)), i + 16384 * (i % 3));
  const drop = dropOf(gpg.encrypt(bytes, [own("ecc").fingerprint]));
  const before = memoryInUse();
  const encrypted = await openEncrypted(drop, knowing(own("ecc")));
  let most = 0, steps = 0;
  await encrypted.prove(() => {
    if (steps++ % 8 === 0) most = Math.max(most, memoryInUse() - before);
    return Promise.resolve();
  });
  assert.ok(steps > 10, `${steps} steps`);
  assert.ok(most < 24e6, `${Math.round(most / 1e6)} MB more, of ${size / 1e6}`);
});

test("signatures count where they are asked for, and a wrong one never passes", { skip: WITHOUT_GPG }, async () => {
  const publicKey = gpg.makeKey("Cy <cy@acme.test>", "rsa2048");
  const other = gpg.makeKey("Di <di@acme.test>");
  const facts = (armored: string) => parsePublicKey(armored, Date.now() + 5000);
  const [cy, di] = [await facts(publicKey), await facts(other)];
  const decryption = { ...knowing(own("ecc")), now: Date.now(), signatureRequired: true, signers: [cy] };
  const by = (...names: string[]) => encrypted("ecc", "--sign", ...names.flatMap((name) => ["--local-user", name]));
  assert.equal(await read(dropOf(by("cy@acme.test")), decryption), PLAIN);
  assert.equal(await read(dropOf(by("di@acme.test", "cy@acme.test")), decryption), PLAIN);
  assert.equal(await read(dropOf(by("cy@acme.test")), { ...decryption, signers: [di, cy] }), PLAIN);
  assert.match(
    (await refused(dropOf(encrypted("ecc")), decryption)).message,
    new RegExp(`is not signed, .*: sign it with the key ${cy.fingerprint}$`),
  );
  assert.match(
    (await refused(dropOf(by("di@acme.test")), decryption)).message,
    new RegExp(`signed with the key ${di.fingerprint.slice(-16)}, which is not registered here`),
  );
  assert.match((await refused(dropOf(by("cy@acme.test")), { ...decryption, signers: [] })).message, /knows no key/);
  // Not asked for, it may be anybody's.
  assert.equal(await read(dropOf(by("di@acme.test")), { ...decryption, signatureRequired: false }), PLAIN);
});
