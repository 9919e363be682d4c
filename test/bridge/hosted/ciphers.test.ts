/** Which cipher a client of the hosted server is offered, and that every kind of client can log in. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import fc from "fast-check";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect as dial, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { chooseCipher } from "../../../src/bridge/hosted/ciphers.ts";
import { type Hello, type Proposal, readHello } from "../../../src/bridge/hosted/hello.ts";
import { connect, done, PASSWORD, sftp, startHosted, type TestServer } from "../../support/hosted.ts";
import { collect } from "../../support/memory.ts";
import { without } from "../../support/programs.ts";
import { onlyInCheck } from "../../support/rounds.ts";

const CHACHA20 = "chacha20-poly1305@openssh.com";
const GCM = "aes128-gcm@openssh.com", GCM_256 = "aes256-gcm@openssh.com";
const ANYBODYS = [GCM_256, GCM, "aes256-ctr", "aes192-ctr", "aes128-ctr"];
/** As OpenSSH 9.2 asks for them. */
const OPENSSH = [CHACHA20, "aes128-ctr", "aes192-ctr", "aes256-ctr", GCM, GCM_256];
const MACS = ["umac-64-etm@openssh.com", "hmac-sha2-256-etm@openssh.com", "hmac-sha1"];
const fastest = "Deno" in globalThis ? CHACHA20 : GCM;

/** A client's first words. `strict`: as those have it who know of Terrapin. */
function hello({ ciphers = OPENSSH, macs = MACS, strict = true, name = "SSH-2.0-Test_1.0" }: {
  ciphers?: string[];
  macs?: string[];
  strict?: boolean;
  name?: string;
} = {}): Buffer {
  const kex = ["curve25519-sha256", "ext-info-c", ...(strict ? ["kex-strict-c-v00@openssh.com"] : [])];
  const lists = [kex, ["ssh-ed25519"], ciphers, ciphers, macs, macs, ["none"], ["none"], [], []].map((names) => {
    const text = Buffer.from(names.join(","));
    return Buffer.concat([Buffer.from([0, 0, text.length >>> 8, text.length & 255]), text]);
  });
  const payload = Buffer.concat([Buffer.from([20]), randomBytes(16), ...lists, Buffer.alloc(5)]);
  const padding = 8 - (payload.length + 5) % 8 + 4;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(1 + payload.length + padding);
  head[4] = padding;
  return Buffer.concat([Buffer.from(`${name}\r\n`), head, payload, Buffer.alloc(padding)]);
}

function proposalOf(hello: Hello): Proposal {
  assert.equal(hello.kind, "proposal");
  return (hello as Extract<Hello, { kind: "proposal" }>).proposal;
}

/** What the server offers to somebody who says that, in one piece. */
async function offerTo({ port }: TestServer, sent: Buffer): Promise<Proposal> {
  const socket = dial(port, "127.0.0.1");
  socket.write(sent);
  let heard = Buffer.alloc(0);
  try {
    for await (const chunk of socket) {
      heard = Buffer.concat([heard, chunk]);
      const hello = readHello(heard);
      assert.notEqual(hello.kind, "unclear", heard.toString("latin1"));
      if (hello.kind === "proposal") return hello.proposal;
    }
  } finally {
    socket.destroy();
  }
  throw new Error(`It was sent away after ${heard.toString("latin1")}`);
}

test("a client is offered one cipher, of its own the one that this runtime is fastest with", async () => {
  const server = await startHosted();
  try {
    assert.deepEqual((await offerTo(server, hello())).ciphers, [fastest]);
    for (const name of OPENSSH) {
      assert.deepEqual((await offerTo(server, hello({ ciphers: ["none", name] }))).ciphers, [name]);
    }
  } finally {
    await server.close();
  }
});

test("ChaCha20 is offered to nobody whose packets could be taken away unseen", async () => {
  const server = await startHosted();
  try {
    const { ciphers } = await offerTo(server, hello({ strict: false }));
    assert.equal(ciphers.length, 1);
    assert.notEqual(ciphers[0], CHACHA20);
    assert.deepEqual((await offerTo(server, hello({ strict: false, ciphers: [CHACHA20] }))).ciphers, ANYBODYS);
  } finally {
    await server.close();
  }
});

test("a client that waits for the server's list is offered all that is safe with anybody", async () => {
  const server = await startHosted({ limits: { proposalMs: 100 } });
  try {
    const offered = await offerTo(server, Buffer.from("SSH-2.0-Renci.SshNet.SshClient.0.0.1\r\n"));
    assert.deepEqual(offered.ciphers, ANYBODYS);
    assert.ok(offered.macs.includes("hmac-sha2-256"));
    assert.deepEqual((await offerTo(server, hello({ ciphers: ["aes256-cbc"] }))).ciphers, ANYBODYS);
  } finally {
    await server.close();
  }
});

test("the order is the runtime's between kinds of ciphers, and the client's within one", () => {
  const proposal = { ciphers: OPENSSH, macs: MACS, isStrict: true };
  assert.equal(chooseCipher(proposal, ["chacha20", "ctr", "gcm"]), CHACHA20);
  assert.equal(chooseCipher({ ...proposal, isStrict: false }, ["chacha20", "ctr", "gcm"]), "aes128-ctr");
  assert.equal(chooseCipher(proposal, ["gcm", "ctr", "chacha20"]), GCM);
  assert.equal(chooseCipher({ ...proposal, ciphers: [GCM_256, GCM] }, ["ctr", "gcm"]), GCM_256);
  // Counter mode needs a MAC, and a client that has none of ours gets what needs none.
  assert.equal(chooseCipher({ ...proposal, macs: ["hmac-sha1"] }, ["ctr", "gcm"]), GCM);
  assert.equal(chooseCipher({ ...proposal, macs: ["hmac-sha1"], ciphers: ["aes128-ctr"] }, ["ctr", "gcm"]), null);
  assert.equal(chooseCipher({ ...proposal, ciphers: ["aes128-cbc", "3des-cbc", ""] }), null);
});

