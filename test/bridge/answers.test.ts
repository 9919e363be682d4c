/** Every file that is put at a server gets an answer there: a report, a note why it was not used, or none if every row was. */
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import type { Transport } from "../../src/bridge/contract.ts";
import { Refused } from "../../src/bridge/remote/session.ts";
import { type OutgoingMail, sendDueMails } from "../../src/notify/send-mails.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { decodeId } from "../../src/model/id.ts";
import { runNext } from "../../src/runs/next.ts";
import { type Bridging, bridging, isHeld, until } from "../support/bridging.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";

const HEADER = "employee_id,email,first_name,last_name\n";

let hub: TestHub;
let admin: Ask;
let bridge: Bridging;
let id: string;
let count = 0;

before(async () => {
  hub = Object.assign(await createTestHub({ registry: createRegistry() }), { mailFrom: "muster@example.com" });
  admin = createAsk(hub, await createTestToken(hub));
  bridge = await bridging(hub);
});
after(async () => {
  await bridge.kill();
  hub.close();
});
beforeEach(async () => id = await connect());

async function connect(settings: object = {}, more: object = {}): Promise<string> {
  const json = { connector: "sftp-drop", name: `sftp ${++count}`, settings, ...more };
  const answer = await admin("/v1/connections", { json });
  assert.equal(answer.status, 201, await answer.clone().text());
  const { id } = await answer.json();
  await isHeld(bridge, id);
  return id;
}

/** Takes what is there, carries its runs, and waits until the bridge has answered them. */
async function answered(): Promise<void> {
  await bridge.poller.visit(id);
  await carried();
}

async function carried(): Promise<void> {
  while (await runNext(hub, { signal: new AbortController().signal, owner: "test", rethrow: true }) !== null);
  await until(
    "every file is answered",
    async () => (await hub.db.rows(sql`select id from bridge_files where returned_at is null`)).length === 0,
  );
}

/** Names in `reports`, with the note's text where it is one. */
function reports(folder = "/reports"): string[][] {
  const server = bridge.server(id);
  return server.names(folder).map((name) =>
    name.endsWith(".not-used.txt") ? [name, server.read(`${folder}/${name}`)] : [name]
  );
}

// deno-lint-ignore no-explicit-any
async function runs(): Promise<any[]> {
  return (await (await admin(`/v1/runs?connection=${id}`)).json()).data.reverse();
}

const SUPERSEDED =
  "Nothing of the file was used: a newer file with the same people in it came before this one was used; if " +
  "each file has only what changed, ask your administrator to have all files taken.";

/** Three files of everybody, of three days. */
function dropThree(folder: string): void {
  for (const day of [1, 2, 3]) {
    const rows = `V01,vera@acme.test,Vera,Day${day}\nV02,vic@acme.test,Vic,Novak\n`;
    bridge.server(id).drop(`${folder}/people-2026-03-0${day}.csv`, HEADER + rows, 1_700_000_000_000 + day * 1000);
  }
}

test("of three full files at once the newest is used, and each other one gets a note", async () => {
  dropThree("/incoming");
  await answered();
  assert.deepEqual((await runs()).map(({ status }) => status), ["superseded", "superseded", "succeeded"]);
  const why = `${SUPERSEDED}\r\n`;
  assert.deepEqual(reports(), [["people-2026-03-01.not-used.txt", why], ["people-2026-03-02.not-used.txt", why]]);
});

test("a held file whose run is cancelled gets a note, also where its rows had errors, and none while it waits", async () => {
  const server = bridge.server(id);
  const people = Array.from({ length: 20 }, (_, n) => `C${n},c${n}@acme.test,Cleo,Nr${n}\n`);
  server.drop("/incoming/all.csv", HEADER + people.join(""));
  await answered();
  await admin(`/v1/connections/${id}`, { method: "PATCH", json: { policy: { missing: "deactivate" }, limits: {} } });
  const renamed = people.map((line) => line.replace("Cleo", "Dora").replace("c", "d"));
  server.drop("/incoming/renamed.csv", `${HEADER}${renamed.join("")}C99,nobody@,Eve,Gray\n`);
  await bridge.poller.visit(id);
  while (await runNext(hub, { signal: new AbortController().signal, owner: "test", rethrow: true }) !== null);
  const [, held] = await runs();
  assert.equal(held.status, "held");
  assert.deepEqual(reports(), []);
  await admin(`/v1/runs/${held.id}/cancel`, { method: "POST" });
  await carried();
  assert.deepEqual(reports(), [[
    "renamed.not-used.txt",
    "Nothing of the file was used: its run was cancelled in Muster; ask your administrator before you send it again.\r\n",
  ]]);
});

