/** The parts that keep what a client sends, asks and does not take within bounds, each by itself. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { type AddressInfo, connect as dial, createServer, type Socket } from "node:net";
import { test } from "node:test";
import type { SFTPWrapper } from "ssh2";
import { createFlow, timeReading } from "../../../src/bridge/hosted/flow.ts";
import { holdBack } from "../../../src/bridge/hosted/incoming.ts";
import { writeInOnePiece } from "../../../src/bridge/hosted/outgoing.ts";
import { createRequests } from "../../../src/bridge/hosted/requests.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !holds(); i++) await pause(10);
  assert.ok(holds(), String(holds));
}

/** A connection, from its two ends. */
async function withPair(work: (server: Socket, client: Socket) => Promise<void>): Promise<void> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const accepted = new Promise<Socket>((resolve) => listener.once("connection", resolve));
  const client = dial((listener.address() as AddressInfo).port, "127.0.0.1");
  const server = await accepted;
  for (const socket of [server, client]) socket.on("error", () => {});
  try {
    await work(server, client);
  } finally {
    for (const socket of [server, client]) socket.destroy();
    listener.close();
  }
}

const LIMITS = { unsentBytes: 100_000, mostUnsentBytes: 50_000_000, stuckMs: 300 };

test("a client that does not take what it was sent is not read from, from the moment of the write", () =>
  withPair(async (server, client) => {
    client.pause();
    const outgoing = writeInOnePiece(server, { flow: createFlow(server), limits: LIMITS });
    server.resume();
    server.write(Buffer.alloc(99_000));
    assert.deepEqual([outgoing.isFull(), server.isPaused()], [false, false]);
    server.write(Buffer.alloc(10_000_000));
    assert.deepEqual([outgoing.isFull(), server.isPaused()], [true, true]);
    assert.equal(outgoing.isStuck(), false);
    await until(() => outgoing.isStuck());
    let hasRoom = false;
    const room = outgoing.hasRoom(60_000).then(() => hasRoom = true);
    await pause(50);
    assert.equal(hasRoom, false);
    client.resume();
    await room;
    assert.deepEqual([outgoing.isFull(), outgoing.isStuck(), server.isPaused()], [false, false, false]);
  }));

test("a client that is sent much more than it takes is disconnected at once, and nothing waits for it any more", () =>
  withPair(async (server, client) => {
    client.pause();
    const limits = { ...LIMITS, mostUnsentBytes: 20_000_000 };
    const outgoing = writeInOnePiece(server, { flow: createFlow(server), limits });
    server.write(Buffer.alloc(19_000_000));
    const room = outgoing.hasRoom(60_000);
    assert.equal(server.destroyed, false);
    server.write(Buffer.alloc(2_000_000));
    assert.equal(server.destroyed, true);
    await room;
  }));

test("a socket is read from once no reason against it is left, and the time that reading takes is reported", () =>
  withPair(async (server, client) => {
    const flow = createFlow(server), one = {}, other = {};
    const took: number[] = [];
    timeReading(server, (ms) => took.push(ms));
    let heard = 0;
    server.on("data", (data: Buffer) => {
      heard += data.length;
      for (const end = performance.now() + 20; performance.now() < end;);
    });
    flow(one, true);
    flow(other, true);
    client.write("x");
    flow(one, false);
    await pause(50);
    assert.equal(heard, 0);
    flow(other, false);
    await until(() => heard === 1);
    assert.ok(took.length === 1 && took[0]! >= 20, String(took));
  }));

/** A channel that hears one packet after the other. */
function createChannel(most: number) {
  const heard: (string | null)[] = [];
  let room = Infinity, over = 0;
  const sftp = {
    push: (data: Buffer | null) => void (room--, heard.push(data === null ? null : data.toString("latin1"))),
  };
  const incoming = holdBack(sftp as unknown as SFTPWrapper, {
    mostPacket: most,
    isFull: () => room <= 0,
    changed: () => {},
    ended: () => void over++,
  });
  return {
    heard,
    incoming,
    give: (data: Buffer | null) => sftp.push(data),
    over: () => over,
    makeRoom(more: number) {
      room = more;
      incoming.go();
    },
  };
}

