import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { createRegistry } from "../../src/runtime/registry.ts";
import { runNext } from "../../src/runs/next.ts";
import { tick } from "../../src/upkeep/tick.ts";
import { type Bridging, bridging, isHeld, until } from "../support/bridging.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { readAll, textRow, workbookOf } from "../support/workbook-parts.ts";

let hub: TestHub;
let admin: Ask;
let bridge: Bridging;

before(async () => {
  hub = await createTestHub({ registry: createRegistry() });
  admin = createAsk(hub, await createTestToken(hub));
  bridge = await bridging(hub, { checked: { ok: true, detail: "It answers", found: { host_key: HOST_KEY } } });
});
after(async () => {
  await bridge.kill();
  hub.close();
});

let count = 0;
let id: string;
beforeEach(async () => id = await connect());

async function connect(settings: object = {}, more: object = {}): Promise<string> {
  const answer = await admin("/v1/connections", {
    json: { connector: "sftp-drop", name: `sftp ${++count}`, settings, ...more },
  });
  assert.equal(answer.status, 201, await answer.clone().text());
  const { id } = await answer.json();
  await isHeld(bridge, id);
  return id;
}

// deno-lint-ignore no-explicit-any
async function runs(): Promise<any[]> {
  const answer = await admin(`/v1/runs?connection=${id}`);
  return (await answer.json()).data.reverse();
}

async function carry(): Promise<void> {
  while (await runNext(hub, { signal: new AbortController().signal, owner: "test", rethrow: true }) !== null);
}

const DAY_MS = 86_400_000;
/** An instant as names of kept files begin with it. */
const stamp = (ms: number) => new Date(ms).toISOString().replace(/[-:]|\.\d+/g, "");
const HOST_KEY = `SHA256:${"b".repeat(43)}`;
const HEADER = "email,first_name,last_name,employee_id\n";
const ANA = "ana@example.com,Ana,Lopez,'001\n";

test("a file that is whole becomes a drop and a run, and lies in .bak afterwards", async () => {
  const server = bridge.server(id);
  server.drop("/incoming/users.csv", HEADER + ANA);
  await bridge.poller.visit(id);
  await carry();
  const [run] = await runs();
  assert.deepEqual([run.status, run.drop.name, run.counts.created], ["succeeded", "users.csv", 1]);
  assert.deepEqual(server.names("/incoming"), []);
  const kept = `${stamp(hub.clock.ms)}-users.csv`;
  assert.deepEqual(server.names("/.bak"), [kept]);
  assert.equal(server.read(`/.bak/${kept}`), HEADER + ANA);
});

test("a large file goes over in parts, byte for byte", async () => {
  const bytes = new Uint8Array(9 * 1024 * 1024 + 17);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 7 + (i >> 13)) & 255;
  bridge.server(id).drop("/incoming/big.csv", bytes);
  await bridge.poller.visit(id);
  const [run] = await runs();
  const content = new Uint8Array(await (await admin(`/v1/drops/${run.drop.id}/content`)).arrayBuffer());
  assert.equal(run.drop.bytes, bytes.length);
  assert.ok(content.length === bytes.length && content.every((byte, i) => byte === bytes[i]));
  await admin(`/v1/runs/${run.id}/cancel`, { method: "POST" });
});

test("a file that is not as long as it was found is not taken, and leaves nothing on the hub", async () => {
  const { hub: core } = bridge.poller;
  const connection = core.connections().find((each) => each.id === id)!;
  const file = {
    folder: "/incoming",
    name: "a.csv",
    bytes: 100,
    modifiedAt: 1,
    open: () => new Blob(["short"]).stream(),
  };
  await assert.rejects(core.handOver(connection, file, new AbortController().signal), (error: Error) => {
    assert.equal((error as unknown as { trouble: { code: string } }).trouble.code, "file_changed");
    return true;
  });
  const breaking = { ...file, bytes: 5, open: () => new ReadableStream({ pull: (c) => c.error(new Error("gone")) }) };
  await assert.rejects(core.handOver(connection, breaking, new AbortController().signal), /gone/);
  assert.deepEqual(await runs(), []);
  const left = await hub.db.rows(sql`select id from drops where sha256 is null`);
  assert.deepEqual(left, []);
});

