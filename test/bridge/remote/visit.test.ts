import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Buffer } from "node:buffer";
import test from "node:test";
import type { Trouble } from "../../../src/bridge/contract.ts";
import { createRecordingHub, type RecordingHub } from "../../support/hand-over.ts";
import { connectionTo, createVisitor, put, QUICK } from "../../support/remote.ts";
import { noSshd, type SshServer, startSshServer } from "../../support/sshd.ts";

const CSV = "employee_id,email\n1,ana@example.com\n";
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const names = (server: SshServer, folder = "incoming") => {
  try {
    return readdirSync(join(server.folder, folder)).sort();
  } catch {
    return [];
  }
};
const skip = noSshd;

test("a file is taken once two visits found it the same, and moved to .bak, which is made", { skip }, async (t) => {
  const server = await startSshServer(t);
  const hub = createRecordingHub();
  const visitor = createVisitor(hub, connectionTo(server));
  put(server, "users.csv", CSV);

  const first = await visitor.visit();
  assert.deepEqual([hub.taken.length, first.trouble, first.nextAt], [0, null, 60_000]);
  visitor.seconds = 59;
  await visitor.visit();
  assert.equal(hub.taken.length, 0);
  visitor.seconds = 60;
  await visitor.visit();

  assert.deepEqual(hub.taken.map(({ name, sha256, isSettled }) => ({ name, sha256, isSettled })), [
    { name: "users.csv", sha256: sha256(CSV), isSettled: true },
  ]);
  assert.deepEqual(names(server), [".bak"]);
  assert.deepEqual(names(server, "incoming/.bak"), ["20260101T000000Z-users.csv"]);
  assert.equal(readFileSync(join(server.folder, "incoming/.bak/20260101T000000Z-users.csv"), "utf8"), CSV);
});

test("a server that agrees on new keys in the midst of a file gives it whole", { skip }, async (t) => {
  const server = await startSshServer(t, { config: ["RekeyLimit 512K"] });
  const hub = createRecordingHub();
  const content = "a line of many\n".repeat(200_000);
  put(server, "users.csv", content);
  put(server, "users.csv.done", "");
  assert.equal((await createVisitor(hub, connectionTo(server)).visit()).trouble, null);
  assert.equal(hub.taken[0]!.sha256, sha256(content));
});

test("a file that grows between two visits waits until it rests", { skip }, async (t) => {
  const server = await startSshServer(t);
  const hub = createRecordingHub();
  const visitor = createVisitor(hub, connectionTo(server));
  put(server, "users.csv", CSV, 10);
  await visitor.visit();
  put(server, "users.csv", `${CSV}2,bo@example.com\n`, 5);
  visitor.seconds = 300;
  assert.equal((await visitor.visit()).nextAt, 330_000);
  assert.equal(hub.taken.length, 0);
  visitor.seconds = 330;
  await visitor.visit();
  assert.deepEqual(hub.taken.map(({ bytes }) => bytes), [CSV.length + 17]);
});

test("files that wait together are taken oldest first, and an older one that may still grow stops younger ones", {
  skip,
}, async (t) => {
  const server = await startSshServer(t);
  const hub = createRecordingHub();
  const visitor = createVisitor(hub, connectionTo(server));
  put(server, "b.csv", "2", 100);
  put(server, "a-10.csv", "10", 50);
  put(server, "a-9.csv", "9", 50);
  await visitor.visit();
  put(server, "late.csv", "1", 200);
  visitor.seconds = 90;
  await visitor.visit();
  assert.deepEqual(hub.handOvers, []);
  visitor.seconds = 150;
  const followed: (boolean | undefined)[] = [];
  hub.beforeSeal = ({ isFollowed }) => void followed.push(isFollowed);
  await visitor.visit();
  assert.deepEqual(hub.handOvers, ["late.csv", "b.csv", "a-9.csv", "a-10.csv"]);
  assert.deepEqual(followed, [true, true, true, false]);
});

