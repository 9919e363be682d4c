/** The hosted SFTP server as its customers meet it: OpenSSH's sftp and lftp, log-ins, folders, whole files. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ssh2 } from "../../../src/bridge/ssh2.ts";
import { createKeyPair } from "../../../src/security/sftp-login.ts";
import { nextDue } from "../../../src/bridge/cadence.ts";
import { connect, done, hostedConnection, lftp, PASSWORD, sftp, startHosted } from "../../support/hosted.ts";
import { without } from "../../support/programs.ts";

let work: string;
before(() => void (work = mkdtempSync(join(tmpdir(), "muster-hosted-"))));
after(() => rmSync(work, { recursive: true, force: true }));

let count = 0;
function file(content: string | Uint8Array): string {
  const path = join(work, `file-${++count}`);
  writeFileSync(path, content);
  return path;
}

async function keyPair(type: "ed25519" | "rsa" | "ecdsa"): Promise<{ path: string; publicKey: string }> {
  const { privateKey, publicKey } = type === "ed25519"
    ? await createKeyPair("test").then((pair) => ({ privateKey: pair.privateKey, publicKey: pair.text }))
    : libraryPair(type);
  const path = file(privateKey);
  chmodSync(path, 0o600);
  return { path, publicKey };
}

function libraryPair(type: "rsa" | "ecdsa") {
  const pair = ssh2.utils.generateKeyPairSync(type as "rsa", { bits: type === "rsa" ? 2048 : 256 });
  return { privateKey: pair.private, publicKey: pair.public.split(" ").slice(0, 2).join(" ") };
}

const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until it is true, a few seconds at most. */
async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !condition(); i++) await pause(20);
  assert.ok(condition(), String(condition));
}

const namesIn = (dir: string, ...folders: string[]) => readdirSync(join(dir, ...folders)).sort();

test(
  "OpenSSH's sftp drops a file with a password, and finds it in .bak once it was taken",
  { skip: without("sftp", "openssh-client") },
  async () => {
    const server = await startHosted();
    try {
      const path = file("email\nana@example.com\n");
      const ran = await sftp(server, "con_a", ["cd incoming", `put ${path} people.csv`, "ls -l"], {
        password: PASSWORD,
      });
      assert.equal(ran.code, 0, ran.out);
      assert.match(ran.out, / 22 \w+ +\d+ +\d+:\d+ people\.csv/);
      const taken = await server.takes(() => true);
      assert.deepEqual([taken.connection, taken.name, taken.text], ["con_a", "people.csv", "email\nana@example.com\n"]);
      await until(() => namesIn(server.dir, "con_a", "bak").length === 1);
      const again = await sftp(server, "con_a", [
        "ls /incoming",
        "ls .bak",
        "get .bak/*people.csv " + join(work, "back.csv"),
      ], {
        password: PASSWORD,
      });
      assert.equal(again.code, 0, again.out);
      assert.doesNotMatch(again.out, /incoming\/people\.csv/);
      assert.match(again.out, /\.bak\/20260302T080001Z-people\.csv/);
      assert.equal(readFileSync(join(work, "back.csv"), "utf8"), "email\nana@example.com\n");
      await pause(50);
      assert.equal(server.taken.length, 1);
    } finally {
      await server.close();
    }
  },
);

