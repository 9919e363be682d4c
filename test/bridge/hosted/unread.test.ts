/** Clients that send much and read nothing, against a process of its own: it stays small, and others are served. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { type HostedProcess, memoryOf, socketsOf, startHostedChild } from "../../support/hosted-process.ts";
import { connect, done } from "../../support/hosted.ts";
import { onlyInCheck } from "../../support/rounds.ts";
import { connectRaw, MESSAGES, NO, type RawClient, sftpPacket, uint32, YES } from "../../support/raw-ssh.ts";

const skip = existsSync("/proc/self/clear_refs") ? onlyInCheck : "on Linux alone";
const MOST_GROWN = 60e6;
const MANY = 20;
const [OPEN, READ, WRITE, OPENDIR, READDIR, STAT] = [3, 5, 6, 11, 12, 17];
const LOG_INS = ["con_a", "con_c"];

let work: string;
let running: HostedProcess;

before(async () => {
  if (skip !== false) return;
  work = mkdtempSync(join(tmpdir(), "muster-unread-"));
  const trees = join(work, "sftp");
  for (const id of LOG_INS) {
    mkdirSync(join(trees, id, "drops"), { recursive: true });
    mkdirSync(join(trees, id, "bak"));
    writeFileSync(join(trees, id, "drops", "big.part"), Buffer.alloc(3_000_000, "a"));
    for (let i = 0; i < 3000; i++) writeFileSync(join(trees, id, "bak", `${"n".repeat(200)}${i}.csv`), "");
  }
  running = await startHostedChild(trees, join(work, "taken"), "measure", {
    stuckMs: 1000,
    keyExchangeMs: 3000,
    handshakeMs: 3000,
    strangerBytes: 60_000,
    wastedFromAddress: 1000,
    strangersFromAddress: 50,
    ofLogIn: 40,
    dearMs: 5,
  });
  // What it needs in any case, it has before it is measured.
  for (let i = 0; i < 3; i++) {
    const { client, sftp } = await connect(running, "con_b");
    await done((then) => sftp.writeFile("/incoming/warm.part", Buffer.alloc(3_000_000, "a"), then));
    await done((then) => sftp.readFile("/incoming/warm.part", then));
    client.end();
  }
});

after(async () => {
  if (skip !== false) return;
  running.child.kill("SIGKILL");
  await running.gone;
  rmSync(work, { recursive: true, force: true });
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !holds(); await pause(20)) {
    assert.ok(Date.now() < end, `It never came to this: ${what}`);
  }
}

/**
 * Lets clients send for a while as much as is taken off them, and read nothing, until no more of them are left than may
 * be. Somebody else asks and logs in all the time.
 */
async function flood(
  send: (client: RawClient, round: number, nth: number) => void,
  { left, as }: { left: number; as?: "ready" | "handshake" },
): Promise<void> {
  const memory = memoryOf(running), other = await connect(running, "con_b");
  const sockets = socketsOf(running), bytes = memory.now();
  const clients = await connectMany(MANY, as);
  memory.forget();
  let isOver = false, asked = 0, slowest = 0;
  const others = (async () => {
    while (!isOver) {
      const at = performance.now();
      await done((then) => other.sftp.readdir("/", then));
      (await connect(running, "con_b")).client.end();
      asked++;
      slowest = Math.max(slowest, performance.now() - at);
      await pause(20);
    }
  })();
  others.catch(() => {});
  try {
    // A client that reads nothing does not see that it is disconnected.
    for (const { socket } of clients) socket.pause();
    const rounds = clients.map(() => 0);
    for (const end = Date.now() + 1000; Date.now() < end; await pause(5)) {
      for (const [i, client] of clients.entries()) {
        if (client.socket.writableLength < 200_000) send(client, rounds[i]!++, i);
      }
    }
    // Somebody of the others may just be there.
    await until("they are sent away", () => socketsOf(running) <= sockets + left + 1);
    isOver = true;
    await others;
    const grown = memory.most() - bytes;
    assert.ok(grown < MOST_GROWN, `${Math.round(grown / 1e6)} MB more`);
    assert.ok(asked > 0 && slowest < 5000, `others waited ${Math.round(slowest)} ms`);
  } finally {
    isOver = true;
    other.client.end();
    for (const { socket } of clients) socket.destroy();
    await until("they are gone", () => socketsOf(running) < sockets);
  }
}

const connectMany = (many: number, until?: "ready" | "handshake") =>
  Promise.all(Array.from({ length: many }, (_, i) => connectRaw(running, LOG_INS[i % LOG_INS.length]!, until)));

const times = (count: number, make: (i: number) => Buffer) => Array.from({ length: count }, (_, i) => make(i));
const read = (id: number) => sftpPacket(READ, id, uint32(4), uint32(1), 0, 0, 65_536);
const openBig = sftpPacket(OPEN, 1, "/incoming/big.part", 1, 0);