test("a companion lets a file be taken at the first visit, and goes with it", { skip }, async (t) => {
  const server = await startSshServer(t);
  const hub = createRecordingHub();
  const visitor = createVisitor(hub, connectionTo(server));
  put(server, "users.csv", CSV);
  put(server, "users.csv.done", "");
  put(server, "units.csv", "name\nFinance\n", 3000);
  put(server, "units.csv.sha256", `${sha256("name\nFinance\n")}  units.csv\n`, 3000);
  assert.equal((await visitor.visit()).trouble, null);
  assert.deepEqual(hub.handOvers, ["users.csv", "units.csv"]);
  assert.deepEqual(names(server, "incoming/.bak"), [
    "20260101T000000Z-users.csv",
    "20260101T000000Z-users.csv.done",
    "20260101T000001Z-units.csv",
    "20260101T000001Z-units.csv.sha256",
  ]);
});

test("a companion that is older than its file is one of an earlier file", { skip }, async (t) => {
  const server = await startSshServer(t);
  const hub = createRecordingHub();
  const visitor = createVisitor(hub, connectionTo(server));
  put(server, "users.csv.done", "", 3600);
  put(server, "users.csv", CSV, 10);
  await visitor.visit();
  assert.deepEqual(hub.taken, []);
});

test(
  "a file that is not what its .sha256 says is not taken, is reported, is read once, and stops no other",
  { skip },
  async (t) => {
    const server = await startSshServer(t);
    const hub = createRecordingHub();
    const visitor = createVisitor(hub, connectionTo(server));
    put(server, "users.csv", CSV, 100);
    put(server, "users.csv.sha256", sha256("something else"), 100);
    put(server, "other.csv", "x\n", 50);
    put(server, "other.csv.done", "", 50);
    for (let i = 0; i < 3; i++) {
      const { trouble } = await visitor.visit();
      assert.deepEqual(trouble?.trouble, {
        code: "file_changed",
        message: '"users.csv" is not what its .sha256 says: send it again, or a right .sha256',
      });
      assert.equal(whyLeft(hub, "users.csv"), "wrong_digest", `visit ${i + 1}`);
    }
    assert.equal(whyLeft(hub, "other.csv"), undefined);
    assert.deepEqual(hub.handOvers, ["other.csv"]);
    put(server, "users.csv.sha256", `${sha256(CSV)} *users.csv`, 10);
    assert.equal((await visitor.visit()).trouble, null);
    assert.deepEqual(hub.handOvers, ["other.csv", "users.csv"]);
    assert.equal(whyLeft(hub, "users.csv"), undefined);
  },
);

/** Why the last listing says that the file is left. */
function whyLeft({ seen }: RecordingHub, file: string): string | undefined {
  return seen.at(-1)!.find(({ name }) => name === file)?.left;
}

test(
  "a file that is taken takes the note about an earlier one of its name away, unless it was taken before",
  { skip },
  async (t) => {
    const server = await startSshServer(t);
    const hub = createRecordingHub();
    const visitor = createVisitor(hub, connectionTo(server));
    const note = (name: string) => {
      mkdirSync(join(server.folder, "incoming/reports"), { recursive: true });
      put(server, `reports/${name}.not-used.txt`, "Nothing was used");
    };
    note("users");
    note("others");
    put(server, "users.csv", CSV);
    put(server, "users.csv.done", "");
    assert.equal((await visitor.visit()).trouble, null);
    assert.deepEqual(names(server, "incoming/reports"), ["others.not-used.txt"]);
    // The hub has the file, and its answer is there, but the bridge has not learned of it.
    put(server, "users.csv", "email\nana@acme.test\n");
    put(server, "users.csv.done", "");
    hub.afterSeal = () => Promise.reject(new Error("killed"));
    await visitor.visit();
    note("users");
    hub.afterSeal = () => {};
    await visitor.visit();
    assert.deepEqual(hub.handOvers, ["users.csv", "users.csv", "users.csv"]);
    assert.deepEqual(names(server, "incoming/reports"), ["others.not-used.txt", "users.not-used.txt"]);
  },
);

