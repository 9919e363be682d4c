/** A hosted server whose process may open no more files: who is in goes on, and others come in once some are free. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect as dial, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startHostedChild } from "../../support/hosted-process.ts";
import { connect, done } from "../../support/hosted.ts";
import { without } from "../../support/programs.ts";
import { onlyInCheck } from "../../support/rounds.ts";

const PRLIMIT = "/usr/bin/prlimit";
const skip = existsSync("/proc/self/limits") ? without(PRLIMIT, "util-linux") || onlyInCheck : "on Linux alone";

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 30_000; !await holds();) {
    assert.ok(Date.now() < end, `It never came to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("where no file is free, who is in goes on, uploads are whole or refused, and others come in later", {
  skip,
  timeout: 60_000,
}, async () => {
  const work = mkdtempSync(join(tmpdir(), "muster-files-"));
  const trees = join(work, "sftp"), drops = join(trees, "con_a", "drops");
  // Nobody makes room by being sent away.
  const limits = { strangers: 200, strangersFromAddress: 200, handshakeMs: 100_000, keyExchangeMs: 100_000 };
  const running = await startHostedChild(trees, join(work, "taken"), "measure", limits);
  const { pid } = running.child;
  const taken = () => readFileSync(join(work, "taken"), "utf8").split("\n").filter((line) => line !== "");
  const isTaken = (name: string, bytes: Buffer) => {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    return taken().some((line) => line.includes(`"${name}",${bytes.length},`) && line.includes(sha256));
  };
  const strangers: Socket[] = [];
  try {
    const { client, sftp } = await connect(running, "con_a");
    await done((then) => sftp.writeFile("/incoming/before.csv", Buffer.from("id\n1\n"), then));
    await until("it is taken", () => taken().length === 1);
    const begun = await done<Buffer>((then) => sftp.open("/incoming/begun.csv", "w", then));

    const count = () => readdirSync(`/proc/${pid}/fd`).length;
    const most = count() + 15;
    execFileSync(PRLIMIT, [`--pid=${pid}`, `--nofile=${most}:`]);
    for (let i = 0; i < 60; i++) {
      const socket = dial({ port: running.port, host: "127.0.0.1", localAddress: `127.0.0.${2 + i % 5}` });
      strangers.push(socket.on("error", () => {}).resume());
    }
    await until("no file is free", () => count() >= most);

    const bytes = Buffer.alloc(300_000, "id\n2\n");
    await done((then) => sftp.write(begun, bytes, 0, 100_000, 0, then));
    assert.equal((await done<{ size: number }>((then) => sftp.stat("/incoming/begun.csv", then))).size, 100_000);
    assert.equal((await done<unknown[]>((then) => sftp.readdir("/", then))).length, 4);
    const refused = /as many files open as it may: try again in a moment/;
    await assert.rejects(done((then) => sftp.writeFile("/incoming/more.csv", bytes, then)), refused);
    await assert.rejects(done((then) => sftp.rename("/incoming/begun.csv", "/incoming/other.csv", then)));
    await assert.rejects(done((then) => sftp.close(begun, then)), refused);
    assert.equal(lstatSync(join(drops, "begun.csv")).mode & 0o777, 0o600, "it is not whole");
    assert.deepEqual(readdirSync(drops), ["begun.csv"]);

    for (const socket of strangers) socket.destroy();
    await until("files are free", () => count() < most - 5);
    for (const name of ["begun.csv", "more.csv"]) {
      await done((then) => sftp.writeFile(`/incoming/${name}`, bytes, then));
      await until(`${name} is taken`, () => isTaken(name, bytes));
    }
    client.end();
    await until("others come in", async () => {
      const other = await connect(running, "con_b", { readyTimeout: 1000 }).catch(() => null);
      if (other === null) return false;
      await done((then) => other.sftp.writeFile("/incoming/later.csv", bytes, then));
      other.client.end();
      return true;
    });
    await until("later.csv is taken", () => isTaken("later.csv", bytes));
    assert.equal(taken().length, 4);
    assert.equal(running.child.exitCode, null);
    // Node waits for a free file by itself.
    if ("Deno" in globalThis) assert.match(running.log(), /"event":"sftp\.listener_restarted"/);
  } finally {
    for (const socket of strangers) socket.destroy();
    running.child.kill("SIGKILL");
    await running.gone;
    rmSync(work, { recursive: true, force: true });
  }
});
