/** The programs that customers use end as they should: with code 0 when all was done, else with a word. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { lftp, PASSWORD, rclone, scp, sftp, startHosted } from "../../support/hosted.ts";
import { without } from "../../support/programs.ts";
import { onlyInCheck } from "../../support/rounds.ts";

const TEXT = "email\nana@example.com\n";
const password = PASSWORD;

let work: string, path: string;
before(() => {
  work = mkdtempSync(join(tmpdir(), "muster-clients-"));
  path = join(work, "people.csv");
  writeFileSync(path, TEXT);
});
after(() => rmSync(work, { recursive: true, force: true }));

test("scp sends a file and gets one, with code 0, and names what is not there", {
  skip: without("scp", "openssh-client"),
}, async () => {
  const server = await startHosted();
  try {
    const sent = await scp(server, "con_a", [path, ":/incoming/people.csv"], { password });
    assert.deepEqual(sent, { code: 0, out: "" });
    assert.equal((await server.takes(() => true)).text, TEXT);
    const into = await scp(server, "con_b", [path, ":incoming/"], { password });
    assert.deepEqual(into, { code: 0, out: "" });
    await server.takes(({ connection }) => connection === "con_b");
    const big = join(work, "big.csv");
    writeFileSync(big, "x".repeat(3_000_000));
    assert.deepEqual(await scp(server, "con_a", [big, ":/incoming/big.part"], { password }), { code: 0, out: "" });
    const back = join(work, "back.csv");
    assert.deepEqual(await scp(server, "con_a", [":/incoming/big.part", back], { password }), { code: 0, out: "" });
    assert.equal(readFileSync(back, "utf8").length, 3_000_000);
    const missing = await scp(server, "con_a", [":/incoming/nobody.csv", back], { password });
    assert.deepEqual([missing.code, /no such file/i.test(missing.out)], [1, true], missing.out);
  } finally {
    await server.close();
  }
});

test("scp's old protocol is refused with a sentence that says what to do, and stores nothing", {
  skip: without("scp", "openssh-client"),
}, async () => {
  const server = await startHosted();
  try {
    for (const paths of [[path, ":/incoming/people.csv"], [":/incoming/people.csv", work]] as const) {
      const ran = await scp(server, "con_a", paths, { password, options: ["-O"] });
      assert.equal(ran.code, 1);
      assert.match(ran.out, /This server takes files by SFTP alone\. Use a newer scp, leave its option -O out/);
    }
    const ran = await sftp(server, "con_a", ["ls incoming"], { password });
    assert.deepEqual([ran.code, /people/.test(ran.out)], [0, false]);
  } finally {
    await server.close();
  }
});

test("sftp ends with 0 when every command was done, and with 1 when one was not", {
  skip: without("sftp", "openssh-client"),
}, async () => {
  const server = await startHosted();
  try {
    const commands = [`put ${path} incoming/people.part`, "ls -l incoming", "rm incoming/people.part", "bye"];
    assert.equal((await sftp(server, "con_a", commands, { password })).code, 0);
    assert.equal((await sftp(server, "con_a", ["pwd"], { password })).code, 0);
    assert.equal((await sftp(server, "con_a", ["cd nowhere"], { password })).code, 1);
  } finally {
    await server.close();
  }
});

test("lftp ends with 0 when every command was done", { skip: without("lftp", "lftp") }, async () => {
  const server = await startHosted();
  try {
    const ran = await lftp(server, "con_a", [`put ${path} -o incoming/people.part`, "cls -1 incoming", "bye"], {
      password,
    });
    assert.deepEqual([ran.code, /people\.part/.test(ran.out)], [0, true], ran.out);
    assert.notEqual((await lftp(server, "con_a", ["get incoming/nobody.csv"], { password })).code, 0);
  } finally {
    await server.close();
  }
});

test(
  "rclone copies a file, once and again, and lists and gets it, with code 0",
  { skip: onlyInCheck || without("rclone", "rclone") },
  async () => {
    const server = await startHosted();
    try {
      for (const command of ["copy", "sync", "copyto"]) {
        const target = command === "copyto" ? ":sftp:incoming/people.csv" : ":sftp:incoming";
        const source = command === "sync" ? work : path;
        const ran = await rclone(server, "con_a", [
          command,
          source,
          target,
          ...command === "sync" ? ["--include", "people.csv"] : [],
        ], { password });
        assert.equal(ran.code, 0, `${command}: ${ran.out}`);
        assert.equal((await server.takes(() => true)).text, TEXT);
      }
      const part = await rclone(server, "con_b", ["copyto", path, ":sftp:incoming/people.part"], { password });
      assert.equal(part.code, 0, part.out);
      const listed = await rclone(server, "con_b", ["lsf", ":sftp:incoming"], { password });
      assert.deepEqual([listed.code, listed.out], [0, "people.part\n"]);
      assert.notEqual(
        (await rclone(server, "con_b", ["copyto", ":sftp:incoming/no.csv", join(work, "no")], { password })).code,
        0,
      );
    } finally {
      await server.close();
    }
  },
);
