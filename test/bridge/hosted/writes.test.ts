/** Writes that a client sends without waiting for answers: what is in the file, what is answered, what the disk gets. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import fc from "fast-check";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { ClientChannel, SFTPWrapper, Stats } from "ssh2";
import type { OpenFile } from "../../../src/bridge/hosted/tree.ts";
import { connect, done, PASSWORD, sftp as openssh, startHosted, type TestServer } from "../../support/hosted.ts";
import { without } from "../../support/programs.ts";

/** The most that the client sends as one write. */
const PART = 30_000;

/** A disk that says how each write went, and can be slow or full. */
function disk({ before = async () => {}, room = Infinity }: { before?: () => Promise<unknown>; room?: number } = {}) {
  const writes: { at: number; bytes: number }[] = [];
  const openFile: OpenFile = async (path, flags, mode) => {
    const handle = await open(path, flags, mode);
    const write = handle.write.bind(handle) as (...args: unknown[]) => Promise<unknown>;
    handle.write = (async (data: Uint8Array, offset: number, bytes: number, at: number) => {
      await before();
      if (at + bytes > room) throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
      writes.push({ at, bytes });
      return await write(data, offset, bytes, at);
    }) as never;
    return handle;
  };
  return { writes, openFile };
}

const openFile = (sftp: SFTPWrapper, path: string, flags = "w") =>
  done<Buffer>((then) => sftp.open(path, flags as "w", then));
const write = (sftp: SFTPWrapper, handle: Buffer, data: Buffer, at: number) =>
  done((then) => sftp.write(handle, data, 0, data.length, at, then)).then(() => {});
const close = (sftp: SFTPWrapper, handle: Buffer) => done((then) => sftp.close(handle, then));
const dropped = ({ dir }: TestServer, name: string) => readFileSync(join(dir, "con_a", "drops", name));

test("writes that come while the disk is busy reach it together, and are all answered", async () => {
  let release = () => {};
  const isFree = new Promise<void>((resolve) => release = resolve);
  const { writes, openFile: slow } = disk({ before: () => isFree });
  const server = await startHosted({ openFile: slow });
  try {
    const { client, sftp } = await connect(server, "con_a");
    const content = randomBytes(20 * PART);
    const handle = await openFile(sftp, "/incoming/a.csv");
    const sent = Array.from({ length: 20 }, (_, i) => {
      return write(sftp, handle, content.subarray(i * PART, (i + 1) * PART), i * PART);
    });
    setTimeout(release, 300);
    await Promise.all(sent);
    assert.ok(writes.length < 10, `${writes.length} writes`);
    assert.ok(writes.every(({ bytes }) => bytes <= 256 * 1024));
    await close(sftp, handle);
    const { sha256 } = await server.takes(() => true);
    assert.equal(sha256, createHash("sha256").update(content).digest("hex"));
    client.end();
  } finally {
    await server.close();
  }
});

test("of writes that come together each is answered with what became of it, on a full disk and over the quota", async () => {
  const { openFile: full } = disk({ room: 10 * PART });
  for (
    const [given, message] of [
      [{ openFile: full }, /disk is full/],
      [{ limits: { quotaBytes: 10 * PART } }, /no room is left/],
      [{ limits: { fileBytes: 10 * PART } }, /A file may have/],
    ] as const
  ) {
    const server = await startHosted(given);
    try {
      const { client, sftp } = await connect(server, "con_a");
      const content = randomBytes(16 * PART);
      const handle = await openFile(sftp, "/incoming/a.csv");
      const sent = await Promise.allSettled(Array.from({ length: 16 }, (_, i) => {
        return write(sftp, handle, content.subarray(i * PART, (i + 1) * PART), i * PART);
      }));
      assert.deepEqual(sent.map(({ status }) => status === "fulfilled"), sent.map((_, i) => i < 10));
      for (const { reason } of sent.slice(10) as PromiseRejectedResult[]) assert.match(reason.message, message);
      assert.ok(dropped(server, "a.csv").subarray(0, 10 * PART).equals(content.subarray(0, 10 * PART)));
      await assert.rejects(close(sftp, handle), /not whole/);
      assert.deepEqual(server.taken, []);
      client.end();
    } finally {
      await server.close();
    }
  }
});

