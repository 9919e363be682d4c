import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import test from "node:test";
import { createTokenText } from "../../src/security/token.ts";
import { fetch } from "../support/checked.ts";
import { without } from "../support/programs.ts";
import { sleep } from "../../src/std/sleep.ts";
import { freePort } from "../support/sshd.ts";
import { gzipSync } from "node:zlib";
import { textRow, workbookOf } from "../support/workbook-parts.ts";
import { ENTRY, LAUNCH, PATH, RUNTIME } from "../support/launch.ts";
import { startCommand, startServing } from "../support/serve.ts";
import { onlyInCheck, onlyInCheckOnDeno } from "../support/rounds.ts";

const SCRIPT = "/usr/bin/script";
const PEOPLE = "employee_id,email,first_name,last_name\n" +
  Array.from({ length: 200 }, (_, i) => `${1000 + i},person${i}@example.com,Person,Number${i}\n`).join("");

async function withDir(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "muster-"));
  try {
    await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

test("a first start makes all that is needed and says where its token is; no log that is kept has the token", () =>
  withDir(async (dir) => {
    const env = { MUSTER_DATA_DIR: join(dir, "data") };
    const first = await startServing(env);
    const token = (await readFile(join(env.MUSTER_DATA_DIR, "first-token"), "utf8")).trim();
    assert.match(token, /^mus_[0-9A-Za-z]{36}$/);
    assert.ok(first.said().out.includes(`The first token is in ${join(env.MUSTER_DATA_DIR, "first-token")}`));
    assert.doesNotMatch(first.said().out + first.said().err, /mus_/);
    assert.equal((await stat(join(env.MUSTER_DATA_DIR, "first-token"))).mode & 0o777, 0o600);
    assert.equal((await stat(env.MUSTER_DATA_DIR)).mode & 0o777, 0o700);
    assert.equal(await first.stop("SIGTERM"), 0);

    const second = await startServing(env);
    assert.doesNotMatch(second.said().out, /mus_/);
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${second.url}/v1/organization`, { headers });
    assert.equal(answer.status, 200);
    assert.equal((await answer.json()).slug, "default");
    // An operator's token opens what belongs to the hub, an admin's what belongs to the organization.
    assert.equal((await fetch(`${second.url}/v1/organizations`, { headers })).status, 200);
    assert.equal(await second.stop("SIGINT"), 0);
  }));

test(
  "somebody at a terminal is shown the first token, and a link that opens the console",
  { skip: without(SCRIPT, "util-linux") },
  () =>
    withDir(async (dir) => {
      // `script` runs a command on a terminal of its own.
      const port = await freePort();
      const door = `${LAUNCH} ${RUNTIME} ${ENTRY}`;
      const env = { ...process.env, PATH, PORT: String(port), MUSTER_SFTP_PORT: "0", MUSTER_DATA_DIR: dir };
      const watched = spawn(SCRIPT, ["-qefc", `exec ${door} serve`, "/dev/null"], {
        env,
        stdio: ["pipe", "pipe", "pipe"],
      });
      let out = "";
      watched.stdout.on("data", (data) => out += data);
      const ended = new Promise((resolve) => watched.on("exit", resolve));
      for (let i = 0; i < 600 && !/sign-in\/[0-9a-f]{64}/.test(out); i++) await sleep(100);
      assert.match(out, /The first token, shown this once and kept in \S+: mus_[0-9A-Za-z]{36}/);
      const link = /http:\S+\/sign-in\/[0-9a-f]{64}/.exec(out)![0];
      const opened = await fetch(link, { redirect: "manual" });
      assert.equal(opened.status, 303);
      const home = await fetch(new URL(opened.headers.get("location")!, link).href, {
        headers: { cookie: opened.headers.get("set-cookie")!.split(";")[0]! },
      });
      assert.match(await home.text(), /Where people come from/);
      assert.equal((await fetch(link)).status, 401, "once");
      // Ctrl-C.
      watched.stdin.write("\x03");
      await ended;
    }),
);

test(
  "whatever the umask, all that a hub makes is its owner's alone, and what others can read is said with its remedy",
  {
    skip: onlyInCheck || process.platform === "win32",
  },
  () =>
    withDir(async (dir) => {
      const umask = process.umask(0);
      try {
        const data = join(dir, "data");
        const env = {
          MUSTER_DATA_DIR: data,
          MUSTER_SFTP_DIR: join(dir, "sftp"),
          MUSTER_SFTP_PORT: String(await freePort()),
        };
        const first = await startServing(env);
        const made: string[] = [];
        for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
          const path = join(entry.parentPath, entry.name);
          assert.equal((await stat(path)).mode & 0o077, 0, path);
          made.push(entry.name);
        }
        for (const name of ["muster.db", "muster.db-wal", "muster.db-shm", "master-key", "first-token", "sftp"]) {
          assert.ok(made.includes(name), `${name} is not among ${made}`);
        }
        assert.doesNotMatch(first.said().err, /readable_by_others/);
        assert.equal(await first.stop(), 0);

        await chmod(join(data, "master-key"), 0o640);
        const second = await startServing(env);
        const line = second.said().err.split("\n").find((each) => each.includes("files.readable_by_others"))!;
        const { path, fix } = JSON.parse(line);
        assert.deepEqual([path, fix], [join(data, "master-key"), `chmod 600 '${join(data, "master-key")}'`]);
        assert.equal(await second.stop(), 0);
      } finally {
        process.umask(umask);
      }
    }),
);

test(
  "a hub that is stopped right after its start ends at once, whatever its thread has got to",
  { skip: onlyInCheck },
  () =>
    withDir(async (dir) => {
      for (let start = 0; start < 3; start++) {
        const hub = await startServing({ MUSTER_DATA_DIR: join(dir, "data") });
        assert.equal(await hub.stop(), 0);
        assert.doesNotMatch(
          hub.said().err,
          /"(?:runner|bridge)\.terminated"/,
          "a thread did not know that it should end",
        );
      }
    }),
);

test(
  "whoever hangs in the midst of a request does not keep the hub from ending in order",
  { skip: onlyInCheck },
  () =>
    withDir(async (dir) => {
      const token = createTokenText();
      const hub = await startServing({ MUSTER_DATA_DIR: join(dir, "data"), MUSTER_ADMIN_TOKEN: token });
      const socket = connect(Number(new URL(hub.url).port), "127.0.0.1");
      socket.on("error", () => {});
      const head = ["POST /v1/connections/csv/drops HTTP/1.1", "Host: localhost", `Authorization: Bearer ${token}`];
      socket.write([...head, "Content-Type: text/csv", "Content-Length: 1000", "", "employee_id,"].join("\r\n"));
      assert.equal((await fetch(`${hub.url}/readyz`)).status, 200);
      assert.equal(await hub.stop(), 0);
      assert.match(hub.said().err, /"event":"hub.stopped"/);
      assert.doesNotMatch(hub.said().err, /Uncaught/);
      socket.destroy();
    }),
);

test("a drop that is handed in is carried by the runner, and a file beside it by a command", {
  skip: onlyInCheckOnDeno,
}, () =>
  withDir(async (dir) => {
    const env = { MUSTER_DATA_DIR: join(dir, "data"), MUSTER_ADMIN_TOKEN: createTokenText() };
    const hub = await startServing(env);
    assert.doesNotMatch(hub.said().out, /mus_/, "a token that the operator gave is not shown");
    const headers = { authorization: `Bearer ${env.MUSTER_ADMIN_TOKEN}` };
    const answer = await fetch(`${hub.url}/v1/connections/csv/drops?name=people.csv`, {
      method: "POST",
      headers: { ...headers, "content-type": "text/csv", prefer: "wait=60" },
      body: PEOPLE,
    });
    const { run } = await answer.json();
    assert.equal(answer.status, 200);
    assert.equal(run.status, "succeeded");
    assert.equal(run.counts.created, 200);

    const file = join(dir, "more.csv");
    await writeFile(file, PEOPLE.replace("person7@example.com", "seven@example.com"));
    const command = startCommand(["import", file, "--json"], env);
    let out = "";
    command.stdout!.on("data", (data) => out += data);
    assert.equal(await new Promise((resolve) => command.on("close", resolve)), 0);
    assert.equal(JSON.parse(out).counts.updated, 1);

    const users = await (await fetch(`${hub.url}/v1/users?email=seven@example.com`, { headers })).json();
    assert.equal(users.data.length, 1);
    assert.equal(await hub.stop(), 0);
  }));

test("a hub that has imported a file has loaded no native code of a package's", {
  skip: onlyInCheck || process.platform !== "linux",
}, () =>
  withDir(async (dir) => {
    const token = createTokenText();
    const hub = await startServing({ MUSTER_DATA_DIR: join(dir, "data"), MUSTER_ADMIN_TOKEN: token });
    const answer = await fetch(`${hub.url}/v1/connections/csv/drops`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "text/csv", prefer: "wait=30" },
      body: PEOPLE,
    });
    assert.equal((await answer.json()).run.status, "succeeded");
    const maps = await readFile(`/proc/${hub.process.pid}/maps`, "utf8");
    assert.ok(maps.includes(basename(process.execPath)));
    assert.deepEqual(maps.match(/\S+\.node$/gm), null);
    assert.equal(await hub.stop(), 0);
  }));

test(
  "a hub that is served reads a workbook, and a file packed with gzip",
  { skip: onlyInCheck },
  () =>
    withDir(async (dir) => {
      const token = createTokenText();
      const hub = await startServing({ MUSTER_DATA_DIR: join(dir, "data"), MUSTER_ADMIN_TOKEN: token });
      const columns = ["employee_id", "email", "first_name", "last_name"];
      const rows = Array.from(
        { length: 3000 },
        (_, i) => [String(i).padStart(6, "0"), `p${i}@example.com`, "Ana", "Lopez"],
      );
      const book = workbookOf({ sheets: { People: [columns, ...rows].map((cells) => textRow(...cells)).join("") } });
      const packed = gzipSync([columns, ...rows].map((cells) => `${cells.join(",")}\n`).join(""));
      for (const [body, created, unchanged] of [[book, 3000, 0], [packed, 0, 3000]] as const) {
        const answer = await fetch(`${hub.url}/v1/connections/csv/drops`, {
          method: "POST",
          headers: {
            authorization: `Bearer ${token}`,
            "content-type": "application/octet-stream",
            prefer: "wait=60",
          },
          body: new Uint8Array(body),
        });
        const { run } = await answer.json();
        assert.deepEqual([run.status, run.counts.created, run.counts.unchanged], ["succeeded", created, unchanged]);
      }
      assert.equal(await hub.stop(), 0);
    }),
);

test(
  "an import that is interrupted says so, and goes on where it stopped",
  { skip: onlyInCheck },
  () =>
    withDir(async (dir) => {
      const env = { MUSTER_DATA_DIR: join(dir, "data"), MUSTER_ADMIN_TOKEN: createTokenText() };
      const file = join(dir, "people.csv");
      const many = Array.from({ length: 20_000 }, (_, i) => `${i},person${i}@example.com,Person,Number${i}\n`);
      await writeFile(file, "employee_id,email,first_name,last_name\n" + many.join(""));
      const command = startCommand(["import", file], env);
      let out = "", err = "", asked = false;
      command.stdout!.on("data", (data) => out += data);
      command.stderr!.on("data", (data) => {
        err += data;
        if (!err.includes("Apply") || asked) return;
        asked = true;
        process.kill(command.pid!, "SIGINT");
      });
      assert.equal(await new Promise((resolve) => command.on("close", resolve)), 2, out + err);
      const id = /the run (run_\w+) goes on when "muster serve" or the next import runs/.exec(out)?.[1];
      assert.ok(id !== undefined, out + err);

      const hub = await startServing(env);
      const answer = await fetch(`${hub.url}/v1/runs/${id}`, {
        headers: { authorization: `Bearer ${env.MUSTER_ADMIN_TOKEN}`, prefer: "wait=60" },
      });
      const run = await answer.json();
      assert.equal(run.status, "succeeded");
      assert.equal(run.counts.created, 20_000);
      assert.equal(await hub.stop(), 0);
    }),
);

test(
  "a hub that is killed leaves its run to the next one, which takes it over at once",
  { skip: onlyInCheckOnDeno },
  () =>
    withDir(async (dir) => {
      const env = { MUSTER_DATA_DIR: join(dir, "data"), MUSTER_ADMIN_TOKEN: createTokenText() };
      const headers = { authorization: `Bearer ${env.MUSTER_ADMIN_TOKEN}` };
      const many = Array.from({ length: 20_000 }, (_, i) => `${i},person${i}@example.com,Person,Number${i}\n`);
      const first = await startServing(env);
      const handedIn = await fetch(`${first.url}/v1/connections/csv/drops?name=people.csv`, {
        method: "POST",
        headers: { ...headers, "content-type": "text/csv" },
        body: "employee_id,email,first_name,last_name\n" + many.join(""),
      });
      const { run: { id } } = await handedIn.json();
      let status = "";
      while (status !== "applying" && status !== "succeeded") {
        status = (await (await fetch(`${first.url}/v1/runs/${id}`, { headers })).json()).status;
      }
      await first.stop("SIGKILL");

      const second = await startServing(env);
      const answer = await fetch(`${second.url}/v1/runs/${id}`, { headers: { ...headers, prefer: "wait=20" } });
      const run = await answer.json();
      assert.equal(run.status, "succeeded");
      assert.equal(run.counts.created, 20_000);
      const { data } = await (await fetch(`${second.url}/v1/users?employee_id=19999`, { headers })).json();
      assert.equal(data.length, 1);
      assert.equal(await second.stop(), 0);
    }),
);

test("a token that the operator gives and that is none is refused at the start", () =>
  withDir(async (dir) => {
    const env = { MUSTER_DATA_DIR: join(dir, "data"), MUSTER_ADMIN_TOKEN: "mus_" + "a".repeat(36) };
    await assert.rejects(
      startServing(env),
      /The hub ended with 2: MUSTER_ADMIN_TOKEN is not a token: it should be "mus_"/,
    );
  }));

test("a port that is taken is said, and nothing is made", { skip: onlyInCheckOnDeno }, () =>
  withDir(async (dir) => {
    const hub = await startServing({ MUSTER_DATA_DIR: join(dir, "one") });
    const env = { MUSTER_DATA_DIR: join(dir, "two"), PORT: new URL(hub.url).port };
    await assert.rejects(startServing(env), /Cannot listen at 127\.0\.0\.1:\d+: something else does already/);
    await assert.rejects(stat(env.MUSTER_DATA_DIR));
    await hub.stop();
  }));