test("names that are temporary, hidden, not meant, folders or links are left alone", { skip }, async (t) => {
  const server = await startSshServer(t);
  const hub = createRecordingHub();
  const visitor = createVisitor(hub, connectionTo(server));
  for (const name of [".users.csv", "users.csv.tmp", "a.csv.part", "b.csv.filepart", "c.csv.crdownload", "d.xlsx"]) {
    put(server, name, CSV);
  }
  put(server, "empty.csv", "");
  mkdirSync(join(server.folder, "incoming/folder.csv"));
  writeFileSync(join(server.folder, "secret.csv"), "secret");
  symlinkSync(join(server.folder, "secret.csv"), join(server.folder, "incoming/link.csv"));
  await visitor.visit();
  visitor.seconds = 7200;
  assert.equal((await visitor.visit()).trouble, null);
  assert.deepEqual(hub.taken, []);
  assert.deepEqual(hub.seen.at(-1)!.map(({ name }) => name).sort(), [
    ".users.csv",
    "a.csv.part",
    "b.csv.filepart",
    "c.csv.crdownload",
    "empty.csv",
    "users.csv.tmp",
  ]);
});

test("names that are not UTF-8 are left, and reported", { skip }, async (t) => {
  const server = await startSshServer(t);
  const hub = createRecordingHub();
  const folder = Buffer.from(join(server.folder, "incoming/"));
  writeFileSync(Buffer.concat([folder, Buffer.from([0xfc, 0x2e, 0x63, 0x73, 0x76])]), CSV);
  const { trouble } = await createVisitor(hub, connectionTo(server)).visit();
  assert.match(trouble!.message, /^1 files? in ".*incoming" are left: their names are not UTF-8$/);
});

test("with delete a file is gone once it was taken", { skip }, async (t) => {
  const server = await startSshServer(t);
  const hub = createRecordingHub();
  const visitor = createVisitor(hub, connectionTo(server, { after: "delete" }));
  put(server, "users.csv", CSV);
  put(server, "users.csv.done", "");
  await visitor.visit();
  assert.deepEqual([hub.taken.length, names(server)], [1, []]);
});

test(
  "with leave a server that can only be read keeps its files, none is taken twice, and a new one is",
  { skip },
  async (t) => {
    const server = await startSshServer(t, { sftp: "-R" });
    const hub = createRecordingHub();
    const connection = connectionTo(server, { after: "leave" });
    const visitor = createVisitor(hub, connection);
    put(server, "users.csv", CSV, 100);
    await visitor.visit();
    visitor.seconds = 60;
    assert.equal((await visitor.visit()).trouble, null);
    visitor.seconds = 400;
    await visitor.visit();
    // Another process, which has seen nothing.
    const later = createVisitor(hub, connection);
    await later.visit();
    later.seconds = 400;
    await later.visit();
    assert.deepEqual(hub.handOvers, ["users.csv"]);
    put(server, "users.csv", `${CSV}2,bo@example.com\n`, 10);
    later.seconds = 500;
    await later.visit();
    later.seconds = 600;
    await later.visit();
    assert.deepEqual(hub.handOvers, ["users.csv", "users.csv"]);
    assert.deepEqual(names(server), ["users.csv"]);
  },
);

test(
  "a file that comes under the same name while the other is handed over is not put away in its place",
  { skip },
  async (t) => {
    for (const after of ["move", "delete"] as const) {
      const server = await startSshServer(t);
      const hub = createRecordingHub();
      const visitor = createVisitor(hub, connectionTo(server, { after }));
      put(server, "users.csv", CSV, 100);
      await visitor.visit();
      hub.afterSeal = () => put(server, "users.csv", "a new one", 0);
      visitor.seconds = 60;
      await visitor.visit();
      hub.afterSeal = () => {};
      assert.equal(readFileSync(join(server.folder, "incoming/users.csv"), "utf8"), "a new one");
      visitor.seconds = 200;
      await visitor.visit();
      visitor.seconds = 300;
      await visitor.visit();
      assert.deepEqual(hub.taken.map(({ bytes }) => bytes), [CSV.length, 9], after);
    }
  },
);

