import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { Transport } from "../../../src/bridge/contract.ts";
import { openSession } from "../../../src/bridge/remote/session.ts";
import { createTransport } from "../../../src/bridge/remote/transport.ts";
import { connectionTo, dialLoopback, QUICK } from "../../support/remote.ts";
import { noSshd, type SshServer, type SshServerOptions, startSshServer } from "../../support/sshd.ts";

const skip = noSshd;

async function withTransport(
  t: test.TestContext,
  options: SshServerOptions,
  use: (transport: Transport, server: SshServer, at: (path: string) => string) => Promise<void>,
): Promise<void> {
  const server = await startSshServer(t, options);
  const { signal } = new AbortController();
  const transport = createTransport(
    await openSession({ dial: dialLoopback, connection: connectionTo(server), limits: QUICK, signal }),
    () => {},
  );
  await use(transport, server, (path) => join(server.folder, path));
  await transport.close();
}

const stream = (text: string) => new Blob([text]).stream() as ReadableStream<Uint8Array>;

test("a report is written into a folder that is made, whole, and in place of one of that name", { skip }, async (t) => {
  for (const sftp of ["", "-P posix-rename"]) {
    await withTransport(t, { sftp }, async (transport, _server, at) => {
      const path = at("incoming/reports/users.failures.csv");
      const long = "é,x\n".repeat(100_000);
      for (const text of ["first", long, "", "third"]) {
        await transport.write(path, stream(text));
        assert.equal(readFileSync(path, "utf8"), text);
      }
      assert.deepEqual(readdirSync(at("incoming/reports")), ["users.failures.csv"]);
    });
  }
});

test("a report whose content breaks off leaves the one of before, and nothing beside it", { skip }, async (t) => {
  await withTransport(t, {}, async (transport, _server, at) => {
    const path = at("incoming/reports/users.failures.csv");
    await transport.write(path, stream("first"));
    let count = 0;
    const broken = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (count++ < 3) controller.enqueue(new Uint8Array(50_000));
        else controller.error(new Error("The hub is gone"));
      },
    });
    await assert.rejects(transport.write(path, broken), /The hub is gone/);
    assert.equal(readFileSync(path, "utf8"), "first");
    assert.deepEqual(readdirSync(at("incoming/reports")), ["users.failures.csv"]);
  });
});

test("a server whose disk is full is reported, and keeps no part of the report", { skip }, async (t) => {
  // No file of this server grows beyond 100 blocks, and it lives on when one would.
  await withTransport(t, { before: "trap '' XFSZ; ulimit -f 100;" }, async (transport, _server, at) => {
    const path = at("incoming/reports/users.failures.csv");
    await transport.write(path, stream("small"));
    await assert.rejects(transport.write(path, stream("x".repeat(300_000))), { code: "EIO" });
    assert.equal(readFileSync(path, "utf8"), "small");
    assert.deepEqual(readdirSync(at("incoming/reports")), ["users.failures.csv"]);
  });
});

test("a server that can only be read says so", { skip }, async (t) => {
  await withTransport(t, { sftp: "-R" }, async (transport, _server, at) => {
    await assert.rejects(transport.write(at("incoming/reports/x.csv"), stream("x")), { code: "EACCES" });
    assert.deepEqual(readdirSync(at("incoming")), []);
  });
});

test("files are renamed into folders that are made, listed and removed", { skip }, async (t) => {
  await withTransport(t, {}, async (transport, _server, at) => {
    mkdirSync(at("incoming/.bak"));
    writeFileSync(at("incoming/.bak/users.pgp"), "secret");
    assert.deepEqual(await transport.list(at("incoming/failed")), []);
    await transport.rename(at("incoming/.bak/users.pgp"), at("incoming/failed/users.pgp"));
    const modifiedAt = Math.floor(statSync(at("incoming/failed/users.pgp")).mtimeMs / 1000) * 1000;
    assert.deepEqual(await transport.list(at("incoming/failed")), [{ name: "users.pgp", bytes: 6, modifiedAt }]);
    await assert.rejects(transport.rename(at("incoming/.bak/users.pgp"), at("incoming/failed/x")), { code: "ENOENT" });
    await transport.remove(at("incoming/failed/users.pgp"));
    assert.deepEqual(readdirSync(at("incoming/failed")), []);
  });
});
