import assert from "node:assert/strict";
import test from "node:test";
import type { BridgeConnection, Poller, SeenFile, Trouble } from "../../../src/bridge/contract.ts";
import type { When } from "../../../src/model/sftp.ts";
import { LIMITS } from "../../../src/bridge/remote/limits.ts";
import { createPoller } from "../../../src/bridge/remote/poller.ts";
import type { Session } from "../../../src/bridge/remote/session.ts";
import { ConnectionError } from "../../../src/bridge/trouble.ts";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.ts";
import { createRecordingHub, type RecordingHub } from "../../support/hand-over.ts";
import { connectionTo } from "../../support/remote.ts";
import type { SshServer } from "../../support/sshd.ts";

const MINUTE = 60_000, HOUR = 3_600_000;
const START = Date.parse("2026-03-02T10:00:00Z");

interface Fake {
  readonly clock: FakeClock;
  readonly hub: RecordingHub;
  readonly poller: Poller;
  /** Moments of visits by connection, in minutes since the start. */
  minutes(id: string): number[];
  readonly visits: Map<string, number[]>;
  /** How the server of a connection is: what lies there, or what it does. */
  readonly servers: Map<string, SeenFile[] | "hangs" | Trouble["code"]>;
  /** Visits that are going on. */
  readonly open: { now: number; most: number };
}

function connection(id: string, when: When, given: Partial<BridgeConnection> = {}): BridgeConnection {
  return {
    ...connectionTo({ folder: "", hostKey: "x", port: 22, username: "hr" } as SshServer, { id, when }),
    ...given,
  };
}

function start(connections: BridgeConnection[]): Fake {
  const clock = createFakeClock(START);
  const hub = createRecordingHub(connections);
  const visits: Fake["visits"] = new Map(), servers: Fake["servers"] = new Map();
  const open = { now: 0, most: 0 };
  const poller = createPoller({ hub, dial: () => assert.fail("not dialled"), log: () => {}, now: clock.now }, {
    clock,
    limits: LIMITS,
    async open({ connection, limits, signal }) {
      visits.set(connection.id, [...visits.get(connection.id) ?? [], clock.now()]);
      const server = servers.get(connection.id) ?? [];
      open.most = Math.max(open.most, ++open.now);
      await Promise.race([
        clock.sleep(server === "hangs" ? limits.connectMs + limits.logInMs : 200),
        new Promise((_, fail) => signal.addEventListener("abort", () => fail(signal.reason))),
      ]).finally(() => open.now--);
      if (server === "hangs") throw new ConnectionError("timed_out", "It hangs");
      if (typeof server === "string") throw new ConnectionError(server, `It is ${server}`);
      return fakeSession(clock, connection, servers);
    },
  });
  const minutes = (id: string) => (visits.get(id) ?? []).map((at) => (at - START) / MINUTE);
  return { clock, hub, poller, minutes, visits, servers, open };
}

function fakeSession(clock: FakeClock, connection: BridgeConnection, servers: Fake["servers"]): Session {
  const files = () => servers.get(connection.id) as SeenFile[] ?? [];
  return {
    connection,
    limits: LIMITS,
    hostKey: "x",
    async list() {
      await clock.sleep(100);
      return { files: [...files()], isCut: false, unnameable: 0 };
    },
    find(path) {
      const file = files().find(({ name }) => path.endsWith(`/${name}`));
      return Promise.resolve(file === undefined ? null : { ...file, isFolder: false });
    },
    open() {
      const [file] = files();
      return Promise.resolve({
        read: (_position, length) => Promise.resolve(new Uint8Array(length)),
        write: () => assert.fail("nothing is written"),
        find: () => Promise.resolve({ ...file!, isFolder: false }),
        close: () => Promise.resolve(),
      });
    },
    makeFolder: () => Promise.resolve(),
    rename() {
      servers.set(connection.id, files().slice(1));
      return Promise.resolve();
    },
    replace: () => Promise.resolve(),
    remove: () => Promise.resolve(),
    whereAmI: () => Promise.resolve("/"),
    close() {},
  };
}

test("a server is visited at once, and then every so many minutes", async () => {
  const { clock, minutes, poller } = start([
    connection("five", { kind: "every", minutes: 5 }),
    connection("one", { kind: "at_once" }),
  ]);
  await clock.advance(HOUR);
  await poller.close();
  for (const [id, period, count] of [["five", 5, 12], ["one", 1, 60]] as const) {
    const [first, second, ...others] = minutes(id);
    assert.equal(first, 0);
    assert.ok(second! <= period);
    assert.ok(others.every((at, i) => Math.abs(at - second! - (i + 1) * period) < 0.001), String(others));
    assert.ok(others.length >= count - 2);
  }
});

