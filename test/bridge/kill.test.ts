/**
 * Real processes that are killed while files come in, thirty times each in the check: the hub, and the bridge beside it.
 * Each kill is set off by a step of the story itself, and each process is started again at once.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  watch,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { sql } from "drizzle-orm";
import type { Client, SFTPWrapper } from "ssh2";
import { openDatabase } from "../../src/runtime/database.ts";
import { expireDrops } from "../../src/store/runs/drops.ts";
import { type AskHub, isServed, startApart } from "../support/apart.ts";
import { until } from "../support/bridging.ts";
import { connect, done } from "../support/hosted.ts";
import { importing } from "../support/imports.ts";
import { startCommand } from "../support/serve.ts";
import { asRemote, noSshd, startSshServer } from "../support/sshd.ts";
import { within } from "../support/within.ts";

const KILLS = 30;
const skip = "Deno" in globalThis ? noSshd : "processes are killed on Deno, and not again on Node";

/**
 * What a victim is killed at; the second time round a few milliseconds behind it. Those of even places come right behind
 * another kill of the bridge: what it does at its start is there.
 */
const BRIDGE_AT = [
  "upload half",
  "open answered",
  "part half",
  "upload closed",
  "seal asked",
  "seal sent",
  "log-in asked",
  "file moved",
  "seal answered",
  "settle asked",
  "report answered",
  "part answered",
  "returned answered",
  "settle answered",
];
const HUB_AT = [
  "open sent",
  "run.queued",
  "report sent",
  "part half",
  "returned sent",
  "seal sent",
  "remote file moved",
  "seal answered",
  "run.planned",
  "open answered",
  "run.ended",
  "part answered",
  "settle sent",
  "settle answered",
];
/** So long the story has to come to the step; else the kill is one by the clock. */
const COMES_WITHIN_MS = 10_000;
/** A visit that a kill broke off is made again after a minute. */
const AGAIN_WITHIN_MS = 90_000;
/** A customer who gets no answer for this long, on an open connection, reconnects; that should hardly ever happen. */
const ANSWERED_WITHIN_MS = 20_000;
const MAX_UNANSWERED = 2;
/** Files of a customer that wait to be put away: more would only wait behind these. */
const MAX_WAITING = 3;

interface Sent {
  readonly name: string;
  readonly text: string;
  readonly sha256: string;
}

/** The file of that number: one person more, a title for the one before, and in every fourth a row that fails. */
function fileOf(customer: string, number: number): Sent {
  const rows = [`${customer}-${number}@example.com,P,${number},`];
  if (number > 0) rows.push(`${customer}-${number - 1}@example.com,P,${number - 1},Followed by ${number}`);
  if (number % 4 === 1) rows.push(`nowhere-${number}@,P,${number},`);
  // Of some, more than one part.
  const padding = "\n".repeat(number % 6 === 2 ? 4_500_000 : 100_000);
  const text = `email,first_name,last_name,title\n${rows.join("\n")}\n${padding}`;
  const name = `file-${String(number).padStart(4, "0")}.csv`;
  return { name, text, sha256: digestOf(text) };
}

