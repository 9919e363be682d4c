/** Processes that are killed while files come in: the hub, and the bridge beside it, each started again at once. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import type { Client, SFTPWrapper } from "ssh2";
import { createTokenText } from "../../src/token.ts";
import { until } from "../support/bridging.ts";
import { fetch } from "../support/checked.ts";
import { connect, done } from "../support/hosted.ts";
import { startCommand } from "../support/serve.ts";
import { freePort } from "../support/sshd.ts";

/** Of each of both; MUSTER_TEST_KILLS for more of them. Starting processes takes its time. */
const KILLS = Number(process.env.MUSTER_TEST_KILLS ?? 2);
const skip = "Deno" in globalThis ? false : "processes are killed on Deno, and not again on Node";

interface Killable {
  /** Ends the process as a power cut would, and starts another. */
  kill(): Promise<void>;
  end(): Promise<void>;
}

/** `ready`: what it says on its standard output once it works. */
async function keepRunning(args: string[], env: Record<string, string>, ready: RegExp): Promise<Killable> {
  let child: ChildProcess;
  let gone: Promise<unknown>;
  async function start(): Promise<void> {
    let said = "", err = "";
    child = startCommand(args, env);
    gone = new Promise((resolve) => child.on("exit", resolve));
    child.stdout!.on("data", (data) => said += data);
    child.stderr!.on("data", (data) => err = (err + data).slice(-2000));
    await until(
      `${args[0]} says that it works`,
      () => {
        assert.equal(child.exitCode, null, `${args[0]} ended: ${said}${err}`);
        return ready.test(said);
      },
      Boolean,
      60_000,
    );
  }
  const kill = async () => {
    process.kill(child.pid!, "SIGKILL");
    await gone;
  };
  await start();
  return {
    async kill() {
      await kill();
      await start();
    },
    end: kill,
  };
}

test(
  "killed again and again while files come in, hub and bridge take each of them, once and whole",
  { skip },
  async () => {
    const dir = mkdtempSync(join(tmpdir(), "muster-kill-"));
    const [port, sftpPort] = [await freePort(), await freePort()];
    const admin = createTokenText();
    const url = `http://127.0.0.1:${port}`;
    const ended: Killable[] = [];
    // deno-lint-ignore no-explicit-any
    const ask = async (path: string, json?: unknown, method?: string): Promise<any> => {
      const answer = await fetch(`${url}${path}`, {
        method: method ?? (json === undefined ? "GET" : "POST"),
        headers: {
          authorization: `Bearer ${admin}`,
          ...(json === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      });
      assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
      return await answer.json();
    };
    try {
      const hub = await keepRunning(
        ["serve"],
        { PORT: String(port), MUSTER_DATA_DIR: join(dir, "data"), MUSTER_ADMIN_TOKEN: admin },
        /^Muster is at /m,
      );
      ended.push(hub);
      const { token } = await ask("/v1/tokens", { name: "bridge", scopes: ["bridge"] });
      const bridge = await keepRunning(
        ["bridge", "--hub", url],
        { MUSTER_BRIDGE_TOKEN: token, MUSTER_SFTP_PORT: String(sftpPort), MUSTER_SFTP_DIR: join(dir, "sftp") },
        /^SFTP is at /m,
      );
      ended.push(bridge);
      const [{ id }] = await until(
        "the bridge has come",
        async () => (await ask("/v1/bridges")).data,
        (l) => l.length > 0,
      );
      await ask(`/v1/bridges/${id}/confirm`, {});
      await ask("/v1/connections", { connector: "sftp-drop", name: "Drops", policy: { coverage: "diff" } });
      const login = await ask("/v1/connections/drops/sftp-login", { method: "password" });
      await until(
        "the bridge holds it",
        async () => (await ask("/v1/connections/drops")).sftp.bridge,
        Boolean,
        30_000,
      );

      const sent = new Map<string, string>();
      let isOver = false;
      const customer = sendFiles(
        { port: sftpPort, username: login.username, password: login.password },
        sent,
        () => isOver && sent.size > KILLS,
      );
      for (let i = 0; i < KILLS; i++) {
        for (const victim of [bridge, hub]) {
          await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 1200));
          await victim.kill();
        }
      }
      isOver = true;
      await customer;
      assert.ok(sent.size > KILLS, `${sent.size} files were sent`);
      const runs = await until(
        "every file has become a run that has ended",
        async () => await list(ask, "/v1/runs?connection=drops"),
        (all) => all.length >= sent.size && all.every(({ finished_at }) => finished_at !== null),
        120_000,
      );
      const taken = runs.map(({ drop }) => drop.name).sort();
      assert.deepEqual(taken, [...sent.keys()].sort(), "each once");
      for (const { drop, status } of runs) {
        assert.deepEqual([drop.sha256, status], [sent.get(drop.name), "succeeded"], drop.name);
      }
      assert.equal((await list(ask, "/v1/users")).length, sent.size);
    } finally {
      for (const each of ended) await each.end().catch(() => {});
      rmSync(dir, { recursive: true, force: true });
    }
  },
);

// deno-lint-ignore no-explicit-any
async function list(ask: (path: string) => Promise<any>, path: string): Promise<any[]> {
  const all = [];
  for (let cursor = "";;) {
    const page = await ask(`${path}${path.includes("?") ? "&" : "?"}limit=200${cursor}`);
    all.push(...page.data);
    if (page.next_cursor === null) return all;
    cursor = `&cursor=${page.next_cursor}`;
  }
}

/**
 * A customer who sends one file after the other, each under a name of its own that it is given once it is whole; and
 * sends one again of which nothing is to be seen on the server.
 */
async function sendFiles(
  login: { port: number; username: string; password: string },
  sent: Map<string, string>,
  isOver: () => boolean,
): Promise<void> {
  const session: { now: { client: Client; sftp: SFTPWrapper } | null } = { now: null };
  for (let i = 0; !isOver(); i++) {
    const name = `file-${String(i).padStart(4, "0")}.csv`;
    const row = `p${i}@example.com,P,${i},${"x".repeat(1000)}\n`;
    const body = `email,first_name,last_name,note\n${row}${"\n".repeat(400_000)}`;
    for (let tries = 0;; tries++) {
      assert.ok(tries < 200, `${name} could not be sent`);
      try {
        session.now ??= await inTime(
          connect(login, login.username, { password: login.password, readyTimeout: 5_000 }),
        );
        await inTime(sendOne(session.now.sftp, name, body, tries > 0));
        break;
      } catch {
        session.now?.client.destroy();
        session.now = null;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    sent.set(name, createHash("sha256").update(body).digest("hex"));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  session.now?.client.end();
}

async function sendOne(sftp: SFTPWrapper, name: string, body: string, isAgain: boolean): Promise<void> {
  const names = async (folder: string) =>
    (await done<{ filename: string }[]>((callback) => sftp.readdir(folder, callback))).map((each) => each.filename);
  // In this order: it moves from the one to the other.
  if (isAgain && (await names("/incoming")).includes(name)) return;
  if (isAgain && (await names("/.bak")).some((each) => each.endsWith(`-${name}`))) return;
  await done((callback) => sftp.writeFile(`/incoming/${name}.part`, body, {}, callback));
  await done((callback) => sftp.rename(`/incoming/${name}.part`, `/incoming/${name}`, callback));
}

/** Fails when the server is gone: the client's library then never says anything more. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => timer = setTimeout(() => reject(new Error("No answer")), 4_000));
  work.catch(() => {});
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
