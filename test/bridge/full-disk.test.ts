/** Disks that are really full: the hub's, the bridge's own, and that of a server of others. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createHostedServer } from "../../src/bridge/hosted/server.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { runNext } from "../../src/runs/next.ts";
import { createTokenText } from "../../src/security/token.ts";
import { isServed, startApart } from "../support/apart.ts";
import { bridging, isHeld, until } from "../support/bridging.ts";
import { createRecordingHub } from "../support/hand-over.ts";
import { connect, done } from "../support/hosted.ts";
import { createAsk, createTestHub, createTestToken } from "../support/hub.ts";
import { connectionTo, createVisitor, put } from "../support/remote.ts";
import { onlyInCheck } from "../support/rounds.ts";
import { startCommand } from "../support/serve.ts";
import { freePort, noSshd, startSshServer } from "../support/sshd.ts";
import { mountSmallDisk, noSmallDisk } from "../support/tmpfs.ts";

const onNode = "Deno" in globalThis ? false : "processes are started on Deno, and not again on Node";
const names = (folder: string): string[] => existsSync(folder) ? readdirSync(folder).sort() : [];

test("a hub whose disk is full takes nothing and says so, and once there is room each file has been taken once", {
  skip: onNode || noSmallDisk || onlyInCheck,
}, async (t) => {
  const [disk, other] = [mountSmallDisk(t, "size=48m"), mountSmallDisk(t, "size=48m")];
  const { hub, ask, url, admin, sftpPort } = await startApart(t, {
    dataDir: join(disk.path, "data"),
    sftpDir: join(other.path, "sftp"),
  });
  await ask("/v1/connections", {
    connector: "sftp-drop",
    name: "one",
    slug: "one",
    policy: { coverage: "diff" },
    key: "email",
  });
  const id = await isServed(ask, "one");
  const login = await ask("/v1/connections/one/sftp-login", { method: "password" });
  const { client, sftp } = await connect({ port: sftpPort }, login.username, { password: login.password });
  t.after(() => client.end());
  const sent = new Map<string, string>();
  const drop = async (name: string, count: number, noteBytes: number) => {
    const noise = (bytes: number) => randomBytes(bytes).toString("hex");
    const rows = Array.from({ length: count }, (_, i) => `${name}-${i}@example.com,P,${noise(60)},${noise(noteBytes)}`);
    const text = `email,first_name,last_name,note\n${rows.join("\n")}\n`;
    sent.set(`${name}.csv`, createHash("sha256").update(text).digest("hex"));
    await done((then) => sftp.writeFile(`/incoming/${name}.csv`, text, {}, then));
  };
  const ended = async (count: number) => {
    const runs = await until(
      "all have become runs that have ended",
      async () => (await ask("/v1/runs?connection=one")).data,
      (all) => all.length === count && all.every((run: { finished_at: string | null }) => run.finished_at !== null),
      90_000,
    );
    for (const { drop, status } of runs) assert.deepEqual([status, drop.sha256], ["succeeded", sent.get(drop.name)]);
    assert.equal(new Set(runs.map((run: { drop: { name: string } }) => run.drop.name)).size, count);
  };
  const trouble = async () => (await ask("/v1/connections/one")).sftp.trouble?.code ?? null;

  disk.fill();
  // More than the log of the database, which is there already, may hold.
  await drop("handed-over", 200, 25_000);
  await until("the connection shows it", trouble, (code) => code === "hub_full", 30_000);
  const refused = await fetch(`${url}/v1/connections/csv/drops?name=a.csv`, {
    method: "POST",
    headers: { authorization: `Bearer ${admin}`, "content-type": "text/csv" },
    body: randomBytes(3_000_000),
  });
  assert.deepEqual([refused.status, (await refused.json()).code], [507, "storage_full"]);
  assert.deepEqual(names(join(other.path, "sftp", id, "drops")), ["handed-over.csv"]);
  disk.free();
  await ended(1);

  // Started anew, so that the log of the database has no room of its own.
  await hub.stop();
  await hub.again();
  const since = new Date().toISOString();
  await drop("planned", 20_000, 0);
  await until(
    "the hub has the file",
    async () => (await ask("/v1/runs?connection=one")).data.length,
    (count) => count === 2,
  );
  // Filled while the run works, as nobody can say how much room a file needs before it becomes one.
  disk.fill();
  await until("the hub logs why it does not go on", () => hub.said(), (output) => {
    const lines = output.split("\n").filter((line) => /"event":"run(ner)?\.(interrupted|failed)"/.test(line));
    return lines.some((line) => /FULL|disk is full/.test(line) && /"time":"([^"]+)"/.exec(line)![1]! > since);
  }, 30_000);
  const [run] = (await ask("/v1/runs?connection=one&limit=1")).data;
  assert.deepEqual([run.drop.name, run.finished_at], ["planned.csv", null]);
  disk.free();
  await ended(2);
  await until("nothing is in the way any more", trouble, (code) => code === null, 60_000);
  assert.deepEqual(names(join(other.path, "sftp", id, "drops")), []);
  assert.equal(names(join(other.path, "sftp", id, "bak")).length, sent.size);
});

test("a bridge that cannot keep its key says that its disk is full, leaves nothing, and starts once there is room", {
  skip: onNode || noSmallDisk || onlyInCheck,
}, async (t) => {
  const disk = mountSmallDisk(t, "size=1m");
  const start = async () => {
    const child = startCommand(["bridge", "--hub", "http://127.0.0.1:9", "--token", createTokenText()], {
      MUSTER_SFTP_PORT: String(await freePort()),
      MUSTER_SFTP_DIR: join(disk.path, "sftp"),
    });
    let output = "";
    for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (data) => output += data);
    return { child, output: () => output };
  };
  mkdirSync(join(disk.path, "sftp"));
  disk.fill();
  const { child, output } = await start();
  assert.equal(await new Promise((resolve) => child.on("exit", resolve)), 2);
  assert.match(output(), /The bridge's disk is full: .* MUSTER_SFTP_DIR/);
  assert.deepEqual(names(join(disk.path, "sftp")), []);
  disk.free();
  const again = await start();
  try {
    await until("it works", again.output, (text) => /^SFTP is at /m.test(text), 30_000);
  } finally {
    again.child.kill("SIGKILL");
  }
});

test("a bridge whose disk is full takes no upload for whole, brings a report later, and says both", {
  skip: noSmallDisk || onlyInCheck,
}, async (t) => {
  const disk = mountSmallDisk(t, "size=4m");
  const hub = await createTestHub({ registry: createRegistry() });
  const admin = createAsk(hub, await createTestToken(hub));
  let port = 0;
  const bridge = await bridging(hub, {
    dir: join(disk.path, "sftp"),
    createHostedServer: async (options) => {
      const server = await createHostedServer(options, { limits: { settleMs: 20, retryMs: 50 } });
      port = server.port;
      return server;
    },
  });
  t.after(async () => {
    await bridge.kill();
    hub.close();
  });
  await admin("/v1/connections", {
    json: { connector: "sftp-drop", name: "one", slug: "one", policy: { coverage: "diff" }, key: "email" },
  });
  const { id } = await (await admin("/v1/connections/one")).json();
  await isHeld(bridge, id);
  const login = await (await admin("/v1/connections/one/sftp-login", { json: { method: "password" } })).json();
  const { client, sftp } = await connect({ port }, login.username, { password: login.password });
  t.after(() => client.end());
  const at = (folder: string) => names(join(disk.path, "sftp", id, folder));
  const trouble = async () => (await (await admin("/v1/connections/one")).json()).sftp.trouble;
  const write = (name: string, text: string) => done((then) => sftp.writeFile(`/incoming/${name}`, text, {}, then));
  const carry = async () => {
    while (await runNext(hub, { signal: new AbortController().signal, owner: "test", rethrow: true }) !== null);
  };

  disk.fill();
  await assert.rejects(write("cut.csv", "email,first_name,last_name\n".repeat(10_000)), /disk is full/);
  await until("the admin sees it", trouble, (found) => found?.code === "disk_full");
  assert.deepEqual(at("bak"), []);
  disk.free();
  const rows = Array.from({ length: 40 }, (_, i) => `p${i}@,P,Q`);
  await write("users.csv", `email,first_name,last_name\nana@example.com,Ana,Lopez\n${rows.join("\n")}\n`);
  await until("it is taken", () => at("bak"), (all) => all.length === 1);
  await until("nothing is in the way", trouble, (found) => found === null);

  // Now there is no room for what comes back.
  disk.fill();
  await carry();
  const found = await until("the admin sees it", trouble, (found) => found !== null);
  assert.deepEqual([found.code, /failure report could not be written.* disk is full/.test(found.message)], [
    "disk_full",
    true,
  ]);
  assert.deepEqual([at("reports"), at("making")], [[], []]);
  disk.free();
  hub.clock.ms += 120_000;
  await until("the report is there", () => at("reports"), (all) => all.length === 1);
  assert.deepEqual(at("reports"), ["users.failures.csv"]);
  assert.deepEqual((await (await admin("/v1/runs?connection=one")).json()).data.length, 1, "taken once");
});

test(
  "a server whose disk has no room for .bak has its file taken once, is reported, and is tidied once there is room",
  {
    skip: noSshd || noSmallDisk,
  },
  async (t) => {
    const disk = mountSmallDisk(t, "size=4m,nr_inodes=30");
    const home = join(disk.path, "home");
    mkdirSync(home);
    const server = await startSshServer(t, { home });
    const incoming = join(server.folder, "incoming");
    const hub = createRecordingHub();
    put(server, "users.csv", "email\nana@example.com\n");
    put(server, "users.csv.done", "");
    // A folder needs an inode, of which none is left.
    for (let i = 0;; i++) {
      try {
        writeFileSync(join(disk.path, `inode-${i}`), "");
      } catch (error) {
        assert.equal((error as { code?: string }).code, "ENOSPC");
        break;
      }
    }
    for (let visits = 0; visits < 3; visits++) {
      // The second time by a bridge that was started anew.
      const visitor = createVisitor(hub, connectionTo(server));
      for (let again = 0; again < 2; again++) {
        const { trouble } = await visitor.visit();
        assert.match(trouble!.message, /"users\.csv.*" was taken, and cannot be moved.*make room on its disk/s);
        assert.equal(hub.taken.length, 1);
      }
    }
    assert.deepEqual(names(incoming), ["users.csv", "users.csv.done"]);
    for (const name of names(disk.path).filter((name) => name.startsWith("inode-"))) rmSync(join(disk.path, name));
    const { trouble } = await createVisitor(hub, connectionTo(server)).visit();
    assert.equal(trouble, null);
    assert.deepEqual(names(incoming), [".bak"]);
    assert.deepEqual(hub.taken.map(({ name, isSettled }) => [name, isSettled]), [["users.csv", true]]);
  },
);