test(`hub and bridge, killed ${KILLS} times each at any point, take each file once and whole`, { skip }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "muster-kill-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const kills = createKills();
  const world = await startWorld(t, dir, kills.hears);
  const { hub, bridge, ask, customers, server } = world;

  let isOver = false;
  t.after(() => isOver = true);
  const sent = new Map<string, Sent[]>(customers.map(({ slug }) => [slug, []]));
  /** False once all is over. */
  const mayGoOn = (slug: string) => async () => {
    const { bak } = world.foldersOf(slug);
    const isWaiting = () =>
      sent.get(slug)!.length - names(bak).filter((name) => name.endsWith(".csv")).length >= MAX_WAITING;
    while (!isOver && isWaiting()) await pause(50);
    return !isOver;
  };
  const sending = customers.map((customer) =>
    customer.username === null
      ? putFiles(join(server.folder, "incoming"), sent.get(customer.slug)!, mayGoOn(customer.slug))
      : sendFiles(
        { ...customer, username: customer.username },
        sent.get(customer.slug)!,
        kills.hears,
        mayGoOn(customer.slug),
      )
  );
  for (const each of sending) each.catch(() => {});
  for (let round = 0; round < KILLS; round++) {
    const pair = [[bridge, BRIDGE_AT], [hub, HUB_AT]] as const;
    for (const [victim, at] of round % 2 === 0 ? pair : pair.toReversed()) {
      await kills.wait(victim, at[round % at.length]!, Math.floor(round / at.length) * (1 + round % 7));
      await victim.again();
    }
  }
  isOver = true;
  await Promise.all(sending);
  // What it kept in mind only, it does without.
  bridge.strike();
  await bridge.again();
  console.log(
    `kills by the clock: ${kills.byTheClock.join(", ") || "none"}; files: ${[...sent.values()].flat().length}`,
  );
  assert.ok(kills.byTheClock.length <= Math.max(1, KILLS / 5), "kills hit the steps that they are meant for");
  assert.ok(unanswered.count <= MAX_UNANSWERED, `${unanswered.count} requests had no answer`);

  for (const { slug } of customers) {
    const files = sent.get(slug)!;
    const runs = await until(
      `every file of ${slug} has become a run that has ended`,
      async () => await list(ask, `/v1/runs?connection=${slug}`),
      (all) => all.length >= files.length && all.every(({ finished_at }) => finished_at !== null),
      AGAIN_WITHIN_MS,
    );
    assert.deepEqual(runs.map(({ drop }) => drop.name).sort(), files.map(({ name }) => name), `${slug}: each once`);
    for (const { drop, status } of runs) {
      const number = files.findIndex(({ name }) => name === drop.name);
      assert.deepEqual([drop.sha256, status], [files[number]!.sha256, number % 4 === 1 ? "partial" : "succeeded"]);
    }
    const inOrder = [...runs].sort((a, b) => (a.started_at < b.started_at ? -1 : 1)).map(({ drop }) => drop.name);
    assert.deepEqual(inOrder, files.map(({ name }) => name), `${slug}: in the order in which they came`);
    await theirFolders(ask, slug, files, runs, world.foldersOf(slug));
    const { trouble } = await until(
      `${slug} is healthy`,
      async () => (await ask(`/v1/connections/${slug}`)).sftp,
      (sftp) => sftp.trouble === null,
      AGAIN_WITHIN_MS,
    );
    assert.equal(trouble, null);
  }
  assert.deepEqual(await peopleAnd(ask), await undisturbed(sent));
  const path = join(dir, "data/muster.db");
  // The bridge says so at its next look at the hub.
  await until(
    "the hub knows all files to be put away",
    () => notPutAway(path),
    (count) => count === 0,
    AGAIN_WITHIN_MS,
  );

  await bridge.stop();
  await hub.stop();
  const verify = startCommand(["audit", "verify"], world.env);
  assert.equal(await new Promise((resolve) => verify.on("exit", resolve)), 0, "the audit holds");
  await nothingIsLeft(path);
});

// --- kills ---

interface Victim {
  strike(): void;
}

function createKills() {
  let awaited: { at: string; happened: () => void } | null = null;
  const byTheClock: string[] = [];
  return {
    byTheClock,
    /** True where somebody is killed by it at once. */
    hears(step: string): boolean {
      if (awaited?.at !== step) return false;
      awaited.happened();
      return awaited === null;
    },
    /** Resolves when the victim has been struck. */
    wait(victim: Victim, at: string, afterMs: number): Promise<void> {
      return new Promise((resolve) => {
        const strike = () => {
          clearTimeout(timer);
          awaited = null;
          victim.strike();
          resolve();
        };
        const timer = setTimeout(() => {
          byTheClock.push(at);
          strike();
        }, COMES_WITHIN_MS);
        awaited = {
          at,
          happened() {
            if (afterMs === 0) return strike();
            if (awaited !== null) awaited = { at: "", happened: () => {} };
            setTimeout(strike, afterMs);
          },
        };
      });
    },
  };
}

