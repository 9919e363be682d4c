/** Floods at the hosted server, in small: others log in and read meanwhile, and it stays up. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { lstatSync, readdirSync } from "node:fs";
import { connect as dial, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { createGuard } from "../../../src/bridge/hosted/guard.ts";
import { HOSTED_LIMITS } from "../../../src/bridge/hosted/limits.ts";
import { type Present, whoGoes } from "../../../src/bridge/hosted/strangers.ts";
import { ssh2 } from "../../../src/bridge/ssh2.ts";
import { createKeyPair } from "../../../src/security/sftp-login.ts";
import { connect, done, PASSWORD, startHosted } from "../../support/hosted.ts";
import { onlyInCheck, onlyInCheckOnDeno } from "../../support/rounds.ts";

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(condition(), String(condition));
}

function open(port: number, localAddress: string, first?: Uint8Array): { socket: Socket; isClosed: () => boolean } {
  const socket = dial({ port, host: "127.0.0.1", localAddress });
  let closed = false;
  socket.on("error", () => {}).on("close", () => void (closed = true)).resume();
  if (first !== undefined) socket.write(first);
  return { socket, isClosed: () => closed };
}

test(
  "silent connections of five addresses keep nobody's log-in out, and are gone in time",
  { skip: onlyInCheck },
  async () => {
    const server = await startHosted({ limits: { keyExchangeMs: 4000 } });
    const silent = Array.from({ length: 110 }, (_, i) => open(server.port, `127.0.0.${2 + i % 5}`));
    try {
      await until(() => silent.filter(({ isClosed }) => isClosed()).length >= 10);
      for (let i = 0; i < 3; i++) {
        const { client, sftp } = await connect(server, "con_a", { localAddress: "127.0.0.9" });
        await done((then) => sftp.readdir("/", then));
        client.end();
      }
      await until(() => silent.every(({ isClosed }) => isClosed()));
    } finally {
      for (const { socket } of silent) socket.destroy();
      await server.close();
    }
  },
);

test("room is made by a stranger of the address that has most of them, the silent ones first", () => {
  const limits = { connections: 6, strangers: 4, strangersFromAddress: 3, fromAddress: 5 };
  const one = (network: string, since: number, more: Partial<Present> = {}): Present => ({
    network,
    since,
    connection: null,
    isSecure: false,
    failures: 0,
    ...more,
  });
  const [a1, a2, a3] = [one("a", 1, { isSecure: true }), one("a", 2, { isSecure: true, failures: 1 }), one("a", 3)];
  assert.equal(whoGoes([a1, a2], "b", limits), null);
  assert.equal(whoGoes([a1, a2, a3], "a", limits), a3);
  assert.equal(whoGoes([one("b", 0), a1, a2, a3], "c", limits), a3);
  assert.equal(whoGoes([one("b", 0), a1, a2, one("a", 4, { isSecure: true })], "c", limits), a2);
  const inside = Array.from({ length: 6 }, (_, i) => one(`${i}`, 0, { connection: "con_a" }));
  assert.equal(whoGoes(inside, "z", limits), "newcomer");
  assert.equal(whoGoes([...inside.slice(1), a1], "z", limits), a1);
});

test("a guesser is answered later and later, and locks no user name out elsewhere", () => {
  const guard = createGuard({ ...HOSTED_LIMITS, failuresFromAddress: 5, failuresOfName: 5 }, () => 0);
  const late = Array.from({ length: 6 }, (_, i) => guard.failed("hr", "192.0.2.1", i));
  assert.deepEqual(late.map(({ answerInMs }) => answerInMs), [500, 1000, 2000, 4000, 8000, 8000]);
  assert.deepEqual(late.map(({ isLast }) => isLast), [false, false, false, false, false, true]);
  assert.equal(guard.mayTry("hr", "192.0.2.1"), false);
  assert.equal(guard.mayTry("hr", "192.0.2.2"), true, "from another address");
  assert.equal(guard.failed("hr", "192.0.2.3", 0).answerInMs, 8000, "the name is guessed much");
});

test("connections that lead to nothing are answered one by one from then on", () => {
  const guard = createGuard({ ...HOSTED_LIMITS, wastedFromAddress: 2, paceMs: 500 }, () => 0);
  for (let i = 0; i < 2; i++) guard.wasted("a");
  assert.deepEqual([guard.greetInMs("a"), guard.greetInMs("a"), guard.greetInMs("a")], [0, 500, 1000]);
  assert.deepEqual([guard.greetInMs("b"), guard.greetInMs("b")], [0, 0]);
});

test("guessers from five addresses keep nobody else out, nor the same user elsewhere, nor a key", async () => {
  // Of 200 ed25519 keys that ssh2 makes, it cannot read one itself.
  const pair = await createKeyPair("");
  const key = pair.text.split(" ").slice(0, 2).join(" ");
  const server = await startHosted({ keys: [key], limits: { failuresFromAddress: 5, failuresOfName: 5, paceMs: 50 } });
  let isOver = false;
  const guess = async (localAddress: string) => {
    while (!isOver) {
      const client = new ssh2.Client();
      await new Promise<void>((resolve) => {
        client.on("error", () => resolve()).on("close", () => resolve());
        const { port } = server;
        client.connect({ host: "127.0.0.1", port, localAddress, username: "con_a", password: "guess" });
      });
      client.destroy();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const guessers = [2, 3, 4, 5, 6].flatMap((n) => [guess(`127.0.0.${n}`), guess(`127.0.0.${n}`)]);
  try {
    await until(() => server.attempts.length >= 25);
    for (
      const [user, config] of [
        ["con_a", { localAddress: "127.0.0.9" }],
        ["con_b", { localAddress: "127.0.0.9" }],
        ["con_a", { localAddress: "127.0.0.2", privateKey: pair.privateKey, password: undefined }],
      ] as const
    ) {
      const { client, sftp } = await connect(server, user, config);
      await done((then) => sftp.readdir("/", then));
      client.end();
    }
    const guesses = server.attempts.filter(({ password }) => password === "guess").length;
    assert.ok(guesses <= 25 + 10, `${guesses} guesses were looked at`);
  } finally {
    isOver = true;
    await server.close();
    await Promise.all(guessers);
  }
});

test("garbage, endless lines, half key exchanges and requests without end cost their own connection alone", {
  skip: onlyInCheckOnDeno,
}, async () => {
  const server = await startHosted({
    limits: { keyExchangeMs: 1500, strangersFromAddress: 100, strangerBytes: 100_000 },
  });
  const junk = Buffer.alloc(20_000, "x");
  const strangers = [
    junk,
    Buffer.from("SSH-2.0-x\r\n"),
    Buffer.concat([Buffer.from("SSH-2.0-x\r\n"), Buffer.from([0xff, 0xff, 0xff, 0xff]), junk]),
    Buffer.concat([Buffer.from("SSH-2.0-x\r\n"), Buffer.from([0, 0, 1, 0, 4, 20]), Buffer.alloc(100)]),
    Buffer.from("\r\n\r\n\r\n"),
  ].map((first) => open(server.port, "127.0.0.3", first));
  try {
    const asker = new ssh2.Client();
    let asked = 0;
    const gone = new Promise<void>((resolve) => void asker.on("error", () => resolve()).on("close", () => resolve()));
    asker.connect({
      host: "127.0.0.1",
      port: server.port,
      username: "con_a",
      authHandler: (_left, _partial, next) => void (asked++, next({ type: "none", username: "con_a" })),
    });
    await gone;
    assert.ok(asked <= HOSTED_LIMITS.requestsToLogIn + 1, `${asked} requests`);
    // Reset in the midst of a log-in, of a channel, of a request.
    for (let i = 0; i < 10; i++) {
      const client = new ssh2.Client();
      client.on("error", () => {});
      client.connect({ host: "127.0.0.1", port: server.port, username: "con_a", password: i % 2 ? PASSWORD : "wrong" });
      client.on("ready", () => client.sftp((error, sftp) => error ?? sftp.readdir("/", () => {})));
      await new Promise((resolve) => setTimeout(resolve, 20 * i));
      (client as unknown as { _sock: Socket })._sock.destroy();
    }
    await until(() => strangers.every(({ isClosed }) => isClosed()));
    const { client, sftp } = await connect(server, "con_b");
    await done((then) => sftp.readdir("/", then));
    client.end();
  } finally {
    for (const { socket } of strangers) socket.destroy();
    await server.close();
  }
});

test("a client that asks for new keys again and again is sent away", async () => {
  const server = await startHosted({ limits: { rekeys: 3 } });
  try {
    const { client } = await connect(server, "con_a");
    let keys = 0;
    const gone = new Promise<void>((resolve) => void client.on("close", () => resolve()));
    const again = () => void (client as unknown as { _protocol: { rekey(): void } })._protocol.rekey();
    client.on("handshake", () => void (keys++, setTimeout(again, 10)));
    again();
    await gone;
    assert.ok(keys <= 4, `${keys} times`);
  } finally {
    await server.close();
  }
});

test("a file that is removed and still open counts until it is closed, and is not written on", async () => {
  const server = await startHosted({ limits: { quotaBytes: 100_000 } });
  try {
    const { client, sftp } = await connect(server, "con_a");
    const fill = async (name: string) => {
      const handle = await done<Buffer>((then) => sftp.open(`/incoming/${name}`, "w", then));
      await done((then) => sftp.write(handle, Buffer.alloc(60_000), 0, 60_000, 0, then));
      return handle;
    };
    const first = await fill("a.part");
    await done((then) => sftp.unlink("/incoming/a.part", then));
    await assert.rejects(fill("b.part"), /no room is left/);
    await assert.rejects(done((then) => sftp.write(first, Buffer.alloc(10), 0, 10, 60_000, then)), /removed/);
    await done((then) => sftp.close(first, then));
    await done((then) => sftp.unlink("/incoming/b.part", then));
    const last = await fill("c.part");
    await done((then) => sftp.close(last, then));
    // The same with one that is only read.
    const read = await done<Buffer>((then) => sftp.open("/incoming/c.part", "r", then));
    await done((then) => sftp.unlink("/incoming/c.part", then));
    await assert.rejects(fill("d.part"), /no room is left/);
    await done((then) => sftp.close(read, then));
    client.end();
  } finally {
    await server.close();
  }
});

test("what was taken is kept up to a bound of its own, and then the oldest goes", async () => {
  const server = await startHosted({ limits: { keptBytes: 25_000, keptFiles: 100 } });
  try {
    const { client, sftp } = await connect(server, "con_a");
    for (let i = 0; i < 5; i++) {
      await done((then) => sftp.writeFile(`/incoming/${i}.csv`, Buffer.alloc(10_000, "a"), then));
      await server.takes(({ name }) => name === `${i}.csv`);
    }
    const bak = join(server.dir, "con_a", "bak");
    // The last file is there for a moment before the oldest goes.
    await until(() => {
      const kept = readdirSync(bak);
      return kept.some((name) => name.endsWith("-4.csv")) && !kept.some((name) => /-[012]\.csv$/.test(name));
    });
    const kept = readdirSync(bak);
    assert.deepEqual(kept.map((name) => name.replace(/^.*-/, "")).sort(), ["3.csv", "4.csv"]);
    assert.ok(kept.reduce((sum, name) => sum + lstatSync(join(bak, name)).size, 0) <= 25_000);
    client.end();
  } finally {
    await server.close();
  }
});

test("all who are logged in have so many files open together", async () => {
  const server = await startHosted({ limits: { handlesInAll: 6 } });
  try {
    const clients = [await connect(server, "con_a"), await connect(server, "con_b")];
    const folder = (i: number) => done<Buffer>((then) => clients[i]!.sftp.opendir("/", then));
    const handles: Buffer[] = [];
    for (let i = 0; i < 6; i++) handles.push(await folder(i % 2));
    await assert.rejects(folder(1), /As many files are open here/);
    await done((then) => clients[0]!.sftp.close(handles[0]!, then));
    await folder(1);
    for (const { client } of clients) client.end();
  } finally {
    await server.close();
  }
});

test("all sessions of one log-in have so much open together, and what they close is free again", async () => {
  const server = await startHosted({ limits: { handlesOfLogIn: 10 } });
  try {
    const clients = [await connect(server, "con_a"), await connect(server, "con_a")];
    const folder = (i: number) => done((then) => clients[i]!.sftp.opendir("/", then));
    for (let i = 0; i < 10; i++) await folder(i % 2);
    await assert.rejects(folder(0), /too much open/);
    clients[1]!.client.end();
    for (let i = 0, ok = false; !ok; i++) {
      ok = await folder(0).then(() => true, () => false);
      assert.ok(i < 200);
    }
    await assert.rejects(done((then) => clients[0]!.sftp.stat(`/${"a/".repeat(10_000)}`, then)));
    clients[0]!.client.end();
  } finally {
    await server.close();
  }
});
