/** What the hosted server does with those who mean no good: nothing leaves a tree, and everything has a limit. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect as dial, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Client } from "ssh2";
import { connect, done, PASSWORD, sftp, startHosted, type TestServer } from "../../support/hosted.ts";
import { mostMemoryOf } from "../../support/memory.ts";
import { without } from "../../support/programs.ts";
import { ssh2 } from "../../../src/bridge/ssh2.ts";
import { onlyInCheck, rounds } from "../../support/rounds.ts";

let work: string;
before(() => void (work = mkdtempSync(join(tmpdir(), "muster-attacks-"))));
after(() => rmSync(work, { recursive: true, force: true }));

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !condition(); i++) await pause(20);
  assert.ok(condition(), String(condition));
}

/** Everything below the folder, by path: what it is and holds. */
function all(dir: string, below = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(join(dir, below))) {
    const path = join(below, name), stats = lstatSync(join(dir, path));
    if (stats.isDirectory()) Object.assign(found, all(dir, path));
    else found[path] = stats.isFile() ? readFileSync(join(dir, path), "latin1") : "link";
  }
  return found;
}

/** A channel on which packets are written as they are. */
function raw(client: Client) {
  return new Promise<import("ssh2").ClientChannel>((resolve, reject) =>
    client.subsys("sftp", (error, channel) => error ? reject(error) : resolve(channel))
  );
}

function packet(type: number, ...parts: (number | string | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => {
    if (typeof part === "number") return Buffer.from([part >>> 24, part >>> 16, part >>> 8, part]);
    const bytes = Buffer.from(part as string);
    return Buffer.concat([Buffer.from([0, 0, bytes.length >>> 8, bytes.length]), bytes]);
  }));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length + 1);
  head[4] = type;
  return Buffer.concat([head, body]);
}
const [INIT, OPENDIR, SYMLINK, EXTENDED, READ] = [1, 11, 20, 200, 5];

/** The types and status codes of the answers, as they come. */
function answers(channel: import("ssh2").ClientChannel) {
  const seen: { type: number; code: number }[] = [];
  let rest = Buffer.alloc(0);
  channel.on("data", (data: Buffer) => {
    rest = Buffer.concat([rest, data]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE()) {
      const end = 4 + rest.readUInt32BE();
      const type = rest[4]!;
      seen.push({ type, code: type === 101 ? rest.readUInt32BE(9) : -1 });
      rest = rest.subarray(end);
    }
  });
  return seen;
}

async function works(server: TestServer): Promise<void> {
  const { client, sftp } = await connect(server, "con_b");
  assert.equal((await done<unknown[]>((then) => sftp.readdir("/", then))).length, 1);
  client.end();
}