test("a server of a daily hour is visited at that hour of its zone, also when the clocks change", async () => {
  const daily = connection("daily", { kind: "daily", at: "03:00", timeZone: "America/Los_Angeles" });
  const { clock, visits, poller } = start([daily]);
  // The clocks there go forward on the 8th of March.
  await clock.advance(7.5 * 24 * HOUR);
  await poller.close();
  assert.deepEqual(visits.get("daily")!.map((at) => new Date(at).toISOString()), [
    "2026-03-02T11:00:00.000Z",
    "2026-03-03T11:00:00.000Z",
    "2026-03-04T11:00:00.000Z",
    "2026-03-05T11:00:00.000Z",
    "2026-03-06T11:00:00.000Z",
    "2026-03-07T11:00:00.000Z",
    "2026-03-08T10:00:00.000Z",
    "2026-03-09T10:00:00.000Z",
  ]);
});

test("a daily hour that passed while no bridge ran is made up for; one that was kept is not", async () => {
  const when: When = { kind: "daily", at: "09:00", timeZone: "UTC" };
  const { clock, minutes, poller } = start([
    connection("missed", when, { visitedAt: START - 25 * HOUR }),
    connection("kept", when, { visitedAt: START - HOUR }),
    connection("new", when),
  ]);
  await clock.advance(2 * HOUR);
  await poller.close();
  assert.deepEqual([minutes("missed"), minutes("kept"), minutes("new")], [[0], [], []]);
});

test("while a file may still grow its server is visited again in a minute, also where the cadence is a day", async () => {
  const fake = start([connection("daily", { kind: "daily", at: "10:30", timeZone: "UTC" })]);
  fake.servers.set("daily", [{ name: "users.csv", bytes: 10, modifiedAt: 0 }]);
  await fake.clock.advance(2 * HOUR);
  await fake.poller.close();
  assert.deepEqual(fake.minutes("daily").map(Math.floor), [30, 31]);
  assert.deepEqual(fake.hub.handOvers, ["users.csv"]);
});

test("a file that grows for an hour is left for the next day", async () => {
  const fake = start([connection("daily", { kind: "daily", at: "10:30", timeZone: "UTC" })]);
  let bytes = 0;
  fake.servers.set("daily", []);
  const grow = () => fake.servers.set("daily", [{ name: "users.csv", bytes: ++bytes, modifiedAt: bytes * 1000 }]);
  for (let i = 0; i < 12 * 60; i++) {
    grow();
    await fake.clock.advance(10_000);
  }
  const before = fake.minutes("daily").length;
  assert.ok(before > 60 && before < 130, String(before));
  await fake.clock.advance(22 * HOUR);
  assert.equal(fake.minutes("daily").length, before);
  await fake.clock.advance(HOUR);
  assert.ok(fake.minutes("daily").length > before);
  await fake.poller.close();
});

test("a server that fails is tried again soon where its cadence is a day, and seldom where a person is needed", async () => {
  const fake = start([
    connection("daily", { kind: "daily", at: "10:30", timeZone: "UTC" }),
    connection("refused", { kind: "at_once" }),
    connection("gone", { kind: "at_once" }),
  ]);
  fake.servers.set("daily", "unreachable");
  fake.servers.set("refused", "login_refused");
  fake.servers.set("gone", "unreachable");
  await fake.clock.advance(2 * HOUR);
  assert.deepEqual(fake.minutes("daily").map(Math.floor), [30, 31, 36, 51, 81, 111]);
  assert.ok(fake.minutes("refused").length < 8, String(fake.minutes("refused")));
  assert.ok(fake.minutes("gone").length > 110);
  assert.deepEqual(fake.hub.health.get("daily"), { code: "unreachable", message: "It is unreachable" });
  fake.servers.set("daily", []);
  await fake.clock.advance(HOUR);
  assert.equal(fake.hub.health.get("daily"), null);
  await fake.poller.close();
});

test("a connection whose settings or secrets change is visited anew at once, and one that is gone no more", async () => {
  const connections = [
    connection("a", { kind: "every", minutes: 60 }),
    connection("b", { kind: "every", minutes: 60 }),
  ];
  const fake = start(connections);
  await fake.clock.advance(2 * MINUTE);
  const before = fake.minutes("a").length;
  connections[0] = { ...connections[0]!, version: 2, secrets: { password: "another" } };
  connections[1] = { ...connections[1]!, version: 2, name: "renamed" };
  const count = fake.minutes("b").length;
  fake.poller.changed();
  await fake.clock.advance(1000);
  assert.deepEqual([fake.minutes("a").length, fake.minutes("b").length], [before + 1, count]);
  connections.length = 0;
  fake.poller.changed();
  await fake.clock.advance(5 * HOUR);
  assert.deepEqual([fake.minutes("a").length, fake.minutes("b").length], [before + 1, count]);
  await fake.poller.close();
});

test("a visit that is going on is ended when its connection goes, and never visited twice at once", async () => {
  const connections = [connection("a", { kind: "at_once" })];
  const fake = start(connections);
  fake.servers.set("a", "hangs");
  await fake.clock.advance(1000);
  assert.equal(fake.open.now, 1);
  connections[0] = { ...connections[0]!, version: 2, secrets: { password: "another" } };
  fake.poller.changed();
  await fake.clock.advance(1000);
  assert.deepEqual([fake.open.now, fake.open.most], [1, 1]);
  connections.length = 0;
  fake.poller.changed();
  await fake.clock.advance(1000);
  assert.deepEqual([fake.open.now, fake.hub.health.size], [0, 0]);
  await fake.poller.close();
});

