/** Real processes: the hosted server killed at any point of uploads and hand-overs, and what it needs for a large file. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { connect, done, PASSWORD, sftp } from "../../support/hosted.ts";
import { startHostedChild } from "../../support/hosted-process.ts";
import { without } from "../../support/programs.ts";
import { onlyInCheck, roundsOnDeno } from "../../support/rounds.ts";

const KILLS = roundsOnDeno(30, 2);
const onNode = "Deno" in globalThis ? undefined : "one runtime is enough to do the killing: npm test has this test";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("killed at any point, the server loses no file that was closed, and takes none twice or in part", {
  skip: onNode,
  timeout: 240_000,
}, async () => {
  const dir = mkdtempSync(join(tmpdir(), "muster-kill-"));
  const file = join(dir, "taken");
  const content = (i: number) => {
    const bytes = randomBytes(200_000 + i * 1000);
    return { name: `${i}.csv`, bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
  };
  /** Files whose close was confirmed to a client, and all that was ever uploaded. */
  const closed: string[] = [], uploaded = new Set<string>();
  const sizes = new Map<string, number>();
  let running = await startHostedChild(join(dir, "sftp"), file, "kill");
  try {
    // Some more, and later ones, where too few files come through: the machine may be busy.
    let slower = 1;
    for (let kill = 0, i = 0; kill < KILLS || closed.length <= KILLS && kill < 10 * KILLS; kill++) {
      const { child, gone } = running, before = closed.length;
      setTimeout(() => process.kill(child.pid!, "SIGKILL"), (30 + 37 * (kill % 11) + kill) * slower);
      try {
        for (;; i++) {
          const { name, bytes, sha256 } = content(i);
          uploaded.add(sha256);
          sizes.set(name, bytes.length);
          const { client, sftp, lost } = await connect(running, "con_a", { readyTimeout: 3000 });
          const handle = await Promise.race([lost, done<never>((then) => sftp.open(`/incoming/${name}`, "w", then))]);
          for (let at = 0; at < bytes.length; at += 30_000) {
            const part = bytes.subarray(at, at + 30_000);
            await Promise.race([lost, done((then) => sftp.write(handle, part, 0, part.length, at, then))]);
          }
          await Promise.race([lost, done((then) => sftp.close(handle, then))]);
          closed.push(sha256);
          client.end();
        }
      } catch {
        i++;
      }
      await gone;
      slower = closed.length > before ? 1 : slower + 1;
      running = await startHostedChild(join(dir, "sftp"), file, "kill");
    }
    const taken = () =>
      (existsSync(file) ? readFileSync(file, "utf8") : "").split("\n").filter((line) => line !== "")
        .map((line) => JSON.parse(line) as [string, number, number, string]);
    const digests = () => new Set(taken().map(([, , , sha256]) => sha256));
    const missing = () => {
      const known = digests();
      return closed.filter((each) => !known.has(each));
    };
    for (let tries = 0; tries < 100 && missing().length > 0; tries++) await pause(200);
    assert.ok(closed.length > KILLS, `only ${closed.length} files got through`);
    assert.deepEqual(missing(), [], "none is lost");
    assert.equal(taken().length, digests().size, "none is taken twice");
    assert.deepEqual([...digests()].filter((each) => !uploaded.has(each)), [], "none is taken in part");
    // What was cut off is there, under its name, to be gone on with.
    for (const name of readdirSync(join(dir, "sftp", "con_a", "drops"))) assert.ok(sizes.has(name), name);
  } finally {
    await running.end();
    rmSync(dir, { recursive: true, force: true });
  }
});

test("memory does not grow with the file: 120 MB, up and down again", {
  skip: onNode ?? (onlyInCheck || without("sftp", "openssh-client")),
  timeout: 120_000,
}, async () => {
  const dir = mkdtempSync(join(tmpdir(), "muster-large-"));
  const file = join(dir, "taken");
  const running = await startHostedChild(join(dir, "sftp"), file, "measure");
  try {
    const path = join(dir, "large.csv"), hash = createHash("sha256");
    const out = openSync(path, "w");
    const line = Buffer.from(
      "000123,ana.silva@example.com,Ana,Silva,Engineer,Finance,Lisbon,2016-04-01\n".repeat(14_000),
    );
    let bytes = 0;
    for (; bytes < 120_000_000; bytes += line.length) {
      writeSync(out, line);
      hash.update(line);
    }
    closeSync(out);
    const options = ["-oCiphers=aes128-gcm@openssh.com"];
    const up = await sftp(running, "con_a", [`put ${path} incoming/large.csv`], { password: PASSWORD, options });
    assert.equal(up.code, 0, up.out);
    for (let tries = 0; tries < 1000 && readFileSync(file, "utf8") === ""; tries++) await pause(20);
    const [, taken, , sha256] = JSON.parse(readFileSync(file, "utf8")) as [string, number, number, string];
    assert.deepEqual([taken, sha256], [bytes, hash.digest("hex")]);
    for (let tries = 0; tries < 100 && readdirSync(join(dir, "sftp/con_a/bak")).length === 0; tries++) await pause(20);
    const down = await sftp(running, "con_a", [`get .bak/*large.csv ${join(dir, "back.csv")}`], {
      password: PASSWORD,
      options,
    });
    assert.equal(down.code, 0, down.out);
    assert.equal(createHash("sha256").update(readFileSync(join(dir, "back.csv"))).digest("hex"), sha256);
    const peak = Number(await running.end());
    assert.ok(peak > 0 && peak < 350 * 1024 * 1024, `${Math.round(peak / 1024 / 1024)} MiB`);
  } finally {
    running.child.kill("SIGKILL");
    await running.gone;
    rmSync(dir, { recursive: true, force: true });
  }
});