test("a file of another kind gets a note, and the same bytes as last time none", async () => {
  const server = bridge.server(id);
  const content = `${HEADER}A01,ana2@acme.test,Ana,Novak\n`;
  server.drop("/incoming/again.csv", content);
  server.drop("/incoming/scan.csv", "%PDF-1.7\n1 0 obj\n", 1_700_000_001_000);
  await answered();
  server.drop("/incoming/again.csv", content, 1_700_000_002_000);
  await answered();
  assert.deepEqual((await runs()).map(({ status }) => status), ["succeeded", "failed", "skipped"]);
  const [[name, why], ...others] = reports() as [[string, string]];
  assert.deepEqual([name, others], ["scan.not-used.txt", []]);
  assert.match(why, /^Nothing of the file was used: [^\n]*PDF[^\n]*\.\r\n$/);
});

/** As the file with what comes back for a feed whose customer has registered no key. */
async function asEncrypted(run: string): Promise<void> {
  const runId = decodeId("run", run);
  await hub.db.write([
    hub.db.orm.run(sql`update runs set encrypted = 1 where id = ${runId}`) as never,
    hub.db.orm.run(sql`update bridge_files set returned_at = null where run_id = ${runId}`) as never,
  ]);
}

test("an encrypted file whose report may not lie there gets a note without a word of it", async () => {
  const server = bridge.server(id);
  server.drop("/incoming/secret.csv", `${HEADER}S01,zora@,Zora,Novak\nS02,sal@acme.test,Sal,Novak\n`);
  server.drop(
    "/incoming/secret2.csv",
    "Zora,Novak,zora@acme.test,S01\nSal,Novak,sal@acme.test,S02\n",
    1_700_000_001_000,
  );
  await answered();
  for (const { id } of await runs()) await asEncrypted(id);
  await carried();
  const [first, second] = reports().filter(([name]) => name!.endsWith(".not-used.txt"));
  assert.deepEqual(first, [
    "secret.not-used.txt",
    "1 row of the file was not used: the report comes to your technical contact as a link by mail.\r\n",
  ]);
  assert.equal(second![0], "secret2.not-used.txt");
  assert.doesNotMatch(second![1]!, /zora|novak/i);
});

const HOUR_MS = 3_600_000;

test("a file that stays empty, or has a name that is not taken, gets a note after an hour, once", async () => {
  const server = bridge.server(id);
  server.drop("/incoming/empty.csv", "", hub.clock.ms);
  server.drop("/incoming/half.csv.part", "email", hub.clock.ms);
  await bridge.poller.visit(id);
  assert.deepEqual(reports(), []);
  hub.clock.ms += HOUR_MS;
  await bridge.poller.visit(id);
  await until("the note is there", () => reports().length > 0);
  assert.deepEqual(reports(), [[
    "empty.not-used.txt",
    'Nothing of "empty.csv" was used: it has been empty for an hour; export it again and put it into /incoming.\r\n',
  ]]);
  // Who removes the note gets no other one about the same file.
  server.files.delete("/reports/empty.not-used.txt");
  await bridge.poller.visit(id);
  const { hub: core } = bridge.poller;
  const connection = core.connections().find((each) => each.id === id)!;
  await core.reportListing(connection, [
    { name: "empty.csv", bytes: 0, modifiedAt: hub.clock.ms - HOUR_MS },
    { name: "people.docx", bytes: 9, modifiedAt: hub.clock.ms - HOUR_MS, left: "unmatched" },
  ]);
  await until("the note is there", () => reports().length > 0);
  const [[name, why], ...others] = reports() as [[string, string]];
  assert.deepEqual([name, others], ["people.not-used.txt", []]);
  assert.match(
    why,
    /^Nothing of "people\.docx" was used: only files named like \*\.csv, .* save it as CSV or as a workbook/,
  );
});

const REFUSED = [
  { name: "big.csv", bytes: 1_300_000_000, modifiedAt: 1_700_000_000_000, left: "too_large" },
  { name: "cut.csv", bytes: 9, modifiedAt: 1_700_000_000_000, left: "wrong_digest" },
] as const;

