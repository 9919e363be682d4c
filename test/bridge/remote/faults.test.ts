import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { Trouble } from "../../../src/bridge/contract.ts";
import { layLine } from "../../support/faulty-line.ts";
import { createRecordingHub } from "../../support/hand-over.ts";
import { mostMemoryOf } from "../../support/memory.ts";
import { listsNames, startOwnServer } from "../../support/own-sftp.ts";
import { connectionTo, createVisitor, put, QUICK, type Visitor } from "../../support/remote.ts";
import { onlyInCheck } from "../../support/rounds.ts";
import { noSshd, startSshServer } from "../../support/sshd.ts";

const skip = noSshd;
const CONTENT = randomBytes(600_000);
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");

async function troubleOf(visitor: Visitor): Promise<Trouble["code"] | null> {
  try {
    const { trouble } = await visitor.visit();
    return trouble?.trouble.code ?? null;
  } catch (error) {
    return (error as { trouble: Trouble }).trouble?.code ?? assert.fail(String(error));
  }
}

for (const kind of ["cut", "stall"] as const) {
  test(
    `a line that is ${kind} at any point loses no file, takes none twice and none in part, and is reported`,
    { skip },
    async (t) => {
      const server = await startSshServer(t);
      const line = await layLine(t, server.port);
      const limits = { ...QUICK, logInMs: 250, answerMs: 250 };
      // How many bytes a whole visit is.
      put(server, "users.csv", CONTENT);
      put(server, "users.csv.done", "");
      const connection = connectionTo(server, { port: line.port });
      await createVisitor(createRecordingHub(), connection, QUICK).visit();
      const total = line.passed;
      assert.ok(total > CONTENT.length);

      const early = kind === "cut" ? [1, 40, 1100, 1900, 2300, 2700, 3000, 3300] : [30, 1200, 2600];
      const spread = kind === "cut" ? 10 : 4;
      const points = [
        ...early,
        ...Array.from({ length: spread }, (_, i) => Math.floor((total * (i + 1)) / spread) - 200),
      ];
      const codes = new Set<string | null>();
      for (const afterBytes of points) {
        const hub = createRecordingHub();
        rmSync(join(server.folder, "incoming"), { recursive: true });
        mkdirSync(join(server.folder, "incoming"));
        put(server, "users.csv", CONTENT);
        put(server, "users.csv.done", "");
        line.fault = { afterBytes, kind, times: Infinity };
        const visitor = createVisitor(hub, connection, limits);
        codes.add(await troubleOf(visitor));
        line.fault = null;
        // Another process goes on, and waits where the companion went ahead of its file.
        const other = createVisitor(hub, connection, QUICK);
        const { nextAt, trouble } = await other.visit();
        assert.equal(trouble, null);
        if (nextAt !== null) {
          other.seconds = 60;
          assert.equal((await other.visit()).trouble, null);
        }
        assert.deepEqual(
          hub.taken.map(({ name, sha256 }) => [name, sha256]),
          [["users.csv", SHA256]],
          `at ${afterBytes}`,
        );
        assert.deepEqual(readdirSync(join(server.folder, "incoming")), [".bak"], `at ${afterBytes}`);
      }
      assert.ok(![...codes].includes("failed"), [...codes].join());
      assert.ok(codes.has(kind === "cut" ? "unreachable" : "timed_out"), [...codes].join());
    },
  );
}

test(
  "a server that vanishes in the middle of a listing is reported, and the next visit finds all",
  { skip },
  async (t) => {
    const server = await startSshServer(t);
    const line = await layLine(t, server.port);
    for (let i = 0; i < 1500; i++) put(server, `${i}-${"x".repeat(60)}.csv`, "x", 100);
    const hub = createRecordingHub();
    const visitor = createVisitor(hub, connectionTo(server, { port: line.port }), QUICK);
    line.fault = { afterBytes: 60_000, kind: "cut" };
    assert.equal(await troubleOf(visitor), "unreachable");
    line.fault = { afterBytes: 60_000, kind: "stall" };
    assert.equal(await troubleOf(visitor), "timed_out");
    // What was seen of it tells nothing of what is gone.
    assert.equal(hub.seen.length, 0);
    line.fault = null;
    assert.equal(await troubleOf(visitor), null);
    assert.equal(hub.seen.at(-1)!.length, 1500);
  },
);

test("a file that is too slow to come is broken off", { skip }, async (t) => {
  const server = await startSshServer(t);
  put(server, "users.csv", CONTENT);
  put(server, "users.csv.done", "");
  const hub = createRecordingHub();
  const limits = { ...QUICK, transferMs: 0, slowestBytesPerSecond: 1e9 };
  assert.equal(await troubleOf(createVisitor(hub, connectionTo(server), limits)), "timed_out");
  assert.deepEqual(hub.taken, []);
});

const onNode = "Deno" in globalThis ? false : "one runtime is enough for what is large: npm test has this test";

test("a file of 120 MB goes through memory that stays flat", {
  skip: skip || onNode || onlyInCheck,
}, async (t) => {
  const server = await startSshServer(t);
  put(server, "users.csv", new Uint8Array(120_000_000).fill(120));
  put(server, "users.csv.done", "");
  const hub = createRecordingHub();
  const most = await mostMemoryOf(async () => {
    assert.equal(await troubleOf(createVisitor(hub, connectionTo(server))), null);
  });
  assert.equal(hub.taken[0]!.bytes, 120_000_000);
  assert.ok(most < 30e6, `${Math.round(most / 1e6)} MB more`);
});

const longName = (number: number) => `${"a long name of an employee file ".repeat(3)}${number}.csv`;
const login = { secrets: { password: "x" }, folder: "/", after: "leave" } as const;
const LISTING = { ...QUICK, answerMs: 10_000 };

test("a folder with 100,000 names goes through memory that stays flat", { skip: onNode || onlyInCheck }, async (t) => {
  const server = await startOwnServer(
    t,
    (context) => context.accept(),
    (sftp) => listsNames(sftp, 100_000, longName),
  );
  const hub = createRecordingHub();
  hub.isAlreadyTaken = () => Promise.resolve(true);
  const most = await mostMemoryOf(() => createVisitor(hub, connectionTo(server, login), LISTING).visit());
  assert.ok(most < 100e6, `${Math.round(most / 1e6)} MB more`);
});

test("a folder without an end is broken off", { skip: onNode || onlyInCheck }, async (t) => {
  const server = await startOwnServer(
    t,
    (context) => context.accept(),
    (sftp) => listsNames(sftp, Infinity, longName),
  );
  const hub = createRecordingHub(), maxNames = 20_000;
  const visitor = createVisitor(hub, connectionTo(server, login), { ...LISTING, maxNames });
  const tooMany = new RegExp(`has more than ${maxNames} names`);
  const most = await mostMemoryOf(() => assert.rejects(visitor.visit(), tooMany));
  assert.ok(most < 100e6, `${Math.round(most / 1e6)} MB more`);
});