test("what is asked between two writes is answered as of then, and each file gets its own bytes", async () => {
  const server = await startHosted();
  try {
    const { client, sftp } = await connect(server, "con_a");
    const [a, b] = [await openFile(sftp, "/incoming/a.part"), await openFile(sftp, "/incoming/b.part")];
    const [one, two] = [Buffer.alloc(1000, "1"), Buffer.alloc(1000, "2")];
    const size = (handle: Buffer) => done<Stats>((then) => sftp.fstat(handle, then)).then((stats) => stats.size);
    const answers = await Promise.all([
      write(sftp, a, one, 0),
      size(a),
      write(sftp, a, one, 1000),
      write(sftp, b, two, 0),
      write(sftp, b, two, 1000),
      write(sftp, a, one, 2000),
      size(b),
      size(a),
    ]);
    assert.deepEqual(answers.filter((each) => typeof each === "number"), [1000, 2000, 3000]);
    await Promise.all([close(sftp, a), close(sftp, b)]);
    assert.equal(dropped(server, "a.part").toString(), "1".repeat(3000));
    assert.equal(dropped(server, "b.part").toString(), "2".repeat(2000));
    client.end();
  } finally {
    await server.close();
  }
});

test("whatever is written wherever, in whatever order, is in the file as if each had been waited for", async () => {
  const server = await startHosted();
  const { client, sftp } = await connect(server, "con_a");
  // Mostly one behind the other, as clients do, and now and then anywhere.
  const write_ = fc.record({ jump: fc.option(fc.nat(150_000), { freq: 4 }), bytes: fc.nat(PART) });
  let round = 0;
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(write_, { maxLength: 24 }), async (list) => {
        const name = `${round++}.part`, handle = await openFile(sftp, `/incoming/${name}`);
        let expected = Buffer.alloc(0), next = 0;
        const sent = list.filter(({ bytes }) => bytes > 0).map(({ jump, bytes }) => {
          const data = randomBytes(bytes), at = jump ?? next;
          next = at + bytes;
          const longer = Buffer.alloc(Math.max(expected.length, next));
          expected.copy(longer);
          data.copy(longer, at);
          expected = longer;
          return write(sftp, handle, data, at);
        });
        await Promise.all([...sent, close(sftp, handle)]);
        assert.ok(dropped(server, name).equals(expected));
      }),
      { numRuns: 40 },
    );
    client.end();
  } finally {
    await server.close();
  }
});

test("the only extension that is announced to clients is how much they may write at once", async () => {
  const server = await startHosted();
  try {
    const { client } = await connect(server, "con_a");
    const channel = await done<ClientChannel>((then) => client.subsys("sftp", then));
    const extended = (id: number, name: string) =>
      Buffer.from([0, 0, 0, 9 + name.length, 200, 0, 0, 0, id, 0, 0, 0, name.length, ...Buffer.from(name)]);
    channel.write(Buffer.from([0, 0, 0, 5, 1, 0, 0, 0, 3]));
    channel.write(Buffer.concat([extended(7, "limits@openssh.com"), extended(8, "fsync@openssh.com")]));
    const answers: Buffer[] = [];
    let rest = Buffer.alloc(0);
    for await (const data of channel) {
      rest = Buffer.concat([rest, data]);
      for (
        ;
        rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE();
        rest = rest.subarray(4 + rest.readUInt32BE())
      ) {
        answers.push(rest.subarray(4, 4 + rest.readUInt32BE()));
      }
      if (answers.length === 3) break;
    }
    const [version, limits, refusal] = answers as [Buffer, Buffer, Buffer];
    assert.equal(version.toString("latin1"), "\x02\0\0\0\x03\0\0\0\x12limits@openssh.com\0\0\0\x011");
    assert.deepEqual([limits[0], limits.readUInt32BE(1)], [201, 7]);
    const announced = [0, 1, 2, 3].map((i) => Number(limits.readBigUInt64BE(5 + 8 * i)));
    assert.deepEqual(announced, [262_144, 65_536, 261_120, 128]);
    assert.deepEqual([refusal[0], refusal.readUInt32BE(1), refusal.readUInt32BE(5)], [101, 8, 8]);
    client.end();
  } finally {
    await server.close();
  }
});

test("OpenSSH writes as much at once as was announced", { skip: without("sftp", "openssh-client") }, async () => {
  const { writes, openFile } = disk();
  const server = await startHosted({ openFile });
  const work = mkdtempSync(join(tmpdir(), "muster-writes-"));
  try {
    const content = randomBytes(2_000_000), path = join(work, "file");
    writeFileSync(path, content);
    const { code, out } = await openssh(server, "con_a", [`put ${path} incoming/a.csv`], { password: PASSWORD });
    assert.equal(code, 0, out);
    assert.deepEqual(writes.slice(0, -1).map(({ bytes }) => bytes), Array(7).fill(261_120));
    const { sha256 } = await server.takes(() => true);
    assert.equal(sha256, createHash("sha256").update(content).digest("hex"));
  } finally {
    await server.close();
    rmSync(work, { recursive: true, force: true });
  }
});