test("a file that changes while it is read is not taken, in part or else", { skip }, async (t) => {
  const server = await startSshServer(t);
  const hub = createRecordingHub();
  const visitor = createVisitor(hub, connectionTo(server));
  const path = join(server.folder, "incoming/users.csv");
  put(server, "users.csv", "x".repeat(3_000_000), 100);
  const { handOver } = hub;
  hub.handOver = (connection, file, signal) =>
    handOver(connection, {
      ...file,
      open: () => {
        let count = 0;
        return file.open().pipeThrough(
          new TransformStream<Uint8Array, Uint8Array>({
            transform(chunk, controller) {
              if (count++ === 3) writeFileSync(path, "y".repeat(3_000_000));
              controller.enqueue(chunk);
            },
          }),
        );
      },
    }, signal);
  await visitor.visit();
  visitor.seconds = 60;
  const { trouble } = await visitor.visit();
  assert.equal(trouble?.trouble.code, "file_changed");
  assert.deepEqual([hub.taken, names(server)], [[], ["users.csv"]]);
});

test(
  "a file that the hub has and that cannot be moved is reported, is not taken again, and is moved once that is allowed",
  { skip },
  async (t) => {
    const server = await startSshServer(t, { sftp: "-P rename,posix-rename" });
    const hub = createRecordingHub();
    const connection = connectionTo(server);
    const visitor = createVisitor(hub, connection);
    put(server, "users.csv", CSV, 100);
    put(server, "users.csv.done", "", 100);
    put(server, "more.csv", CSV, 50);
    put(server, "more.csv.done", "", 50);
    for (let i = 0; i < 2; i++) {
      const { trouble } = await visitor.visit();
      assert.equal(trouble?.trouble.code, "not_permitted");
      assert.match(
        trouble!.message,
        /^"users\.csv\.done" was taken, and cannot be moved to ".*\.bak": Permission denied/,
      );
    }
    assert.deepEqual(hub.handOvers, ["users.csv", "more.csv"]);
    // Another process hands them over again; the hub knows them.
    await createVisitor(hub, connection).visit();
    assert.deepEqual([hub.handOvers.length, hub.taken.length], [4, 2]);

    const corrected = await startSshServer(t, { home: join(server.folder, "..") });
    const again = createVisitor(hub, {
      ...connection,
      settings: { ...connection.settings, remote: { ...connection.settings.remote!, port: corrected.port } },
    });
    again.memory.pending.set("users.csv", visitor.memory.pending.get("users.csv")!);
    again.memory.pending.set("more.csv", visitor.memory.pending.get("more.csv")!);
    assert.equal((await again.visit()).trouble, null);
    assert.deepEqual([hub.handOvers.length, names(server)], [4, [".bak"]]);
  },
);

test("what is there already under a name in .bak is never overwritten", { skip }, async (t) => {
  const server = await startSshServer(t);
  const hub = createRecordingHub();
  mkdirSync(join(server.folder, "incoming/.bak"));
  writeFileSync(join(server.folder, "incoming/.bak/20260101T000000Z-users.csv"), "somebody's");
  put(server, "users.csv", CSV);
  put(server, "users.csv.done", "");
  await createVisitor(hub, connectionTo(server)).visit();
  assert.deepEqual(names(server, "incoming/.bak"), [
    "20260101T000000Z-users.csv",
    "20260101T000000Z-users.csv.1".replace(".1", ".2"),
    "20260101T000000Z-users.csv.done",
  ]);
  assert.equal(readFileSync(join(server.folder, "incoming/.bak/20260101T000000Z-users.csv"), "utf8"), "somebody's");
});