test(
  "keys of every kind that is sold log in, and a key that is not known does not",
  { skip: without("sftp", "openssh-client") },
  async () => {
    const pairs = [await keyPair("ed25519"), await keyPair("rsa"), await keyPair("ecdsa")];
    const server = await startHosted({ keys: pairs.map(({ publicKey }) => publicKey) });
    try {
      for (const { path } of pairs) {
        const ran = await sftp(server, "con_b", ["pwd"], { key: path });
        assert.deepEqual([ran.code, /Remote working directory: \//.test(ran.out)], [0, true], ran.out);
      }
      const refused = await sftp(server, "con_b", ["pwd"], { key: (await keyPair("ed25519")).path });
      assert.notEqual(refused.code, 0);
      assert.match(refused.out, /Permission denied \(publickey,password\)/);
    } finally {
      await server.close();
    }
  },
);

test(
  "a wrong password is refused, and so is a right one of a connection that is not held",
  { skip: without("sftp", "openssh-client") },
  async () => {
    const server = await startHosted();
    try {
      for (const [user, password] of [["con_a", "wrong"], ["con_c", PASSWORD]] as const) {
        const ran = await sftp(server, user, ["pwd"], { password });
        assert.notEqual(ran.code, 0);
        assert.match(ran.out, /Permission denied/);
      }
      assert.ok(server.attempts.every(({ address }) => address.endsWith("127.0.0.1")));
      assert.ok(!JSON.stringify(server.lines).includes("wrong"), "nothing of a password is logged");
    } finally {
      await server.close();
    }
  },
);

test(
  "lftp uploads, lists, renames, downloads and removes, with a password and with a key",
  { skip: without("lftp", "lftp") },
  async () => {
    const { path: key, publicKey } = await keyPair("ed25519");
    const server = await startHosted({
      keys: [publicKey],
      connections: [hostedConnection("con_a", { folder: "/Uploads" })],
    });
    try {
      const bytes = randomBytes(300_000);
      const path = file(bytes);
      const first = await lftp(server, "con_a", [
        "cls -1",
        "cd Uploads",
        `put ${path} -o people.part`,
        "cls -1s",
        "mv people.part people.csv",
        "cls -1",
      ], { password: PASSWORD });
      assert.equal(first.code, 0, first.out);
      assert.match(first.out, /Uploads\/[\s\S]*people\.part[\s\S]*people\.csv/);
      const taken = await server.takes(() => true);
      assert.deepEqual([taken.name, taken.sha256], ["people.csv", sha256(bytes)]);
      await until(() => namesIn(server.dir, "con_a", "bak").length === 1);
      const back = join(work, "lftp-back");
      const second = await lftp(server, "con_a", [
        `get .bak/${namesIn(server.dir, "con_a", "bak")[0]} -o ${back}`,
        "mrm .bak/*",
      ], { key });
      assert.equal(second.code, 0, second.out);
      assert.equal(sha256(readFileSync(back)), sha256(bytes));
      assert.deepEqual(namesIn(server.dir, "con_a", "bak"), []);
    } finally {
      await server.close();
    }
  },
);

test("each customer sees a tree of their own, with the folder that the connection names", async () => {
  const server = await startHosted({
    connections: [
      hostedConnection("con_a"),
      hostedConnection("con_b", { folder: "/" }),
      hostedConnection("con_c", { folder: "/hr/people" }),
    ],
  });
  try {
    const listing = async (user: string, path: string) => {
      const { client, sftp } = await connect(server, user);
      const names = await done<{ filename: string }[]>((then) => sftp.readdir(path, then as never));
      client.end();
      return names.map(({ filename }) => filename).filter((name) => !/^\.\.?$/.test(name)).sort();
    };
    assert.deepEqual(await listing("con_a", "/"), ["incoming"]);
    assert.deepEqual(await listing("con_b", "/"), []);
    assert.deepEqual(await listing("con_c", "/"), ["hr"]);
    assert.deepEqual(await listing("con_c", "/hr"), ["people"]);
    await assert.rejects(listing("con_a", "/Incoming"), /no such folder/i);
    const { client, sftp } = await connect(server, "con_b");
    await done((then) => sftp.writeFile("/people.csv", "email\nb@example.com\n", then));
    assert.equal((await server.takes(() => true)).connection, "con_b");
    client.end();
    assert.deepEqual(server.taken.map(({ connection }) => connection), ["con_b"]);
  } finally {
    await server.close();
  }
});

test("an upload that is cut at any point is not taken, is there under its name, and can be gone on with", {
  skip: without("sftp", "openssh-client"),
}, async () => {
  const server = await startHosted();
  try {
    const bytes = randomBytes(200_000);
    const cuts = [0, 1, 32_768, 99_999, bytes.length];
    for (const cut of cuts) {
      const name = `cut-${cut}.csv`;
      const { client, sftp } = await connect(server, "con_a");
      const handle = await done<Uint8Array>((then) => sftp.open(`/incoming/${name}`, "w", then as never));
      for (let at = 0; at < cut; at += 30_000) {
        const part = bytes.subarray(at, Math.min(cut, at + 30_000));
        await done((then) => sftp.write(handle as never, part as never, 0, part.length, at, then));
      }
      (client as unknown as { _sock: { destroy(): void } })._sock.destroy();
    }
    await until(() => server.server !== null && namesIn(server.dir, "con_a", "drops").length === cuts.length);
    await pause(200);
    assert.deepEqual(server.taken, []);
    const path = file(bytes);
    const resumed = await sftp(server, "con_a", [
      "cd incoming",
      "ls -l",
      ...cuts.slice(0, -1).map((cut) => `reput ${path} cut-${cut}.csv`),
    ], { password: PASSWORD });
    assert.equal(resumed.code, 0, resumed.out);
    for (const cut of cuts) assert.match(resumed.out, new RegExp(` ${cut} \\w+ +\\d+ +\\d+:\\d+ cut-${cut}\\.csv`));
    // The last one had all of its bytes but was not closed: it is uploaded once more.
    assert.equal(
      (await sftp(server, "con_a", [`put ${path} incoming/cut-${bytes.length}.csv`], { password: PASSWORD })).code,
      0,
    );
    for (const cut of cuts) {
      assert.equal((await server.takes(({ name }) => name === `cut-${cut}.csv`)).sha256, sha256(bytes), String(cut));
    }
    await pause(100);
    assert.equal(server.taken.length, cuts.length);
  } finally {
    await server.close();
  }
});

test("a file with a temporary name, a dot in front, or no bytes is left alone until it has a name and some", async () => {
  const server = await startHosted();
  try {
    const { client, sftp } = await connect(server, "con_a");
    for (const name of [".people.csv", "people.csv.tmp", "people.csv.FILEPART", "people.crdownload", "a.part"]) {
      await done((then) => sftp.writeFile(`/incoming/${name}`, "email\n", then));
    }
    await done((then) => sftp.writeFile("/incoming/empty.csv", "", then));
    await pause(200);
    assert.deepEqual(server.taken, []);
    await done((then) => sftp.rename("/incoming/people.csv.FILEPART", "/incoming/people.csv", then));
    assert.equal((await server.takes(() => true)).name, "people.csv");
    await until(() =>
      server.seen.get("con_a")?.some(({ name, bytes }) => name === "empty.csv" && bytes === 0) === true
    );
    client.end();
  } finally {
    await server.close();
  }
});

test("what is written over before it was taken is taken too, in the order that it came in", async () => {
  const server = await startHosted();
  try {
    const opens: (() => void)[] = [];
    server.gate = () => new Promise((resolve) => void opens.push(resolve));
    const { client, sftp } = await connect(server, "con_a");
    const drop = (text: string) => done((then) => sftp.writeFile("/incoming/diff.csv", text, then));
    await drop("first");
    await until(() => opens.length > 0);
    // The first is being handed over now.
    await drop("second");
    await pause(20);
    await drop("third");
    await done((then) => sftp.writeFile("/incoming/wrong.csv", "a mistake", then));
    await done((then) => sftp.unlink("/incoming/wrong.csv", then));
    server.gate = () => Promise.resolve();
    opens[0]!();
    await server.takes(({ text }) => text === "third");
    assert.deepEqual(server.taken.map(({ text }) => text), ["first", "second", "third"]);
    await until(() => namesIn(server.dir, "con_a", "bak").length === 3);
    assert.deepEqual(namesIn(server.dir, "con_a", "aside"), []);
    client.end();
  } finally {
    await server.close();
  }
});

test("a file is never taken before one that came earlier and still settles, not even while it is being closed", async () => {
  const { open } = await import("node:fs/promises");
  const server = await startHosted({
    limits: { settleMs: 1000 },
    openFile: async (path, flags, mode) => {
      const handle = await open(path, flags, mode);
      const chmod = handle.chmod.bind(handle);
      // The word that the last one is whole is there for a while before the server has heard of it.
      if (path.endsWith("third.csv")) handle.chmod = (mode) => chmod(mode).then(async () => void await pause(700));
      return handle;
    },
  });
  try {
    const { client, sftp } = await connect(server, "con_a");
    const drop = (name: string) => done((then) => sftp.writeFile(`/incoming/${name}.csv`, "email\n", {}, then));
    await done((then) => sftp.open("/incoming/goes-on.csv", "w", then as never));
    await drop("first");
    await pause(600);
    await drop("second");
    // The first has settled while the third is being closed, and the second has not.
    await drop("third");
    await server.takes(({ name }) => name === "third.csv");
    assert.deepEqual(server.taken.map(({ name }) => name), ["first.csv", "second.csv", "third.csv"]);
    client.end();
  } finally {
    await server.close();
  }
});

test("of files that are dropped one right behind the other, the first waits for the last, at once or not at all", async () => {
  const every = hostedConnection("con_b", { when: { kind: "every", minutes: 5 } });
  const server = await startHosted({
    connections: [hostedConnection("con_a"), every],
    limits: { settleMs: 1000 },
  });
  try {
    const followed: Record<string, boolean> = {};
    server.gate = ({ name, isFollowed }) => Promise.resolve(void (followed[name] = isFollowed === true));
    const drops = { con_a: ["users.csv", "departments.csv"], con_b: ["one.csv", "two.csv"] };
    for (const [user, names] of Object.entries(drops)) {
      const { client, sftp } = await connect(server, user);
      for (const name of names) {
        await done((callback) => sftp.writeFile(`/incoming/${name}`, "name\n", {}, callback));
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      client.end();
    }
    await server.takes(({ name }) => name === "departments.csv");
    await server.takes(({ name }) => name === "one.csv");
    assert.deepEqual(followed, { "users.csv": true, "departments.csv": false, "one.csv": false });
  } finally {
    await server.close();
  }
});

test("a file that is being handed over is neither removed nor renamed, and can be afterwards", async () => {
  const server = await startHosted();
  try {
    const fails: ((error: Error) => void)[] = [];
    server.gate = () => new Promise((_, reject) => void fails.push(reject));
    const { client, sftp } = await connect(server, "con_a");
    await done((then) => sftp.writeFile("/incoming/a.csv", "email\n", then));
    await until(() => fails.length > 0);
    await assert.rejects(done((then) => sftp.unlink("/incoming/a.csv", then)), /being taken over/);
    await assert.rejects(done((then) => sftp.rename("/incoming/a.csv", "/incoming/b.csv", then)), /being taken over/);
    await assert.rejects(done((then) => sftp.open("/incoming/a.csv", "r+", then as never)), /being taken over/);
    fails[0]!(new Error("the hub is away"));
    await until(() => server.health.some((trouble) => trouble !== null));
    await done((then) => sftp.unlink("/incoming/a.csv", then));
    client.end();
  } finally {
    await server.close();
  }
});

test("a hub that is away loses nothing: the file stays, the trouble is reported, and the file is taken when the hub is back", async () => {
  const server = await startHosted();
  try {
    server.gate = () => Promise.reject(new Error("nobody there"));
    const { client, sftp } = await connect(server, "con_a");
    await done((then) => sftp.writeFile("/incoming/a.csv", "email\n", then));
    await until(() => server.health.some((trouble) => trouble?.code === "failed"));
    assert.deepEqual(namesIn(server.dir, "con_a", "drops"), ["a.csv"]);
    server.gate = () => Promise.resolve();
    await server.takes(() => true);
    await until(() => server.health.at(-1) === null);
    client.end();
  } finally {
    await server.close();
  }
});

test("a file that the hub will never take is reported, and stops no other", async () => {
  const server = await startHosted();
  try {
    const trouble = { code: "too_large", message: "The hub does not take a file: it has too many bytes" } as const;
    server.gate = ({ name }) =>
      name === "first.csv"
        ? Promise.reject(Object.assign(new Error("too large"), { trouble, code: "too_large" }))
        : Promise.resolve();
    const { client, sftp } = await connect(server, "con_a");
    await done((then) => sftp.writeFile("/incoming/first.part", "large", then));
    await done((then) => sftp.writeFile("/incoming/second.csv", "small", then));
    await done((then) => sftp.rename("/incoming/first.part", "/incoming/first.csv", then));
    assert.equal((await server.takes(() => true)).text, "small");
    await until(() => server.health.at(-1)?.code === "too_large");
    assert.deepEqual(namesIn(server.dir, "con_a", "drops"), ["first.csv"]);
    // The next look at the folder says so of the file.
    await done((then) => sftp.writeFile("/incoming/third.csv", "small", then));
    await until(() => server.seen.get("con_a")?.find(({ name }) => name === "first.csv")?.left === "too_large");
    client.end();
  } finally {
    await server.close();
  }
});

test("a file that is taken takes the note about an earlier one of its name away", async () => {
  const server = await startHosted();
  try {
    const { client, sftp } = await connect(server, "con_a");
    const connection = server.connections.find(({ id }) => id === "con_a")!;
    const transport = await server.server.openTransport(connection, new AbortController().signal);
    for (const name of ["people", "others"]) {
      await transport.write(`/reports/${name}.not-used.txt`, new Blob(["Nothing was used"]).stream());
    }
    await done((then) => sftp.writeFile("/incoming/people.csv", "small", then));
    await server.takes(() => true);
    await until(() => namesIn(server.dir, "con_a", "drops").length === 0);
    assert.deepEqual(namesIn(server.dir, "con_a", "reports"), ["others.not-used.txt"]);
    client.end();
  } finally {
    await server.close();
  }
});

test("what was whole is taken after a new start, and what was not is not; the host key is the same", async () => {
  const first = await startHosted();
  first.gate = () => Promise.reject(new Error("not yet"));
  const { client, sftp } = await connect(first, "con_a");
  await done((then) => sftp.writeFile("/incoming/whole.csv", "whole", then));
  const handle = await done<Uint8Array>((then) => sftp.open("/incoming/part.csv", "w", then as never));
  await done((then) => sftp.write(handle as never, Buffer.from("half"), 0, 4, 0, then));
  await first.stop();
  client.end();
  assert.deepEqual(namesIn(first.dir, "con_a", "drops"), ["part.csv", "whole.csv"]);
  const second = await startHosted({ dir: first.dir });
  try {
    assert.equal(second.fingerprint, first.fingerprint);
    assert.equal(statSync(join(second.dir, "host-key")).mode & 0o777, 0o600);
    assert.equal((await second.takes(() => true)).text, "whole");
    await pause(100);
    assert.deepEqual(namesIn(second.dir, "con_a", "drops"), ["part.csv"]);
  } finally {
    await second.close();
  }
});

test("reports come back under their whole name or not at all, are read and removed, and nothing is dropped beside", async () => {
  const server = await startHosted();
  try {
    const transport = await server.server.openTransport(server.connections[0]!, AbortSignal.timeout(5000));
    await transport.write("/reports/people.csv.failures.csv", new Blob(["one,two\n"]).stream());
    const broken = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new Uint8Array(10));
        controller.error(new Error("cut"));
      },
    });
    await assert.rejects(transport.write("/reports/broken.csv", broken));
    assert.deepEqual((await transport.list("/reports")).map(({ name, bytes }) => [name, bytes]), [[
      "people.csv.failures.csv",
      8,
    ]]);
    await assert.rejects(transport.rename("/.bak/nobody", "/failed/nobody"), { code: "ENOENT" });
    const { client, sftp } = await connect(server, "con_a");
    const text = await done<Uint8Array>((then) => sftp.readFile("/reports/people.csv.failures.csv", then as never));
    assert.equal(String(text), "one,two\n");
    for (const path of ["/x.csv", "/reports/x.csv", "/.bak/x.csv", "/failed/x.csv"]) {
      await assert.rejects(done((then) => sftp.writeFile(path, "x", then)), /Files are dropped in \/incoming/);
    }
    await assert.rejects(done((then) => sftp.mkdir("/incoming/more", then)), /cannot be made/);
    // A file from a place is dropped again by moving it, and takes part in all that follows.
    await done((then) => sftp.rename("/reports/people.csv.failures.csv", "/incoming/corrected.csv", then));
    assert.equal((await server.takes(() => true)).name, "corrected.csv");
    client.end();
  } finally {
    await server.close();
  }
});