test("nothing leads out of the tree: no path, no link, no name, no rename", async () => {
  const server = await startHosted();
  try {
    const b = await connect(server, "con_b");
    await done((then) => b.sftp.writeFile("/incoming/secret.part", "of b", then));
    b.client.end();
    writeFileSync(join(server.dir, "outside"), "outside");
    const { client, sftp } = await connect(server, "con_a");
    await done((then) => sftp.writeFile("/incoming/mine.part", "of a", then));
    // Should anybody ever get a link there, it is not followed and not shown.
    symlinkSync(join(server.dir, "outside"), join(server.dir, "con_a", "drops", "link.csv"));
    const before = all(server.dir);
    const outside = [
      "/../outside",
      "/../../outside",
      "../outside",
      "/incoming/../../outside",
      "/incoming/../../con_b/drops/secret.part",
      "/con_b/drops/secret.part",
      "//../con_b/drops/secret.part",
      join(server.dir, "outside"),
      "/etc/passwd",
      "/drops/mine.part",
      "/host-key",
      "/incoming/link.csv",
      "/incoming/..\\..\\outside",
      "/incoming/\0/../../outside",
      "/incoming/%2e%2e/outside",
      "/incoming/" + "../../".repeat(2000) + "outside",
      "/incoming/" + "a".repeat(4000),
      "\u202e/outside",
    ];
    for (const path of outside) {
      await assert.rejects(done((then) => sftp.readFile(path, then)), path);
      await assert.rejects(done((then) => sftp.stat(path, then)), path);
      await assert.rejects(done((then) => sftp.open(path, "w", then)), path);
      await assert.rejects(done((then) => sftp.open(path, "a", then)), path);
      await assert.rejects(done((then) => sftp.unlink(path, then)), path);
      await assert.rejects(done((then) => sftp.rename(path, "/incoming/got.part", then)), path);
      await assert.rejects(done((then) => sftp.rename("/incoming/mine.part", path, then)), path);
      await assert.rejects(done((then) => sftp.mkdir(path, then)), path);
      await assert.rejects(done((then) => sftp.opendir(path, then)), path);
    }
    await assert.rejects(done((then) => sftp.symlink("/etc/passwd", "/incoming/l", then)), /unsupported/i);
    await assert.rejects(done((then) => sftp.readlink("/incoming/link.csv", then)), /unsupported/i);
    const channel = await raw(client);
    const seen = answers(channel);
    channel.write(packet(INIT, 3));
    channel.write(packet(SYMLINK, 1, "/incoming/l", "/etc/passwd"));
    channel.write(packet(EXTENDED, 2, "hardlink@openssh.com", "/incoming/mine.part", "/incoming/l"));
    channel.write(packet(EXTENDED, 3, "posix-rename@openssh.com", "/incoming/mine.part", "/../l"));
    await until(() => seen.length === 4);
    assert.deepEqual(seen.slice(1), [1, 2, 3].map(() => ({ type: 101, code: 8 })));
    assert.deepEqual(all(server.dir), before);
    const names = await done<{ filename: string }[]>((then) => sftp.readdir("/incoming", then));
    assert.deepEqual(names.map(({ filename }) => filename), ["mine.part"]);
    client.end();
  } finally {
    await server.close();
  }
});

test("there is no shell, no command, no forwarding and no other subsystem", async () => {
  const server = await startHosted();
  try {
    const { client } = await connect(server, "con_a");
    await assert.rejects(done((then) => client.exec("id", then)));
    await assert.rejects(done((then) => client.shell(then)));
    await assert.rejects(done((then) => client.subsys("netconf", then)));
    await assert.rejects(done((then) => client.forwardOut("127.0.0.1", 1, "127.0.0.1", server.port, then)));
    await assert.rejects(done((then) => client.forwardIn("127.0.0.1", 0, then)));
    await assert.rejects(done((then) => client.openssh_forwardOutStreamLocal("/var/run/docker.sock", then)));
    client.end();
    await works(server);
  } finally {
    await server.close();
  }
});

test(
  "modern algorithms carry a file, and old ones are not spoken",
  { skip: without("sftp", "openssh-client") },
  async () => {
    const server = await startHosted();
    try {
      const path = join(work, "file");
      writeFileSync(path, Buffer.alloc(100_000, "abc"));
      const good = [
        ["-oCiphers=aes128-gcm@openssh.com"],
        ["-oCiphers=aes256-ctr", "-oMACs=hmac-sha2-512-etm@openssh.com"],
        ["-oCiphers=aes128-ctr", "-oMACs=hmac-sha2-256"],
        ["-oCiphers=aes256-gcm@openssh.com", "-oKexAlgorithms=ecdh-sha2-nistp256"],
        // Of a client that knows of Terrapin; hosted-ciphers.test.ts has those that do not.
        ["-oCiphers=chacha20-poly1305@openssh.com"],
      ];
      for (const [i, options] of good.entries()) {
        const ran = await sftp(server, "con_a", [`put ${path} incoming/${i}.csv`], { password: PASSWORD, options });
        assert.equal(ran.code, 0, ran.out);
        assert.equal((await server.takes(({ name }) => name === `${i}.csv`)).bytes, 100_000);
      }
      const old = [
        ["-oCiphers=aes128-cbc"],
        ["-oKexAlgorithms=diffie-hellman-group14-sha1"],
        ["-oKexAlgorithms=diffie-hellman-group-exchange-sha256"],
        ["-oCiphers=aes128-ctr", "-oMACs=hmac-sha1"],
        ["-oHostKeyAlgorithms=ssh-rsa"],
      ];
      for (const options of old) {
        const ran = await sftp(server, "con_a", ["pwd"], { password: PASSWORD, options });
        assert.notEqual(ran.code, 0, options.join());
      }
      assert.equal(server.attempts.length, good.length, "none of those got as far as a password");
    } finally {
      await server.close();
    }
  },
);