test("a folder that does not exist is reported with where the log-in begins", { skip }, async (t) => {
  const server = await startSshServer(t);
  const visitor = createVisitor(createRecordingHub(), connectionTo(server, { folder: "/Incoming" }));
  await assert.rejects(visitor.visit(), (error: { trouble: Trouble }) => {
    assert.equal(error.trouble.code, "folder_missing");
    assert.match(error.trouble.message, /^There is no folder "\/Incoming"; the log-in begins in "\//);
    return true;
  });
});

test("a file that is too large is reported and stops no other", { skip }, async (t) => {
  const server = await startSshServer(t);
  const hub = createRecordingHub();
  const visitor = createVisitor(hub, connectionTo(server), { ...QUICK, maxBytes: 1000 });
  put(server, "big.csv", "x".repeat(1001), 100);
  put(server, "small.csv", CSV, 50);
  put(server, "small.csv.done", "", 50);
  const { trouble } = await visitor.visit();
  assert.equal(trouble?.trouble.code, "too_large");
  assert.deepEqual(hub.handOvers, ["small.csv"]);
  assert.equal(whyLeft(hub, "big.csv"), "too_large");
});

test(
  "of a folder with more files than are looked at, the oldest have their turn first, and nothing is concluded of the rest",
  {
    skip,
  },
  async (t) => {
    const server = await startSshServer(t);
    const hub = createRecordingHub();
    const visitor = createVisitor(hub, connectionTo(server), { ...QUICK, maxFiles: 50 });
    for (let i = 0; i < 300; i++) put(server, `${i}.csv`, "x", i);
    // What is not meant takes nobody's place.
    for (let i = 0; i < 200; i++) put(server, `${i}.pdf`, "x", 10_000 + i);
    await visitor.visit();
    visitor.seconds = 60;
    await visitor.visit();
    assert.deepEqual([hub.seen.length, hub.handOvers.length, hub.handOvers[0]], [0, 50, "299.csv"]);
  },
);

test(
  "of a folder with more files than are looked at, whose files are left, the newest are taken, and that is reported",
  {
    skip,
  },
  async (t) => {
    const server = await startSshServer(t);
    const hub = createRecordingHub();
    const visitor = createVisitor(hub, connectionTo(server, { after: "leave" }), { ...QUICK, maxFiles: 50 });
    for (let i = 0; i < 120; i++) put(server, `${i}.csv`, "x", i);
    await visitor.visit();
    visitor.seconds = 60;
    const { trouble } = await visitor.visit();
    assert.match(trouble!.message, /has more than 50 files: only the newest are looked at/);
    assert.deepEqual([hub.handOvers.length, hub.handOvers.at(-1)], [50, "0.csv"]);
  },
);

test("a folder with more names than can be looked at is reported", { skip }, async (t) => {
  const server = await startSshServer(t);
  const visitor = createVisitor(createRecordingHub(), connectionTo(server), { ...QUICK, maxNames: 200 });
  for (let i = 0; i < 300; i++) put(server, `${i}.xlsx`, "x", i);
  await assert.rejects(visitor.visit(), /has more than 200 names: move old ones elsewhere/);
});

test("the hub's refusal of a file stops those behind it, and the file stays", { skip }, async (t) => {
  const server = await startSshServer(t);
  const hub = createRecordingHub();
  const visitor = createVisitor(hub, connectionTo(server));
  put(server, "1.csv", "1", 100);
  put(server, "1.csv.done", "", 100);
  put(server, "2.csv", "2", 50);
  put(server, "2.csv.done", "", 50);
  hub.beforeSeal = () => {
    throw Object.assign(new Error("No"), { trouble: { code: "hub_unreachable", message: "The hub is not there" } });
  };
  assert.deepEqual((await visitor.visit()).trouble?.trouble, {
    code: "hub_unreachable",
    message: "The hub is not there",
  });
  assert.deepEqual([hub.taken, hub.handOvers, names(server).length], [[], ["1.csv"], 4]);
  hub.beforeSeal = () => {};
  await visitor.visit();
  assert.deepEqual(hub.taken.map(({ name }) => name), ["1.csv", "2.csv"]);
});

test("a file that its owner deletes during the visit is not in the way", { skip }, async (t) => {
  const server = await startSshServer(t);
  const hub = createRecordingHub();
  const visitor = createVisitor(hub, connectionTo(server));
  put(server, "users.csv", CSV);
  put(server, "users.csv.done", "");
  hub.afterSeal = () => rmSync(join(server.folder, "incoming/users.csv"));
  assert.equal((await visitor.visit()).trouble, null);
  assert.equal(hub.taken[0]!.isSettled, true);
});