// --- the world ---

async function startWorld(t: TestContext, dir: string, hears: (step: string) => boolean) {
  const server = await startSshServer(t);
  const { hub, bridge, ask, sftpPort, env } = await startApart(t, {
    dataDir: join(dir, "data"),
    sftpDir: join(dir, "sftp"),
    bridgeEnv: { MUSTER_ALLOW_HOSTS: `sftp.example.com=127.0.0.1:${server.port}` },
    hears,
    passes: (step, moment) => hears(`${step} ${moment}`),
  });

  const common = { connector: "sftp-drop", policy: { coverage: "diff" }, key: "email" };
  const customers: { slug: string; port: number; username: string | null; password: string }[] = [];
  for (const slug of ["one", "two"]) {
    await ask("/v1/connections", { ...common, name: slug, slug });
    const login = await ask(`/v1/connections/${slug}/sftp-login`, { method: "password" });
    customers.push({ slug, port: sftpPort, username: login.username, password: login.password });
  }
  const incoming = join(server.folder, "incoming");
  await ask("/v1/connections", {
    ...common,
    name: "remote",
    slug: "remote",
    ...asRemote(server, incoming),
  });
  customers.push({ slug: "remote", port: server.port, username: null, password: "" });
  const ids = new Map<string, string>();
  for (const { slug } of customers) ids.set(slug, await isServed(ask, slug));
  const foldersOf = (slug: string): Folders =>
    slug === "remote"
      ? { drops: incoming, bak: join(incoming, ".bak"), reports: join(incoming, "reports"), others: [] }
      : {
        drops: join(dir, "sftp", ids.get(slug)!, "drops"),
        bak: join(dir, "sftp", ids.get(slug)!, "bak"),
        reports: join(dir, "sftp", ids.get(slug)!, "reports"),
        others: ["aside", "making", "failed"].map((name) => join(dir, "sftp", ids.get(slug)!, name)),
      };
  for (const { slug } of customers) {
    const step = slug === "remote" ? "remote file moved" : "file moved";
    const { bak } = foldersOf(slug);
    if (slug === "remote") mkdirSync(bak);
    await until("its folders are there", () => existsSync(bak));
    let known = 0;
    const watcher = watch(bak, () => {
      const count = names(bak).filter((name) => name.endsWith(".csv")).length;
      if (count > known) hears(step);
      known = count;
    });
    t.after(() => watcher.close());
  }
  return { server, hub, bridge, ask, customers, foldersOf, env };
}

interface Folders {
  readonly drops: string;
  readonly bak: string;
  readonly reports: string;
  readonly others: readonly string[];
}

/** Sends one file after the other, each under a name of its own that it is given once it is whole. */
async function sendFiles(
  login: { port: number; username: string; password: string; slug: string },
  sent: Sent[],
  hears: (step: string) => boolean,
  mayGoOn: () => Promise<boolean>,
): Promise<void> {
  let session: { client: Client; sftp: SFTPWrapper; lost: Promise<never> } | null = null;
  while (await mayGoOn()) {
    const file = fileOf(login.slug, sent.length);
    let last: unknown = null;
    for (let tries = 0;; tries++) {
      assert.ok(tries < 200, `${file.name} could not be sent: ${last}`);
      try {
        session ??= await openSession(login);
        await Promise.race([session.lost, sendOne(session.sftp, file, tries > 0, hears)]);
        break;
      } catch (error) {
        if (error instanceof NoAnswer) {
          unanswered.count++;
          console.log(`${login.slug}: ${error.message}`);
        }
        last = error;
        session?.client.destroy();
        session = null;
        await pause(50);
      }
    }
    sent.push(file);
    hears("upload closed");
    await pause(1000);
    if (sent.length % 3 > 0) continue;
    session?.client.end();
    session = null;
  }
  session?.client.end();
}