test("killed between taking a file and moving it, the bridge takes it no second time", async () => {
  const server = bridge.server(id);
  server.drop("/incoming/users.csv", HEADER + "bo@example.com,Bo,Berg,'002\n");
  await bridge.poller.visit(id, { dieAt: "before_move" });
  await carry();
  bridge = await bridge.again();
  await isHeld(bridge, id);
  await bridge.poller.visit(id);
  assert.equal((await runs()).length, 1);
  assert.deepEqual([server.names("/incoming").length, server.names("/.bak").length], [0, 1]);
});

test("killed after the move, the same file dropped again is a drop of its own, and skipped", async () => {
  const server = bridge.server(id);
  const content = HEADER + "cy@example.com,Cy,Dahl,'003\n";
  server.drop("/incoming/users.csv", content);
  await bridge.poller.visit(id, { dieAt: "before_settle" });
  await carry();
  bridge = await bridge.again();
  await isHeld(bridge, id);
  // A look at the folder without it says that it was put away.
  await bridge.poller.visit(id);
  server.drop("/incoming/users.csv", content);
  hub.clock.ms += 60_000;
  await bridge.poller.visit(id);
  await carry();
  assert.deepEqual((await runs()).map(({ status }) => status), ["succeeded", "skipped"]);
  assert.equal((await runs())[1].error.code, "duplicate_input");
});