test("files wait for their hour where a connection has one", async () => {
  const soon = new Date(Date.now() + 90 * 60_000);
  const at = `${String(soon.getUTCHours()).padStart(2, "0")}:${String(soon.getUTCMinutes()).padStart(2, "0")}`;
  const when = { kind: "daily", at, timeZone: "UTC" } as const;
  const server = await startHosted({ connections: [hostedConnection("con_a", { when })] });
  try {
    const { client, sftp } = await connect(server, "con_a");
    await done((then) => sftp.writeFile("/incoming/a.csv", "email\n", then));
    await pause(200);
    assert.deepEqual(server.taken, []);
    assert.ok(nextDue(when, Date.now()) - Date.now() < 91 * 60_000);
    client.end();
  } finally {
    await server.close();
  }
});

test("with `delete` nothing is kept of what was taken", async () => {
  const server = await startHosted({ connections: [hostedConnection("con_a", { after: "delete" })] });
  try {
    const { client, sftp } = await connect(server, "con_a");
    await done((then) => sftp.writeFile("/incoming/a.csv", "email\n", then));
    await server.takes(() => true);
    await until(() => namesIn(server.dir, "con_a", "drops").length === 0);
    assert.deepEqual(namesIn(server.dir, "con_a", "bak"), []);
    client.end();
  } finally {
    await server.close();
  }
});