test("what a client proposes is the same in whatever pieces it comes, and nothing else is taken for it", () => {
  const whole = hello();
  const { ciphers, macs, isStrict } = proposalOf(readHello(whole));
  assert.deepEqual([ciphers, macs, isStrict], [OPENSSH, MACS, true]);
  for (let end = 0; end < whole.length; end++) assert.equal(readHello(whole.subarray(0, end)).kind, "partial");
  assert.equal(readHello(Buffer.concat([whole, randomBytes(50)])).kind, "proposal");
  for (const sent of ["GET / HTTP/1.1\r\n", "\n", "SSH-2.0-x\r\n\x00\x00\x00\x0c\x0a\x02", "x".repeat(9000)]) {
    assert.equal(readHello(Buffer.from(sent, "latin1")).kind, "unclear", sent);
  }
  fc.assert(fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
    const broken = Buffer.from(whole);
    broken[at] = byte;
    return ["partial", "unclear", "proposal"].includes(readHello(broken).kind);
  }));
});

test("a client that speaks byte by byte gets in, and so does one behind a slow line", async () => {
  const server = await startHosted({ limits: { proposalMs: 100 } });
  // The first two kilobytes come singly; of the second client they come after the server has given up waiting for them.
  for (const pauseMs of [0, 300]) {
    const line = createServer((near) => {
      const far = dial(server.port, "127.0.0.1").setNoDelay(true);
      let passed = 0;
      far.pipe(near);
      near.on("data", async (data: Buffer) => {
        near.pause();
        for (let at = 0; at < data.length; passed++, at++) {
          if (passed === 20) await new Promise((resolve) => setTimeout(resolve, pauseMs));
          far.write(passed < 2000 ? data.subarray(at, at + 1) : data.subarray(at));
          if (passed >= 2000) break;
        }
        near.resume();
      });
      near.on("error", () => {}).on("close", () => far.destroy());
      far.on("error", () => {}).on("close", () => near.destroy());
    });
    await new Promise<void>((resolve) => line.listen(0, "127.0.0.1", resolve));
    try {
      const { client, sftp } = await connect({ port: (line.address() as AddressInfo).port }, "con_a");
      assert.equal((await done<unknown[]>((then) => sftp.readdir("/", then))).length, 1);
      client.end();
    } finally {
      line.close();
    }
  }
  await server.close();
});

test("OpenSSH gets a file in whole with every cipher it asks for, and with a change of keys in the midst of it", {
  skip: onlyInCheck || without("sftp", "openssh-client"),
}, async () => {
  const work = mkdtempSync(join(tmpdir(), "muster-ciphers-"));
  const server = await startHosted();
  try {
    const content = randomBytes(3_000_001), path = join(work, "file");
    writeFileSync(path, content);
    const sha256 = createHash("sha256").update(content).digest("hex");
    for (const [i, cipher] of [OPENSSH.join(), ...OPENSSH].entries()) {
      const options = [`-oCiphers=${cipher}`, "-oRekeyLimit=1M"];
      const ran = await sftp(server, "con_a", [`put ${path} incoming/${i}.csv`], { password: PASSWORD, options });
      assert.equal(ran.code, 0, ran.out);
      assert.equal((await server.takes(({ name }) => name === `${i}.csv`)).sha256, sha256, cipher);
    }
  } finally {
    await server.close();
    rmSync(work, { recursive: true, force: true });
  }
});

/** What Deno has of ciphers that were not ended, in this thread. */
function openCiphers(): number {
  // deno-lint-ignore no-explicit-any
  const { Deno } = globalThis as any;
  const names: string[] = Object.values(Deno[Deno.internal].core.resources());
  return names.filter((name) => name.startsWith("crypto")).length;
}

/** Collects what nobody uses until it is enough, at most so many times. */
async function collected(isEnough: () => boolean, most: number): Promise<void> {
  for (let i = 0; i < most && !isEnough(); i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Many packets over one connection, which have at most so many ciphers. */
async function visit(server: Awaited<ReturnType<typeof startHosted>>, cipher: string, most: number): Promise<void> {
  const { client, sftp } = await connect(server, "con_a", { algorithms: { cipher: [cipher as "aes256-ctr"] } });
  for (let i = 0; i < 20; i++) await done((then) => sftp.readdir("/", then));
  assert.ok(openCiphers() <= most, `${openCiphers()} with ${cipher}`);
  const gone = new Promise<void>((resolve) => void client.once("close", () => resolve()));
  client.end();
  await gone;
}

test("neither a packet nor a connection leaves a cipher behind", {
  skip: "Deno" in globalThis ? onlyInCheck : "Node lets go of a cipher that nobody uses",
}, async () => {
  const server = await startHosted();
  try {
    const ciphers = [CHACHA20, GCM, "aes256-ctr"];
    // What the first connection of a kind makes once for all is there before anything is counted.
    for (const cipher of ciphers) await visit(server, cipher, Infinity);
    await collected(() => false, 20);
    const before = openCiphers();
    for (const cipher of ciphers) {
      await visit(server, cipher, before + 4);
      await collected(() => openCiphers() <= before, 200);
      assert.ok(openCiphers() <= before, `${openCiphers()} are left of ${cipher}, and ${before} were there`);
    }
  } finally {
    await server.close();
  }
});