test("200 servers every 5 minutes are each visited within 30 s of their time, though 60 of them hang", async () => {
  const connections = Array.from({ length: 200 }, (_, i) => connection(`con_${i}`, { kind: "every", minutes: 5 }));
  const fake = start(connections);
  for (let i = 0; i < 60; i++) fake.servers.set(`con_${i * 3}`, "hangs");
  await fake.clock.advance(HOUR);
  const lates: number[] = [];
  let firsts = 0;
  for (const { id } of connections) {
    const visits = fake.visits.get(id)!;
    assert.ok(visits.length >= 12, `${id} was visited ${visits.length} times`);
    firsts = Math.max(firsts, visits[0]! - START);
    if (fake.servers.get(id) !== "hangs") {
      for (let i = 2; i < visits.length; i++) lates.push(visits[i]! - visits[1]! - (i - 1) * 5 * MINUTE);
    }
  }
  lates.sort((a, b) => a - b);
  assert.ok(lates[Math.floor(lates.length * 0.99)]! < 30_000, `${lates.at(-1)} ms late`);
  assert.ok(firsts < 30_000, `the first visit of one was after ${firsts} ms`);
  // Spread over the five minutes, not all at once.
  const seconds = new Map<number, number>();
  for (const [id, visits] of fake.visits) {
    if (fake.servers.get(id) === "hangs") continue;
    const second = Math.floor((visits[1]! % (5 * MINUTE)) / 1000);
    seconds.set(second, (seconds.get(second) ?? 0) + 1);
  }
  assert.ok(Math.max(...seconds.values()) < 10);
  await fake.poller.close();
});

test("hundreds of servers that hang, all at the same moment, delay nobody that answers", async () => {
  const connections = Array.from({ length: 300 }, (_, i) => connection(`con_${i}`, { kind: "at_once" }));
  const fake = start(connections);
  for (let i = 0; i < 250; i++) fake.servers.set(`con_${i}`, "hangs");
  await fake.clock.advance(10 * MINUTE);
  for (let i = 250; i < 300; i++) {
    const visits = fake.visits.get(`con_${i}`)!;
    const gaps = visits.slice(2).map((at, j) => at - visits[j + 1]!);
    assert.ok(
      visits.length >= 10 && Math.max(...gaps) < 75_000,
      `${visits.length} visits, ${Math.max(...gaps)} ms apart`,
    );
  }
  await fake.poller.close();
});

test("many large files at once are read a few at a time, and no organization takes all places", async () => {
  const connections = Array.from(
    { length: 40 },
    (_, i) => connection(`con_${i}`, { kind: "at_once" }, { organization: i < 30 ? "big" : `org_${i}` }),
  );
  const fake = start(connections);
  for (const { id } of connections) fake.servers.set(id, [{ name: "users.csv", bytes: 100, modifiedAt: 0 }]);
  let now = 0, most = 0, big = 0, mostBig = 0;
  const { handOver } = fake.hub;
  fake.hub.handOver = async (connection, file, signal) => {
    const isBig = connection.organization === "big";
    most = Math.max(most, ++now);
    if (isBig) mostBig = Math.max(mostBig, ++big);
    await fake.clock.sleep(30_000);
    now--;
    if (isBig) big--;
    return await handOver(connection, file, signal);
  };
  await fake.clock.advance(30 * MINUTE);
  assert.equal(fake.hub.taken.length, 40);
  assert.ok(most <= 6 && mostBig <= 2, `${most} at once, ${mostBig} of one organization`);
  await fake.poller.close();
});

test("a file that cannot be taken as it is changes nothing for others", async () => {
  const fake = start([connection("a", { kind: "every", minutes: 60 })]);
  fake.servers.set("a", [
    { name: "old.csv", bytes: 2 * 1024 ** 3, modifiedAt: 0 },
    { name: "users.csv", bytes: 10, modifiedAt: 1000 },
  ]);
  const handed: string[] = [];
  fake.hub.handOver = (_connection, { name }) => {
    handed.push(name);
    fake.servers.set("a", [{ name: "old.csv", bytes: 2 * 1024 ** 3, modifiedAt: 0 }]);
    return Promise.resolve({ drop: "", run: "", repeated: false, keptAs: name, settle: () => Promise.resolve() });
  };
  await fake.clock.advance(2 * MINUTE);
  assert.deepEqual(handed, ["users.csv"]);
  assert.equal(fake.hub.health.get("a")!.code, "too_large");
  const before = fake.minutes("a").length;
  await fake.clock.advance(3 * HOUR);
  assert.equal(fake.minutes("a").length - before, 3);
  await fake.poller.close();
});