test("a file that is too large, or has another digest than its companion says, gets a note at once", async () => {
  const { hub: core } = bridge.poller;
  await core.reportListing(core.connections().find((each) => each.id === id)!, REFUSED);
  await until("the notes are there", () => reports().length === 2);
  assert.deepEqual(reports(), [
    [
      "big.not-used.txt",
      'Nothing of "big.csv" was used: it has 1.3 GiB, and at most 1 GiB are taken; leave out what is not needed, or ' +
      "ask your administrator how to send it in parts.\r\n",
    ],
    [
      "cut.not-used.txt",
      'Nothing of "cut.csv" was used: its .sha256 file does not have its digest, so a part of it may be missing; send both ' +
      "again.\r\n",
    ],
  ]);
});

test("a file gets no note once another of its name was taken, which has the answer", async () => {
  const server = bridge.server(id);
  const drop = (day: number) =>
    server.drop("/incoming/same.csv", `${HEADER}W01,wim@acme.test,Wim,Day${day}\n`, 1_700_000_000_000 + day * 1000);
  drop(1);
  await bridge.poller.visit(id);
  drop(2);
  await answered();
  assert.deepEqual((await runs()).map(({ status }) => status), ["superseded", "succeeded"]);
  assert.deepEqual(reports(), []);
  server.drop("/incoming/same.csv", "%PDF-1.7\n1 0 obj\n", 1_700_000_009_000);
  await answered();
  assert.deepEqual(reports().map(([name]) => name), ["same.not-used.txt"]);
});

test("at a server that can only be read, the technical contact gets a mail instead, once", async () => {
  id = await connect(
    { mode: "remote", host: "sftp.example.com", username: "muster", after: "leave", folder: "out" },
    { technical_contact: "it@acme.test" },
  );
  const server = bridge.server(id);
  const open = server.transport;
  const transport = (): Transport => ({
    ...open(),
    write: () => Promise.reject(new Refused("Permission denied", "EACCES")),
  });
  Object.assign(server, { transport });
  dropThree("/out");
  server.drop("/out/empty.csv", "", hub.clock.ms - HOUR_MS);
  await answered();
  const { hub: core } = bridge.poller;
  const connection = core.connections().find((each) => each.id === id)!;
  await until("it is queued", sentMails, (mails) => mails.length === 3);
  await core.reportListing(connection, REFUSED);
  const mails = await until("they are queued", sentMails, (mails) => mails.length === 5);
  assert.deepEqual(mails.map(({ to, subject }) => [to, subject.replace(/^.*: /, "")]).sort(), [
    ["it@acme.test", '"big.csv" was not used'],
    ["it@acme.test", '"cut.csv" was not used'],
    ["it@acme.test", '"empty.csv" was not used'],
    ["it@acme.test", '"people-2026-03-01.csv" was not used'],
    ["it@acme.test", '"people-2026-03-02.csv" was not used'],
  ]);
  assert.ok(mails.find(({ subject }) => subject.includes("03-01"))!.text.includes(SUPERSEDED));
  assert.match(mails.find(({ subject }) => subject.includes("empty"))!.text, /it has been empty for an hour/);
  assert.match(
    mails.find(({ subject }) => subject.includes("big"))!.text,
    /it has 1\.3 GiB, and at most 1 GiB are taken; leave out/,
  );
  assert.match(
    mails.find(({ subject }) => subject.includes("cut"))!.text,
    /its \.sha256 file does not have its digest/,
  );
  assert.equal((await (await admin(`/v1/connections/${id}`)).json()).sftp.trouble, null);
  const paths: string[] = [];
  bridge = await bridge.again({
    line: ({ path }, send) => {
      paths.push(path);
      return send();
    },
  });
  await isHeld(bridge, id);
  await bridge.poller.visit(id);
  await until("the hub hears of it again", () => paths.includes(`/v1/bridge/connections/${id}/not-used`));
  assert.equal((await sentMails()).length, 5);
});

const sent: OutgoingMail[] = [];
async function sentMails(): Promise<OutgoingMail[]> {
  const send = (mail: OutgoingMail) => Promise.resolve(void sent.push(mail));
  while (await sendDueMails(hub, send, { name: "test" }) > 0);
  return sent;
}