test("ten thousand handles are not had: the first ones are, and others are served meanwhile", {
  skip: onlyInCheck,
}, async () => {
  const server = await startHosted();
  try {
    const { client } = await connect(server, "con_a");
    const channel = await raw(client);
    const seen = answers(channel);
    channel.write(packet(INIT, 3));
    for (let i = 0; i < 100; i++) {
      channel.write(Buffer.concat(Array.from({ length: 100 }, (_, n) => packet(OPENDIR, i * 100 + n, "/"))));
    }
    await works(server);
    await until(() => seen.length === 10_001);
    assert.equal(seen.filter(({ type }) => type === 102).length, 128);
    assert.equal(seen.filter(({ type, code }) => type === 101 && code === 4).length, 10_000 - 128);
    // Channels are not had without end either.
    const channels = await Promise.allSettled(Array.from({ length: 30 }, () => raw(client)));
    assert.equal(channels.filter(({ status }) => status === "fulfilled").length, 7 - 1);
    client.end();
    await works(server);
  } finally {
    await server.close();
  }
});

test("packets that make no sense end their channel or their connection, and nothing else", async () => {
  const server = await startHosted();
  try {
    let seed = 7;
    const random = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff);
    const junk = (length: number) => Buffer.from(Array.from({ length }, () => random() >> 16));
    const bad: Buffer[] = [
      Buffer.from([0, 0, 0, 0]),
      Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3]),
      Buffer.from([0x7f, 0xff, 0xff, 0xff]),
      Buffer.from([0, 0, 0, 1, INIT]),
      packet(READ, 1),
      Buffer.concat([packet(INIT, 3), packet(INIT, 3)]),
      Buffer.concat([packet(INIT, 3), packet(99, 1)]),
      Buffer.concat([packet(INIT, 3), Buffer.from([0, 0, 0, 9, READ, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff])]),
      Buffer.concat([packet(INIT, 3), packet(READ, 1, "handle that nobody gave", 0, 0, 5)]),
      ...Array.from({ length: 25 }, (_, i) => Buffer.concat([packet(INIT, 3), junk(1 + i * 40)])),
      ...Array.from(
        { length: 20 },
        (_, i) => Buffer.concat([packet(INIT, 3), packet(3 + i, junk(30).toString("latin1"))]),
      ),
    ];
    for (const bytes of bad) {
      const { client } = await connect(server, "con_a");
      const channel = await raw(client);
      channel.on("error", () => {});
      channel.resume();
      channel.write(bytes);
      await pause(2);
      client.end();
    }
    // Before there is any SSH at all.
    for (const bytes of [junk(10), junk(5000), Buffer.from("GET / HTTP/1.0\r\n\r\n"), Buffer.from("SSH-1.5-old\r\n")]) {
      const socket = dial(server.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(Buffer.concat([bytes, Buffer.from("SSH-2.0-x\r\n"), junk(2000)]));
      await pause(10);
      socket.destroy();
    }
    await works(server);
  } finally {
    await server.close();
  }
});