test("the report comes back to where the file came from", async () => {
  const server = bridge.server(id);
  server.drop("/incoming/users.csv", HEADER + "dot@,Dot,Frey,'004\n" + "eve@example.com,Eve,Gray,'005\n");
  await bridge.poller.visit(id);
  await carry();
  await until("the report is there", () => server.names("/reports").length > 0);
  assert.deepEqual(server.names("/reports"), ["users.failures.csv"]);
  const report = server.read("/reports/users.failures.csv");
  assert.match(report, /email,first_name,last_name,employee_id,_severity,/);
  assert.match(report, /dot@,Dot,Frey,'004,error,email_invalid/);
  assert.doesNotMatch(report, /eve@/);
  // Corrected and dropped where reports are no input and files are.
  await until(
    "the hub knows",
    async () =>
      (await hub.db.rows(sql`select 1 from bridge_files where returned_at is null and run_id =
      (select max(id) from runs)`)).length === 0,
  );
  server.drop("/incoming/users.failures.csv", report.replace("dot@,", "dot@example.com,"));
  await bridge.poller.visit(id);
  await carry();
  assert.deepEqual((await runs()).map(({ status, coverage }) => [status, coverage]), [
    ["partial", "full"],
    ["succeeded", "diff"],
  ]);
});

test("a workbook's report comes back as a workbook, and a file whose rows were all used brings none", async () => {
  const server = bridge.server(id);
  const header = ["email", "first_name", "last_name", "employee_id", "shoe"];
  const sheets = { Staff: textRow(...header) + textRow("gil@", "Gil", "Hahn", "007", "38") };
  server.drop("/incoming/staff.xlsx", new Uint8Array(workbookOf({ sheets })));
  await bridge.poller.visit(id);
  await carry();
  await until("the report is there", () => server.names("/reports").length > 0);
  assert.deepEqual(server.names("/reports"), ["staff.failures.xlsx"]);
  const rows = readAll(server.files.get("/reports/staff.failures.xlsx")!.content, { sheet: "Report" });
  assert.deepEqual(rows[1]!.slice(1, 5), ["gil@", "Gil", "Hahn", "007"]);

  server.drop(
    "/incoming/warned.csv",
    "email,first_name,last_name,employee_id,shoe\nivo@example.com,Ivo,Jost,'009,40\n",
    1_700_000_300_000,
  );
  await bridge.poller.visit(id);
  await carry();
  await until(
    "the hub knows",
    async () => (await hub.db.rows(sql`select 1 from bridge_files where returned_at is null`)).length === 0,
  );
  assert.equal((await runs()).at(-1).status, "succeeded");
  assert.deepEqual(server.names("/reports"), ["staff.failures.xlsx"]);
});

test("a file that cannot be read at all brings a note back that says why", async () => {
  const server = bridge.server(id);
  server.drop("/incoming/names.csv", "first_name,last_name\nAna,Lopez\n");
  await bridge.poller.visit(id);
  await carry();
  await until("the note is there", () => server.names("/reports").length > 0);
  assert.deepEqual(server.names("/reports"), ["names.not-used.txt"]);
  const [run] = await runs();
  assert.equal(server.read("/reports/names.not-used.txt"), `Nothing of the file was used: ${run.error.message}.\r\n`);
  assert.match(run.error.message, /There is no column for "employee_id" or "email"/);
});

test("a run without an issue brings nothing back", async () => {
  const server = bridge.server(id);
  server.drop("/incoming/users.csv", HEADER + "flo@example.com,Flo,Hall,'006\n");
  await bridge.poller.visit(id);
  await carry();
  await until(
    "the hub knows",
    async () => (await hub.db.rows(sql`select 1 from bridge_files where returned_at is null`)).length === 0,
  );
  assert.deepEqual(server.names("/reports"), []);
});

test("a file that could not be decrypted goes to failed, with its report beside it", async () => {
  for (const after of ["move", "delete"]) {
    id = await connect({ after });
    const server = bridge.server(id);
    server.drop("/incoming/users.csv", HEADER + `gus${after}@,Gus,Ives,'007\n`);
    await bridge.poller.visit(id);
    await carry();
    await hub.db.write([
      hub.db.orm.run(
        sql`update bridge_files set returned_at = null where run_id = (select max(id) from runs)`,
      ) as never,
      hub.db.orm.run(
        sql`update runs set status = 'failed', error = '{"code":"decryption_failed","message":"No key opens it"}'
        where id = (select max(id) from runs)`,
      ) as never,
    ]);
    await until("it is in failed", () => server.names("/failed").length > 0);
    assert.match(server.names("/failed")[0]!, /^\d{8}T\d{6}Z-users\.csv$/);
    assert.match(server.read(`/failed/${server.names("/failed")[0]}`), /Gus,Ives/);
    assert.deepEqual(server.names("/.bak"), []);
  }
});

test("where files are left, each is taken once, distinguished by name, size and time, and in the end by its digest", async () => {
  id = await connect({ mode: "remote", host: "sftp.example.com", username: "muster", after: "leave", folder: "out" });
  const server = bridge.server(id);
  server.drop("/out/users.csv", HEADER + "ian@example.com,Ian,Jung,'008\n");
  await bridge.poller.visit(id);
  await bridge.poller.visit(id);
  assert.equal((await runs()).length, 1);
  // Touched: the same bytes under a new time.
  server.drop("/out/users.csv", HEADER + "ian@example.com,Ian,Jung,'008\n", 1_700_000_060_000);
  await bridge.poller.visit(id);
  await bridge.poller.visit(id);
  assert.equal((await runs()).length, 1);
  server.drop("/out/users.csv", HEADER + "ian@example.com,Ian,Kane,'008\n", 1_700_000_120_000);
  await bridge.poller.visit(id);
  assert.equal((await runs()).length, 2);
  assert.deepEqual([...server.files.keys()], ["/out/users.csv"]);
  await carry();
});

test("what is kept in .bak, reports and failed goes after 30 days, and what others put there stays", async () => {
  const server = bridge.server(id);
  const [old, young] = [60, 1].map((days) => stamp(hub.clock.ms - days * DAY_MS));
  server.drop(`/.bak/${old}-old.csv`, "x");
  server.drop(`/.bak/${young}-new.csv`, "x");
  server.drop("/.bak/notes.txt", "x");
  server.drop(`/failed/${old}-old.csv.pgp`, "x");
  server.drop("/reports/old.failures.csv", "x", hub.clock.ms - 31 * DAY_MS);
  server.drop("/reports/old.failures.xlsx", "x", hub.clock.ms - 31 * DAY_MS);
  server.drop("/reports/new.failures.csv", "x", hub.clock.ms);
  hub.clock.ms += 3_600_000;
  await until("the old ones are gone", () => server.names("/reports").length === 1);
  assert.deepEqual(server.names("/.bak"), [`${young}-new.csv`, "notes.txt"]);
  assert.deepEqual([server.names("/failed"), server.names("/reports")], [[], ["new.failures.csv"]]);
});

test("an upload that was never finished and an empty file are reported to the admin after an hour", async () => {
  const server = bridge.server(id);
  const early = hub.clock.ms - 2 * 3_600_000;
  server.drop("/incoming/users.csv.filepart", "half", early);
  server.drop("/incoming/.hidden.csv", "x", hub.clock.ms);
  server.drop("/incoming/empty.csv", "", early + 1);
  await bridge.poller.visit(id);
  // deno-lint-ignore no-explicit-any
  const view = async (): Promise<any> => (await (await admin(`/v1/connections/${id}`)).json()).sftp;
  const shown = await until("it is shown", view, (sftp) => sftp.lying.length > 0);
  assert.deepEqual(shown.lying.map(({ name, why }: { name: string; why: string }) => [name, why]), [
    ["users.csv.filepart", "temporary"],
    ["empty.csv", "empty"],
  ]);
  assert.equal(shown.lying[0].since, new Date(early).toISOString());
  server.files.clear();
  await bridge.poller.visit(id);
  await until("it is no longer shown", view, (sftp) => sftp.lying.length === 0);
  assert.deepEqual(await runs(), []);
});

test("trouble is shown on the connection until the next visit that goes well", async () => {
  const { hub: core } = bridge.poller;
  const connection = core.connections().find((each) => each.id === id)!;
  core.reportHealth(connection, { code: "unreachable", message: "The server does not answer" });
  // deno-lint-ignore no-explicit-any
  const view = async (): Promise<any> => (await (await admin(`/v1/connections/${id}`)).json()).sftp;
  const shown = await until("it is shown", view, (sftp) => sftp.trouble !== null);
  assert.deepEqual(shown.trouble, { code: "unreachable", message: "The server does not answer" });
  assert.equal(shown.bridge.name, "test bridge");
  await bridge.poller.visit(id);
  await until("it is over", view, (sftp) => sftp.trouble === null);
});

test("tick forgets what was put away long ago, but the youngest of each name", async () => {
  const server = bridge.server(id);
  for (const name of ["a", "b"]) {
    server.drop("/incoming/users.csv", HEADER + `${name}${count}@example.com,A,B,'${name}${count}\n`);
    await bridge.poller.visit(id);
    await carry();
  }
  hub.clock.ms += 31 * DAY_MS;
  await tick(hub);
  const mine = await hub.db.rows(sql`select id from bridge_files where connection_id =
    (select id from connections order by id desc limit 1)`);
  assert.equal(mine.length, 1);
});

test("a check of a remote server goes through the bridge, and shows the key that an admin is to confirm", async () => {
  const settings = { mode: "remote", host: "sftp.example.com", username: "muster" };
  id = await connect(settings);
  const answer = await admin(`/v1/connections/${id}/check`, { method: "POST" });
  assert.equal(answer.status, 200);
  const { ok, found } = await answer.json();
  assert.deepEqual([ok, bridge.poller.checks.at(-1)], [true, id]);
  // The admin compares it, and confirms it in the settings.
  const confirmed = await admin(`/v1/connections/${id}`, {
    method: "PATCH",
    json: { settings: { ...settings, host_key: found.host_key } },
  });
  assert.equal(confirmed.status, 200, await confirmed.clone().text());
  const { hub: core } = bridge.poller;
  await until(
    "the bridge knows it",
    () => core.connections().find((each) => each.id === id)?.settings.remote?.hostKey === found.host_key,
  );
});

test("a check of a hosted connection says where files are dropped, or why they are not taken", async () => {
  const check = async () => await (await admin(`/v1/connections/${id}/check`, { method: "POST" })).json();
  const good = await check();
  assert.deepEqual([good.ok, good.found.host, good.code], [true, "sftp.example.com", null]);
  await bridge.kill();
  hub.clock.ms += 61_000;
  const bad = await check();
  assert.deepEqual([bad.ok, bad.code], [false, "bridge_silent"]);
  bridge = await bridging(hub);
});