async function openSession(login: { port: number; username: string; password: string }) {
  return await connect(login, login.username, { password: login.password, readyTimeout: 5_000 });
}

async function sendOne(
  sftp: SFTPWrapper,
  { name, text }: Sent,
  isAgain: boolean,
  hears: (step: string) => boolean,
): Promise<void> {
  const listed = async (folder: string) =>
    (await answered<{ filename: string }[]>("readdir", (then) => sftp.readdir(folder, then))).map((each) =>
      each.filename
    );
  // In this order: it moves from the one to the other.
  if (isAgain && (await listed("/incoming")).includes(name)) return;
  if (isAgain && (await listed("/.bak")).some((each) => each.endsWith(`-${name}`))) return;
  const bytes = Buffer.from(text);
  const handle = await answered<never>("open", (then) => sftp.open(`/incoming/${name}.part`, "w", then));
  const size = 32 * 1024;
  for (let at = 0; at < bytes.length; at += 16 * size) {
    const parts = Array.from({ length: 16 }, (_, i) => at + i * size).filter((from) => from < bytes.length);
    await Promise.all(
      parts.map((from) =>
        answered("write", (then) => sftp.write(handle, bytes, from, Math.min(size, bytes.length - from), from, then))
      ),
    );
    hears("upload half");
  }
  await answered("close", (then) => sftp.close(handle, then));
  await answered("rename", (then) => sftp.rename(`/incoming/${name}.part`, `/incoming/${name}`, then));
}

class NoAnswer extends Error {}
const unanswered = { count: 0 };

/** Like `done`, with a time limit: a connection that is open but silent would be waited for without end. */
const answered = <T = void>(what: string, work: Parameters<typeof done<T>>[0]): Promise<T> =>
  within(
    ANSWERED_WITHIN_MS,
    done<T>(work),
    () => new NoAnswer(`no answer to ${what} within ${ANSWERED_WITHIN_MS} ms`),
  );

/** The same on a server of theirs, where a companion says of each file that it is whole. */
async function putFiles(folder: string, sent: Sent[], mayGoOn: () => Promise<boolean>): Promise<void> {
  while (await mayGoOn()) {
    const file = fileOf("remote", sent.length);
    writeFileSync(join(folder, `${file.name}.part`), file.text);
    renameSync(join(folder, `${file.name}.part`), join(folder, file.name));
    writeFileSync(join(folder, `${file.name}.done`), "");
    sent.push(file);
    await pause(2000);
  }
}

// --- the end ---

/** Each file is in `.bak` once and whole, its report beside where there is one, and nothing lies where it should not. */
async function theirFolders(
  ask: AskHub,
  slug: string,
  files: readonly Sent[],
  // deno-lint-ignore no-explicit-any
  runs: readonly any[],
  { drops, bak, reports, others }: Folders,
): Promise<void> {
  const plain = (name: string) => name.replace(/^[^-]+-/, "");
  const reported = files.filter((_, number) => number % 4 === 1).map(({ name }) =>
    name.replace(".csv", ".failures.csv")
  );
  // A draft that a kill left is written over by the report itself, which comes in the end.
  const isBack = (all: string[]) => all.join() === reported.join();
  await until(`the reports of ${slug} are back, and nothing else`, () => names(reports), isBack, AGAIN_WITHIN_MS);
  for (const { id, drop } of runs.filter(({ status }) => status === "partial")) {
    const report = readFileSync(join(reports, drop.name.replace(".csv", ".failures.csv")), "utf8");
    assert.equal(report.replace(/^\ufeff/, ""), (await ask(`/v1/runs/${id}/failures.csv`)).replace(/^\ufeff/, ""));
  }
  await until(
    `nothing of ${slug} waits`,
    () => names(drops).filter((name) => /\.(csv|part|done)$/.test(name)),
    (all) => all.length === 0,
    AGAIN_WITHIN_MS,
  );
  const kept = names(bak).filter((name) => name.endsWith(".csv"));
  assert.deepEqual(kept.map(plain).sort(), files.map(({ name }) => name), `${slug}: each is put away once`);
  for (const name of kept) {
    const file = files.find((each) => each.name === plain(name))!;
    assert.equal(digestOf(readFileSync(join(bak, name))), file.sha256, name);
  }
  for (const folder of others) assert.deepEqual(names(folder), [], folder);
}