test("an upload that was cut off, and a file that matches no pattern, are reported as leftovers", async () => {
  const server = await startHosted({ connections: [hostedConnection("con_a", { patterns: ["*.csv"] })] });
  try {
    const { client, sftp } = await connect(server, "con_a");
    await done((then) => sftp.writeFile("/incoming/people.xlsx", "PK", then));
    const handle = await done<Buffer>((then) => sftp.open("/incoming/cut.csv", "w", then));
    await done((then) => sftp.write(handle, Buffer.from("half"), 0, 4, 0, then));
    client.end();
    await done((then) => client.once("close", () => then(null)));
    const { client: again, sftp: other } = await connect(server, "con_a");
    await done((then) => other.writeFile("/incoming/good.csv", "email\n", then));
    await server.takes(() => true);
    again.end();
    const left = Object.fromEntries(server.seen.get("con_a")!.map(({ name, left }) => [name, left]));
    assert.deepEqual(left, { "people.xlsx": "unmatched", "cut.csv": "unfinished", "good.csv": undefined });
  } finally {
    await server.close();
  }
});

test("a disk that is full is reported to the client and to the admin, and nothing of that file is taken", async () => {
  const { open } = await import("node:fs/promises");
  const room = 50_000;
  const server = await startHosted({
    openFile: async (path, flags, mode) => {
      const handle = await open(path, flags, mode);
      const write = handle.write.bind(handle) as (...args: unknown[]) => Promise<unknown>;
      let written = 0;
      handle.write = ((data: Uint8Array, offset: number, length: number, position: number) => {
        written += length;
        if (written > room) {
          return Promise.reject(Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" }));
        }
        return write(data, offset, length, position);
      }) as never;
      return handle;
    },
  });
  try {
    const { client, sftp } = await connect(server, "con_a");
    const handle = await done<Uint8Array>((then) => sftp.open("/incoming/a.csv", "w", then as never));
    const part = Buffer.alloc(30_000, 97);
    await done((then) => sftp.write(handle as never, part, 0, part.length, 0, then));
    await assert.rejects(
      done((then) => sftp.write(handle as never, part, 0, part.length, 30_000, then)),
      /disk is full/,
    );
    await assert.rejects(done((then) => sftp.close(handle as never, then)), /not whole/);
    assert.ok(server.health.some((trouble) => trouble?.code === "disk_full"));
    await pause(100);
    assert.deepEqual(server.taken, []);
    // Something smaller fits, and then nothing is wrong any more.
    await done((then) => sftp.writeFile("/incoming/b.csv", "email\n", then));
    assert.equal((await server.takes(() => true)).name, "b.csv");
    await until(() => server.health.at(-1) === null);
    client.end();
  } finally {
    await server.close();
  }
});