function packet(length: number, fill: string): Buffer {
  const bytes = Buffer.alloc(4 + length, fill);
  bytes.writeUInt32BE(length);
  return bytes;
}

test("however a channel's bytes are cut and whenever there is room, its packets are heard whole and in their order", () => {
  const lengths = fc.array(fc.oneof(fc.nat(20), fc.nat(300)), { maxLength: 20 });
  fc.assert(
    fc.property(lengths, fc.array(fc.nat(400)), fc.array(fc.integer({ min: 1, max: 4 })), (all, cuts, rooms) => {
      const packets = all.map((length, i) => packet(length, String.fromCharCode(97 + i)));
      const bytes = Buffer.concat(packets);
      const channel = createChannel(300);
      for (let at = 0, i = 0; at < bytes.length; i++) {
        channel.makeRoom(rooms[i] ?? 0);
        const end = at + (cuts[i] ?? bytes.length);
        // What the library gives is used again for something else.
        const piece = Buffer.from(bytes.subarray(at, end));
        channel.give(piece);
        at = end;
      }
      channel.give(null);
      while (channel.heard.at(-1) !== null) channel.makeRoom(2);
      assert.deepEqual(channel.heard, [...packets.map((each) => each.toString("latin1")), null]);
      assert.equal(channel.incoming.bytes, 0);
    }),
  );
});

test("a channel hears no more than there is room for, and of its end behind that; a packet that is too long at once", () => {
  const channel = createChannel(10);
  channel.makeRoom(2);
  channel.give(Buffer.concat([packet(3, "a"), packet(3, "b"), packet(3, "c"), packet(3, "d").subarray(0, 5)]));
  assert.equal(channel.heard.length, 2);
  assert.deepEqual([channel.incoming.bytes, channel.incoming.hasMore()], [12, true]);
  channel.give(null);
  assert.deepEqual([channel.heard.length, channel.over()], [2, 1]);
  channel.makeRoom(2);
  assert.deepEqual(channel.heard.slice(3), [null]);
  const long = createChannel(10);
  long.give(packet(11, "a").subarray(0, 6));
  assert.equal(long.heard.length, 1);
  long.incoming.drop();
  long.give(packet(1, "b"));
  assert.equal(long.incoming.bytes, 0);
});

test("requests wait while answers would; what waits is reported, and after too long the client is disconnected", () =>
  withPair(async (server) => {
    let sends = false, full = false, stuck = 0, did = 0, behind = 50;
    const requests = createRequests({
      socket: server,
      flow: createFlow(server),
      outgoing: { isFull: () => full, hasRoom: () => pause(5) as Promise<void> },
      sendsNow: () => sends,
      limits: { waitingRequests: 3, waitingBytes: 1000, stuckMs: 300 },
      incoming: () => ({ bytes: behind, hasMore: () => behind > 0, go: () => void (behind = 0) }),
      stuck: (bytes) => void (stuck += bytes),
    });
    const ask = () => requests.add(100, () => Promise.resolve(void did++));
    server.resume();
    requests.weigh();
    assert.equal(server.isPaused(), true, "what has come already is more than there is room for");
    for (let i = 0; i < 3; i++) ask();
    await pause(30);
    assert.deepEqual([did, stuck, requests.isFull(), server.isPaused()], [0, 350, true, false]);
    [sends, full] = [true, true];
    await pause(50);
    // It has made room and does not take what it was sent: it is not read from, and nothing is done.
    assert.deepEqual([did, stuck, server.isPaused()], [0, 0, true]);
    full = false;
    await until(() => did === 3);
    assert.deepEqual([requests.isFull(), server.isPaused()], [false, false]);
    full = true;
    ask();
    await until(() => server.destroyed);
    await requests.end();
  }));
