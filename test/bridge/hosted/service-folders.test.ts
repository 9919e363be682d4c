/** `.bak`, `reports` and `failed` are listed while they have files, and everything works without them. */
import assert from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { SFTPWrapper } from "ssh2";
import { connect, done, hostedConnection, startHosted, type TestServer } from "../../support/hosted.ts";

const text = (content: string) => new Blob([content]).stream();
const signal = () => AbortSignal.timeout(10_000);

async function names(sftp: SFTPWrapper, path: string): Promise<string[]> {
  const found = await done<{ filename: string }[]>((then) => sftp.readdir(path, then as never));
  return found.map(({ filename }) => filename).filter((name) => !/^\.\.?$/.test(name)).sort();
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400 && !await condition(); i++) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(await condition(), String(condition));
}

async function withServer(folder: string, work: (server: TestServer, sftp: SFTPWrapper) => Promise<void>, limits = {}) {
  const server = await startHosted({ connections: [hostedConnection("con_a", { folder })], limits });
  try {
    const { client, sftp } = await connect(server, "con_a");
    await work(server, sftp);
    client.end();
  } finally {
    await server.close();
  }
}

for (const [folder, fresh] of [["/", []], ["/incoming", ["incoming"]], ["/Uploads", ["Uploads"]]] as const) {
  test(`a log-in whose folder is ${folder} sees that folder alone, until the others are needed`, () =>
    withServer(folder, async (server, sftp) => {
      assert.deepEqual(await names(sftp, "/"), fresh);
      for (const place of [".bak", "reports", "failed"]) {
        assert.deepEqual(await names(sftp, `/${place}`), [], "who looks for a report finds none, and no error");
        await assert.rejects(done((then) => sftp.readFile(`/${place}/a.csv`, then)), /no such/i);
        await done((then) => sftp.rmdir(`/${place}`, then));
      }
      await done((then) => sftp.writeFile(join(folder, "a.csv"), "email\n", then));
      await server.takes(() => true);
      await until(async () => (await names(sftp, "/")).includes(".bak"));
      assert.deepEqual(await names(sftp, "/.bak"), ["20260302T080001Z-a.csv"]);
      const transport = await server.server.openTransport(server.connections[0]!, signal());
      assert.deepEqual(await transport.list("/reports"), []);
      await assert.rejects(transport.rename("/.bak/nobody", "/failed/nobody"), { code: "ENOENT" });
      assert.deepEqual(await names(sftp, "/"), [...fresh, ".bak"].sort(), "a move of nothing shows no folder");
      await transport.write("/reports/a.failures.csv", text("one\n"));
      await transport.rename("/.bak/20260302T080001Z-a.csv", "/failed/20260302T080001Z-a.csv");
      assert.deepEqual(await names(sftp, "/"), [...fresh, "failed", "reports"].sort());
      assert.deepEqual(await names(sftp, "/failed"), ["20260302T080001Z-a.csv"]);
      // A failed file is dropped again by moving it.
      await done((then) => sftp.rename("/failed/20260302T080001Z-a.csv", join(folder, "again.csv"), then));
      await server.takes(({ name }) => name === "again.csv");
    }));
}

test("a customer removes the folders with their files, and they are there again once they are needed", () =>
  withServer("/", async (server, sftp) => {
    const transport = await server.server.openTransport(server.connections[0]!, signal());
    for (let round = 1; round <= 2; round++) {
      await done((then) => sftp.writeFile("/a.csv", `email\n${round}\n`, then));
      await server.takes(({ text }) => text.includes(String(round)));
      await transport.write("/reports/a.failures.csv", text("one\n"));
      await transport.write("/failed/b.csv", text("one\n"));
      await until(async () => (await names(sftp, "/")).join() === ".bak,failed,reports");
      for (const place of ["/.bak", "/reports", "/failed"]) {
        await assert.rejects(done((then) => sftp.rmdir(place, then)), /has files; remove them first/);
        for (const name of await names(sftp, place)) await done((then) => sftp.unlink(`${place}/${name}`, then));
        await done((then) => sftp.rmdir(place, then));
      }
      assert.deepEqual(await names(sftp, "/"), []);
    }
    await assert.rejects(done((then) => sftp.rmdir("/", then)), /cannot be removed/);
    await assert.rejects(done((then) => sftp.mkdir("/.bak", then)), /already exists/);
    await assert.rejects(done((then) => sftp.mkdir("/archive", then)), /cannot be made/);
  }));

test("quota, retention and erasing work where the folders are missing on the disk, too", () =>
  withServer("/", async (server, sftp) => {
    const remove = () => {
      for (const folder of ["bak", "reports", "failed"]) rmSync(join(server.dir, "con_a", folder), { recursive: true });
    };
    remove();
    const organization = server.connections[0]!.organization;
    const erased = () => server.server.erase("con_a", organization, Date.now());
    assert.deepEqual(await erased(), { isDone: true, waiting: 0 });
    await assert.rejects(done((then) => sftp.writeFile("/large.tmp", "x".repeat(2000), then)), /remove some/);
    await done((then) => sftp.unlink("/large.tmp", then)).catch(() => {});
    const transport = await server.server.openTransport(server.connections[0]!, signal());
    assert.deepEqual(await transport.list("/.bak"), []);
    assert.deepEqual(readdirSync(join(server.dir, "con_a")).filter((name) => /bak|reports|failed/.test(name)), []);
    for (let i = 1; i <= 4; i++) await transport.write(`/reports/${i}.csv`, text("x".repeat(900)));
    assert.deepEqual(await names(sftp, "/reports"), ["3.csv", "4.csv"], "the oldest go first, also without .bak");
    assert.deepEqual(await erased(), { isDone: true, waiting: 0 });
    assert.deepEqual(await names(sftp, "/reports"), []);
    await done((then) => sftp.writeFile("/a.csv", "email\n", then));
    await until(async () => (await names(sftp, "/")).join() === ".bak");
  }, { quotaBytes: 1000, keptBytes: 2000 }));