test("clients that ask for files, folders and states, and take no answers, are sent away, and fill no memory", {
  skip,
}, async () => {
  await flood((client, round, nth) => {
    if (round === 0) client.openSftp(0);
    if (nth % 4 < 2) return client.ask(0, ...round === 0 ? [openBig] : times(500, read));
    if (nth % 4 === 2) return client.ask(0, ...times(500, (i) => sftpPacket(STAT, i, "/incoming/big.part")));
    if (round < 5) return client.ask(0, sftpPacket(OPENDIR, round, "/.bak"));
    client.ask(0, ...times(500, (i) => sftpPacket(READDIR, i, uint32(4), uint32(1 + i % 5))));
    // Those who read a file, as the other answers are little.
  }, { left: MANY / 2 });
});

test("a client that makes no room for answers, or never agrees on new keys, is sent away, and fills no memory", {
  skip,
}, async () => {
  const data = Buffer.alloc(30_000);
  await flood((client, round, nth) => {
    if (nth % 2 === 0) {
      if (round > 0) return;
      client.openSftp(0);
      client.ask(0, openBig, ...times(1000, read));
      return client.sendKexInit();
    }
    const channel = round % 8;
    if (round < 8) client.openSftp(channel, 0);
    client.ask(
      channel,
      ...times(10, (i) => sftpPacket(WRITE, i, uint32(4), uint32(1), 0, 0, uint32(data.length), data)),
    );
  }, { left: 0 });
});

test("packets that ask for what there is not, or for nothing, fill no memory and keep nobody else waiting", {
  skip,
}, async () => {
  await flood((client, _, nth) => {
    for (let i = 0; i < 200; i++) {
      if (nth % 5 === 0) client.send(MESSAGES.IGNORE, "x");
      if (nth % 5 === 1) client.send(MESSAGES.DEBUG, NO, "x", "");
      if (nth % 5 === 2) client.send(MESSAGES.UNKNOWN, "x");
      if (nth % 5 === 3) client.send(MESSAGES.GLOBAL_REQUEST, "x", YES);
      if (nth % 5 === 4) client.send(MESSAGES.CHANNEL_OPEN, i % 2 === 0 ? "session" : "direct-x", i, 1000, 1000);
    }
  }, { left: MANY });
});

test("a client that sends what takes long lets others go first", { skip }, async () => {
  const { child: { pid } } = running;
  const clients = await connectMany(MANY);
  const { client, sftp } = await connect(running, "con_b");
  try {
    const before = clients.map(({ heard }) => heard());
    // All of it is there before any of it is looked at.
    process.kill(pid!, "SIGSTOP");
    for (const client of clients) {
      for (let i = 0; i < 1700; i++) client.send(MESSAGES.IGNORE, "x");
      client.send(MESSAGES.GLOBAL_REQUEST, "x", YES);
    }
    const asked = done((then) => sftp.stat("/", then));
    await until("all is sent", () => clients.every(({ socket }) => socket.writableLength === 0));
    process.kill(pid!, "SIGCONT");
    await asked;
    const served = clients.filter(({ heard }, i) => heard() > before[i]!).length;
    assert.ok(served <= MANY / 2, `${served} of ${MANY} before the one who asked last and for little`);
    await until("all is looked at", () => clients.every(({ heard }, i) => heard() > before[i]!));
  } finally {
    process.kill(pid!, "SIGCONT");
    client.end();
    for (const { socket } of clients) socket.destroy();
  }
});

test("who is not logged in, sends much or nothing more, and reads nothing, is sent away and fills no memory", {
  skip,
}, async () => {
  await flood((client, _, nth) => {
    for (let i = 0; i < 200 && nth % 4 > 0; i++) {
      if (nth % 4 === 1) client.send(MESSAGES.IGNORE, "x");
      if (nth % 4 === 2) client.send(MESSAGES.GLOBAL_REQUEST, "x", YES);
      if (nth % 4 === 3) client.send(MESSAGES.CHANNEL_OPEN, "session", i, 1000, 1000);
    }
  }, { left: 0, as: "handshake" });
});

test("a client that takes a byte at a time, or none, or agrees on keys while it agrees on keys, is sent away at once", {
  skip,
}, async () => {
  const clients = await connectMany(3);
  clients[0]!.openSftp(0, 1_000_000, 1);
  clients[1]!.openSftp(0, 1_000_000, 0);
  clients[2]!.sendKexInit();
  clients[2]!.sendKexInit();
  await until("all are sent away", () => clients.every((each) => each.isClosed()));
  const { client, sftp } = await connect(running, "con_b");
  await done((then) => sftp.readdir("/", then));
  client.end();
});
