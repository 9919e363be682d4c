import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import process from "node:process";
import test, { type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { SeenFile, WholeFile } from "../../../src/bridge/contract.ts";
import { createRecordingHub, type RecordingHub } from "../../support/hand-over.ts";
import { connectionTo, put } from "../../support/remote.ts";
import { noSshd, startSshServer } from "../../support/sshd.ts";

const onNode = "Deno" in globalThis ? false : "one runtime is enough to do the killing: npm test has this test";
const PROCESS = fileURLToPath(new URL("../../support/poller-process.ts", import.meta.url));

const KILLS = 30;

/** Where a poller may be when it is killed: some of the file came, all of it, it is taken, that is known, it is put away. */
const STEPS = ["part", "whole", "taken", "answered", "settled"] as const;
type Step = (typeof STEPS)[number];

/** The recording hub behind HTTP, as a process of its own would be: what breaks off on its way, it has not. */
async function serve(t: TestContext, hub: RecordingHub, id: string, on: (step: Step, name: string) => void) {
  const connection = { ...connectionTo({ folder: "" } as never, { hostKey: "x", port: 1, username: "x" }), id };
  const handed = new Map<string, () => Promise<void>>();
  const server = createServer(async (request, response) => {
    const url = new URL(request.url!, "http://hub");
    try {
      if (url.pathname === "/hand-over") {
        const name = url.searchParams.get("name")!;
        const body = await readAll(request, () => on("part", name));
        const file: WholeFile = {
          folder: "",
          name,
          bytes: Number(url.searchParams.get("bytes")),
          modifiedAt: Number(url.searchParams.get("modified_at")),
          open: () => new Blob([body]).stream(),
        };
        on("whole", name);
        const { settle, ...taken } = await hub.handOver(connection, file, new AbortController().signal);
        handed.set(taken.run, () => {
          on("settled", name);
          return settle();
        });
        on("taken", name);
        response.end(JSON.stringify(taken), () => on("answered", name));
      } else if (url.pathname === "/saw") {
        const files = JSON.parse(new TextDecoder().decode(await readAll(request))) as SeenFile[];
        await hub.reportListing(connection, files);
        response.end();
      } else {
        await handed.get(url.searchParams.get("run")!)!();
        response.end();
      }
    } catch {
      response.destroy();
    }
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Fails where the other end is gone before it has sent all. */
async function readAll(request: IncomingMessage, onPart = () => {}): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) {
    chunks.push(chunk);
    if (chunks.length === 3) onPart();
  }
  if (!request.complete) throw new Error("It broke off");
  return new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await new Promise((done) => child.once("exit", done));
}

test(
  `a poller killed ${KILLS} times loses no file, takes none twice and none in part`,
  { skip: noSshd || onNode },
  async (t) => {
    const server = await startSshServer(t);
    const hub = createRecordingHub();
    let on: (step: Step, name: string) => void = () => {};
    const recorder = await serve(t, hub, "con_1", (step, name) => on(step, name));
    const connection = connectionTo(server);
    const expected = new Map<string, string>();
    const children = new Set<ChildProcess>();
    t.after(() => children.forEach((child) => child.kill("SIGKILL")));
    const start = () => {
      const child = spawn(
        process.execPath,
        ["run", "-A", "--no-check", PROCESS, JSON.stringify(connection), recorder],
        { stdio: "ignore" },
      );
      children.add(child);
      void ended(child).then(() => children.delete(child));
      return child;
    };
    const kinds = new Map<string, number>();
    const note = (kind: string) => kinds.set(kind, (kinds.get(kind) ?? 0) + 1);

    for (let i = 0; i < KILLS; i++) {
      const name = `users-${i}.csv`;
      const content = randomBytes(200_000 + 40_000 * (i % 5));
      expected.set(name, createHash("sha256").update(content).digest("hex"));
      // Every third one is recognized as whole by its size and time alone.
      put(server, name, content, 100 - i);
      if (i % 3 !== 0) put(server, `${name}.done`, "", 100 - i);
      // The kill is set off by what the poller does, a little later each time.
      let strike = () => {};
      const struck = new Promise<void>((done) => strike = done);
      on = (step, of) => {
        if (of === name && step === STEPS[i % STEPS.length]) setTimeout(strike, Math.floor(i / STEPS.length) * 3);
      };
      const child = start();
      const timer = setTimeout(strike, 10_000);
      await struck;
      clearTimeout(timer);
      child.kill("SIGKILL");
      await ended(child);
      note(readdirSync(join(server.folder, "incoming")).includes(name) ? "there" : "gone");
    }
    on = () => {};
    const child = start();
    const left = () => readdirSync(join(server.folder, "incoming")).filter((name) => name.endsWith(".csv"));
    for (let tries = 0; tries < 200 && left().length > 0; tries++) await new Promise((done) => setTimeout(done, 50));
    child.kill("SIGKILL");
    await ended(child);

    assert.deepEqual(left(), []);
    assert.deepEqual(
      new Map([...hub.taken].sort((a, b) => a.modifiedAt - b.modifiedAt).map(({ name, sha256 }) => [name, sha256])),
      expected,
    );
    assert.equal(hub.taken.length, KILLS, "none is taken twice");
    const bak = join(server.folder, "incoming/.bak");
    const kept = readdirSync(bak).filter((name) => name.endsWith(".csv"));
    assert.equal(kept.length, KILLS);
    for (const name of kept) {
      const sha256 = createHash("sha256").update(readFileSync(join(bak, name))).digest("hex");
      assert.equal(sha256, expected.get(name.replace(/^[^-]+-/, "")), name);
    }
    // Some were killed while their file lay there still, and some behind that.
    assert.ok(kinds.size === 2, JSON.stringify([...kinds]));
  },
);
