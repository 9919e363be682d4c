/**
 * A bridge that is a process of its own, with a data directory of its own, and is killed: before a person is erased, and
 * while it follows. Started again it ends as if it had run once, and then no file of either holds a word of the person.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, utimesSync, watch, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isServed, startApart } from "../support/apart.ts";
import { until } from "../support/bridging.ts";
import { createWords, csv, EMAIL, held, put, read } from "../support/erased.ts";
import { connect } from "../support/hosted.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";
import { within } from "../support/within.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

/** So many that a kill comes between them. */
const COPIES = 300;
const FIRST_GONE = "first copy gone", AT_LATEST = "erased asked", CONFIRMED = "erased answered";
/** What the bridge is killed at while it follows, once in each life; behind the last the hub knows that it is done. */
const KILLED_AT = ["settle answered", "connections told", FIRST_GONE, AT_LATEST, CONFIRMED];
const COMES_WITHIN_MS = 30_000;

const skip = "Deno" in globalThis ? onlyInCheckOnDeno : "processes are killed on Deno, and not again on Node";

test("a bridge that was killed before an erasure, and again and again while it follows, ends clean and says so", {
  skip,
  timeout: 120_000,
}, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "muster-erased-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const { all, word, row } = createWords();
  const data = join(dir, "hub"), sftpDir = join(dir, "bridge", "sftp");
  let awaited: { at: string; struck: () => void } | null = null;
  const { hub, bridge, ask, sftpPort } = await startApart(t, {
    dataDir: data,
    sftpDir,
    bridgeEnv: { MUSTER_DATA_DIR: join(dir, "bridge") },
    passes: (step, moment) => happens(`${step} ${moment}`),
  });
  /** Kills the bridge if that is what is awaited; true: it does, and the line breaks as well. */
  function happens(at: string): boolean {
    // What is seen on the disk may be seen late.
    const isLate = awaited?.at === FIRST_GONE && at === AT_LATEST;
    if (awaited === null || (awaited.at !== at && !isLate)) return false;
    const { struck } = awaited;
    awaited = null;
    bridge.strike();
    struck();
    return true;
  }
  /** Resolves once the bridge is killed at that. */
  function killedAt(at: string): Promise<void> {
    const killed = new Promise<void>((struck) => awaited = { at, struck });
    return within(COMES_WITHIN_MS, killed, () => new Error(`It did not come to ${at}`));
  }

  const common = { connector: "sftp-drop", policy: { coverage: "diff" }, settings: { patterns: ["*.csv"] } };
  await ask("/v1/connections", { ...common, name: "hr", slug: "hr" });
  const login = await ask("/v1/connections/hr/sftp-login", { method: "password" });
  const connection = await isServed(ask, "hr");
  const tree = join(sftpDir, connection);
  const { client, sftp } = await connect({ port: sftpPort }, login.username, { password: login.password });
  client.on("error", () => {});
  const names = (folder: string) => readdirSync(join(tree, folder));
  const copy = (i: number) => `20260301T000000Z-${i}-${word()}.csv`;

  // Taken, with a report; never taken, for its name; half of one; and one that the hub has, and the bridge has yet to put away.
  await put(sftp, `${word()}.csv`, csv(row({ day: word() })));
  await until("the report is there", () => names("reports"), (list) => list.length > 0, 30_000);
  const [notes, half, limbo] = [`${word()}.notes`, `${word()}.csv`, `${word()}.csv`];
  await put(sftp, notes, csv(row()));
  await put(sftp, half, csv(row()), false);
  const killed = killedAt("seal answered");
  await put(sftp, limbo, csv(row()));
  await killed;
  // It looks as if it died while it wrote a report, too; and the other two have not been touched for a while.
  writeFileSync(join(tree, "making", crypto.randomUUID()), csv(row()));
  const old = new Date(Date.now() - 3_600_000);
  for (const name of [notes, half]) utimesSync(join(tree, "drops", name), old, old);
  const hasEnded = ({ data }: Json) => data.length === 2 && data.every((run: Json) => run.finished_at !== null);
  await until("its run has ended", () => ask("/v1/runs"), hasEnded, 30_000);
  const there = held(read(dir), all);
  assert.deepEqual(all.filter((each) => !there.some((line) => line.endsWith(each))), []);

  const { data: [{ id }] } = await ask(`/v1/users?email=${EMAIL}`);
  const { erasure } = await ask(`/v1/users/${id}/erase`, {});
  const [files] = erasure.pending;
  assert.deepEqual([files.what, files.connection_id], ["sftp_files", connection]);
  assert.match(files.detail, /^The bridge ".+", last seen at .+Z, has yet to delete its copies/);
  const look = async () => {
    const { pending, left, completed_at } = await ask(`/v1/users/${id}/erasure`);
    return { pending: pending.map(({ what }: Json) => what), left: left.map(({ what }: Json) => what), completed_at };
  };
  // By now all else is done, and what is not is still reported.
  await until("all else is done", look, ({ pending }) => pending.join() === "sftp_files", 30_000);
  assert.equal((await look()).completed_at, null);
  assert.ok(held(read(join(dir, "bridge")), all).length > 0);
  const known = held(read(data), all).map((line) => line.replace(/^.*: /, ""));
  assert.deepEqual([...new Set(known)], [limbo.slice(0, -4)], "the name of what is yet to be put away, and no more");

  let before = 0;
  const watcher = watch(join(tree, "bak"), () => void (names("bak").length < before && happens(FIRST_GONE)));
  t.after(() => watcher.close());
  for (const at of KILLED_AT) {
    for (let i = 0; i < COPIES; i++) writeFileSync(join(tree, "bak", copy(i)), EMAIL);
    before = names("bak").length;
    // The kill may come before it reports that it works.
    const [killed] = await Promise.allSettled([killedAt(at), bridge.again()]);
    if (killed.status === "rejected") throw killed.reason;
    assert.equal((await look()).pending.includes("sftp_files"), at !== CONFIRMED, at);
  }
  await bridge.again();
  await until("it says that it is done", look, ({ completed_at }) => completed_at !== null, 30_000);
  assert.deepEqual((await look()).left, ["backups", "sent"]);
  assert.deepEqual([names("bak"), names("drops"), names("reports"), names("making")], [[], [], [], []]);
  await bridge.stop();
  await hub.stop();
  assert.deepEqual(held(read(dir), all), []);
  assert.deepEqual(held(new Map([["hub", hub.said()], ["bridge", bridge.said()]]), all), []);
});