/** Everybody, and every change in the order of each person's, without numbers and instants. */
async function peopleAnd(ask: AskHub): Promise<unknown> {
  const users = await list(ask, "/v1/users");
  const changes = await list(ask, "/v1/changes");
  return endOf(users, changes);
}

/** The same files one after the other, where nothing ever happens. */
async function undisturbed(sent: ReadonlyMap<string, readonly Sent[]>): Promise<unknown> {
  let end: unknown;
  await importing(async (world) => {
    for (const [slug, files] of sent) {
      await world.connect(slug, { connector: "csv-upload", policy: { coverage: "diff" }, key: "email" });
      for (const { name, text } of files) await world.import(text.trimEnd(), { connection: slug, name });
    }
    const ask: AskHub = async (path) => await (await world.ask(path)).json();
    end = await peopleAnd(ask);
  });
  return end;
}

// deno-lint-ignore no-explicit-any
function endOf(users: readonly any[], changes: readonly any[]): unknown {
  const byEmail = (a: { email: string }, b: { email: string }) => (a.email < b.email ? -1 : 1);
  return {
    users: users.map(({ email, first_name, last_name, title, status, version, sources }) => ({
      email,
      first_name,
      last_name,
      title,
      status,
      version,
      keys: sources.map(({ source_key }: { source_key: string }) => source_key),
    })).sort(byEmail),
    changes: changes.map(({ action, subject, fields, status }) => ({ email: subject.email, action, fields, status }))
      .map((change) => JSON.stringify(change)).sort(),
  };
}

async function notPutAway(path: string): Promise<number> {
  const { db } = await openDatabase({ url: `file:${path}`, authToken: null, role: "alone" });
  try {
    const [row] = await db.rows<[number]>(
      sql`select count(*) from bridge_files where settled_at is null or returned_at is null`,
    );
    return row![0];
  } finally {
    db.close();
  }
}

/** What was begun and never sealed goes with its time, and leaves nothing behind. */
async function nothingIsLeft(path: string): Promise<void> {
  const { db } = await openDatabase({ url: `file:${path}`, authToken: null, role: "alone" });
  try {
    await expireDrops(db, Date.now() + 25 * 3_600_000);
    const [row] = await db.rows(sql`select
      (select count(*) from drops where sha256 is null),
      (select count(*) from drop_chunks where drop_id not in (select id from drops)),
      (select count(*) from runs where status in ('queued', 'planning', 'applying')),
      (select count(*) from bridge_files where settled_at is null or returned_at is null),
      (select count(*) from pragma_integrity_check where integrity_check <> 'ok')`);
    assert.deepEqual(
      row,
      [0, 0, 0, 0, 0],
      "unsealed drops, loose chunks, open runs, files not put away, a broken file",
    );
  } finally {
    db.close();
  }
}

async function list(ask: AskHub, path: string) {
  const all = [];
  for (let cursor = "";;) {
    const page = await ask(`${path}${path.includes("?") ? "&" : "?"}limit=200${cursor}`);
    all.push(...page.data);
    if (page.next_cursor === null || page.data.length === 0) return all;
    cursor = `&cursor=${page.next_cursor}`;
  }
}

const names = (folder: string): string[] => existsSync(folder) ? readdirSync(folder).sort() : [];
const digestOf = (content: string | Uint8Array) => createHash("sha256").update(content).digest("hex");
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