test("a guesser is slowed down and then not asked about, and a customer at the same address still gets in", async () => {
  const server = await startHosted({ limits: { failuresFromAddress: 10, failuresOfName: 1000 } });
  try {
    const { client } = await connect(server, "con_a");
    client.end();
    server.attempts.length = 0;
    for (let i = 0; i < 12; i++) {
      const guesser = new ssh2.Client();
      await new Promise<void>((resolve) => {
        guesser.once("error", () => resolve()).once("ready", () => assert.fail("nobody guesses"));
        guesser.once("connect", () => guesser.setNoDelay(true)).once("close", () => resolve());
        guesser.connect({
          host: "127.0.0.1",
          port: server.port,
          username: `con_${i % 2 === 0 ? "b" : "x"}`,
          authHandler: [1, 2, 3].map((n) => ({ type: "password" as const, username: "con_b", password: `guess ${n}` })),
        });
      });
      guesser.end();
    }
    assert.equal(server.attempts.length, 10);
    const again = await connect(server, "con_a");
    again.client.end();
    await assert.rejects(connect(server, "con_b"), /authentication/i);
  } finally {
    await server.close();
  }
});

test("who does not log in, or asks for nothing, is sent away in time", { skip: onlyInCheck }, async () => {
  const server = await startHosted({ limits: { handshakeMs: 1500, idleMs: 1500 } });
  try {
    const silent: Socket = dial(server.port, "127.0.0.1");
    silent.on("error", () => {});
    silent.resume();
    const start = performance.now();
    const closed = new Promise((resolve) => silent.once("close", resolve));
    const { client, sftp } = await connect(server, "con_a");
    const gone = new Promise<void>((resolve) => client.once("close", () => resolve()));
    const handle = await done<Buffer>((then) => sftp.open("/incoming/a.csv", "w", then));
    await done((then) => sftp.write(handle, Buffer.from("half"), 0, 4, 0, then));
    await closed;
    await gone;
    assert.ok(performance.now() - start < 10_000);
    await pause(150);
    assert.deepEqual(server.taken, [], "being sent away is no close");
  } finally {
    await server.close();
  }
});

test("connections are limited by address, by log-in, and before the log-in", async () => {
  const server = await startHosted({ limits: { ofLogIn: 2, strangers: 3, fromAddress: 6 } });
  try {
    const first = await connect(server, "con_a");
    const second = await connect(server, "con_a");
    await assert.rejects(connect(server, "con_a"));
    const other = await connect(server, "con_b");
    const strangers = Array.from({ length: 6 }, () => dial(server.port, "127.0.0.1"));
    let closed = 0;
    for (const socket of strangers) socket.on("error", () => {}).on("close", () => closed++).resume();
    await until(() => closed === 3);
    for (const socket of strangers) socket.destroy();
    for (const { client } of [first, second, other]) client.end();
    await until(() => closed === 6);
    await works(server);
  } finally {
    await server.close();
  }
});

test("dropped files have a quota, which taken files free again, and its end is reported", async () => {
  const server = await startHosted({ limits: { quotaBytes: 100_000, files: 5, fileBytes: 90_000 } });
  try {
    const { client, sftp } = await connect(server, "con_a");
    const fill = (name: string, bytes: number) =>
      done((then) => sftp.writeFile(`/incoming/${name}`, Buffer.alloc(bytes, "a"), then));
    await fill("a.part", 80_000);
    await assert.rejects(fill("b.part", 30_000), /no room is left/);
    assert.ok(server.health.some((trouble) => trouble?.code === "quota_exceeded"));
    await done((then) => sftp.unlink("/incoming/b.part", then));
    await fill("c.csv", 10_000);
    await server.takes(({ name }) => name === "c.csv");
    await done((then) => sftp.unlink("/incoming/a.part", then));
    await assert.rejects(fill("d.part", 95_000), /may have 90000 bytes/);
    await done((then) => sftp.unlink("/incoming/d.part", then));
    await assert.rejects(
      done((then) =>
        sftp.open("/incoming/far.part", "w", (error, handle) => {
          if (error) return then(error);
          sftp.write(handle, Buffer.from("x"), 0, 1, 2 ** 40, then as never);
        })
      ),
      /may have 90000 bytes/,
    );
    await until(() => readdirSync(join(server.dir, "con_a", "drops")).length === 1);
    for (let i = 0; i < 4; i++) await fill(`${i}.part`, 10);
    await assert.rejects(fill("more.part", 10), /5 files wait/);
    client.end();
  } finally {
    await server.close();
  }
});

test("a client that asks and does not take the answers, or writes without waiting, fills no memory", {
  skip: onlyInCheck,
}, async () => {
  const server = await startHosted({ limits: { stuckBytesOfLogIn: 100_000 } });
  try {
    const { client, sftp } = await connect(server, "con_a");
    await done((then) => sftp.writeFile("/incoming/big.part", Buffer.alloc(200_000, "a"), then));
    // Written without waiting for a single answer: 60 MB in one go.
    const handle = await done<Buffer>((then) => sftp.open("/incoming/flood.part", "w", then));
    const part = Buffer.alloc(32_000, "b");
    const most = await mostMemoryOf(() =>
      Promise.all(
        Array.from(
          { length: 500 },
          (_, i) => done((then) => sftp.write(handle, part, 0, part.length, i * part.length, then)),
        ),
      )
    );
    await done((then) => sftp.close(handle, then));
    assert.equal(lstatSync(join(server.dir, "con_a", "drops", "flood.part")).size, 500 * part.length);
    assert.ok(most < 64e6, `${Math.round(most / 1e6)} MB more`);
    // Reads whose answers are never taken: the channel's window is used up and stays so.
    const channel = await raw(client);
    channel.write(packet(INIT, 3));
    channel.write(packet(3, 1, "/incoming/big.part", 1, 0));
    await pause(50);
    const socket = (client as unknown as { _sock: Socket })._sock;
    const read = Buffer.concat(
      Array.from({ length: 200 }, (_, i) => packet(READ, 10 + i, Buffer.from([0, 0, 0, 1]), 0, 0, 65_536)),
    );
    for (let i = 0; i < 60; i++) channel.write(read);
    await until(() => socket.destroyed);
    await works(server);
  } finally {
    await server.close();
  }
});

test("a client that asks for a whole file at once, and takes it later, gets it", async () => {
  const server = await startHosted();
  try {
    const { client, sftp } = await connect(server, "con_a");
    await done((then) => sftp.writeFile("/incoming/big.part", Buffer.alloc(200_000, "a"), then));
    const channel = await raw(client);
    channel.write(packet(INIT, 3));
    channel.write(packet(3, 1, "/incoming/big.part", 1, 0));
    // Two megabytes of the answers are as much as the client has room for.
    const count = 1500, handle = Buffer.from([0, 0, 0, 1]);
    for (let i = 0; i < count; i++) channel.write(packet(READ, 10 + i, handle, 0, 0, 4096));
    await pause(300);
    await works(server);
    const seen = answers(channel);
    await until(() => seen.length === count + 2);
    assert.ok(seen.slice(2).every(({ type }) => type === 103));
    // And one that ends the channel without taking any of them is done with.
    const other = await raw(client);
    other.write(packet(INIT, 3));
    for (let i = 0; i < count; i++) other.write(packet(OPENDIR, i, "/"));
    other.end();
    other.resume();
    await new Promise<void>((resolve) => void other.once("close", () => resolve()));
    client.end();
    await works(server);
  } finally {
    await server.close();
  }
});

const LOG_INS = rounds(1000, 100);

test(
  `${LOG_INS} log-ins leave nothing behind`,
  { skip: "Deno" in globalThis ? onlyInCheck : "once, on Deno" },
  async () => {
    const server = await startHosted();
    try {
      let left = LOG_INS;
      await Promise.all(Array.from({ length: 16 }, async () => {
        while (left-- > 0) {
          const { client } = await connect(server, left % 2 === 0 ? "con_a" : "con_b");
          client.end();
        }
      }));
      assert.equal(server.attempts.length, LOG_INS);
      await works(server);
      assert.deepEqual(server.health.filter((trouble) => trouble !== null), []);
    } finally {
      await server.close();
    }
  },
);
