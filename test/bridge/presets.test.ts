/**
 * The vendors' ways, each from the first connection to the failure report: Muster's own SFTP server with a client of the
 * customer's, and a mail server for the technical contact.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createHostedServer } from "../../src/bridge/hosted/server.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { createSmtpTransport } from "../../src/runtime/smtp.ts";
import { sendDueMails } from "../../src/notify/send-mails.ts";
import { runNext } from "../../src/runs/next.ts";
import { type Bridging, bridging, isHeld, until } from "../support/bridging.ts";
import { connect, done } from "../support/hosted.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { type MailServer, type Received, startMailServer } from "../support/mail-server.ts";

const MINUTE_MS = 60_000, DAY_MS = 86_400_000;
/** How far the bridge's clock is ahead of the machine's. */
let ahead = 0;

let hub: TestHub;
let operator: Ask;
let bridge: Bridging;
let mail: MailServer;
let transport: ReturnType<typeof createSmtpTransport>;
const clients: { end(): void }[] = [];

before(async () => {
  hub = Object.assign(await createTestHub({ registry: createRegistry(), now: Date.now() }), {
    mailFrom: "Muster <muster@example.com>",
  });
  operator = createAsk(hub, await createTestToken(hub, { scopes: ["admin", "operator"] }));
  bridge = await bridging(hub, {
    createHostedServer: (options) => createHostedServer(options, { limits: { settleMs: 50 } }),
    now: () => Date.now() + ahead,
  });
  mail = await startMailServer();
  transport = createSmtpTransport(`smtp://127.0.0.1:${mail.port}`);
});
after(async () => {
  for (const client of clients) client.end();
  await bridge.kill();
  transport.close();
  await mail.close();
  hub.close();
});

// deno-lint-ignore no-explicit-any
type Json = any;

/** A customer of the vendor: an organization with one connection, and how HR reaches it. */
interface Customer {
  readonly ask: Ask;
  readonly connection: string;
  /** What the customer got: user, secret, address and fingerprint. */
  readonly login: Json;
  /** Uploads as HR does, into the folder that the vendor names. */
  drop(folder: string, name: string, content: string): Promise<void>;
  get(path: string): Promise<string>;
  names(folder: string): Promise<string[]>;
  /** Carries what waits once `count` runs are there in all, and gives them, the oldest first. */
  carry(count: number): Promise<Json[]>;
  people(): Promise<Json[]>;
}

async function customer(slug: string, preset: string, method: "password" | "key_pair"): Promise<Customer> {
  const made = await operator("/v1/organizations", {
    json: { slug, name: slug, timezone: "America/Los_Angeles", technical_contact: `it@${slug}.test` },
  });
  assert.equal(made.status, 201);
  const ask = createAsk(hub, await createTestToken(hub, { organization: slug }));
  const connected = await ask("/v1/connections", { json: { connector: "sftp-drop", name: "HR file", preset } });
  const { id: connection } = await connected.json();
  await isHeld(bridge, connection);
  const login = await (await ask(`/v1/connections/${connection}/sftp-login`, { json: { method } })).json();
  const { client, sftp } = await connect(
    { port: bridge.bridge.hosted!.port },
    login.username,
    method === "password" ? { password: login.password } : { password: undefined, privateKey: login.private_key },
  );
  clients.push(client);
  return {
    ask,
    connection,
    login,
    drop: (folder, name, content) =>
      done((callback) => sftp.writeFile(`${folder === "/" ? "" : folder}/${name}`, content, {}, callback)),
    get: async (path) => String(await done((callback) => sftp.readFile(path, {}, callback))),
    names: async (folder) =>
      (await done<{ filename: string }[]>((callback) => sftp.readdir(folder, callback)))
        .map(({ filename }) => filename).filter((name) => name !== "." && name !== ".."),
    async carry(count) {
      const runs = async () => (await (await ask(`/v1/runs?connection=${connection}`)).json()).data;
      await until(`${count} files are taken`, runs, (list) => list.length >= count, 20_000);
      while (await runNext(hub, { signal: new AbortController().signal, owner: "test", rethrow: true }) !== null);
      const all = (await runs()).reverse();
      assert.equal(all.length, count);
      return all;
    },
    people: async () => (await (await ask("/v1/users?limit=200")).json()).data,
  };
}

/** What the technical contact has got since. */
async function mailsTo(slug: string): Promise<Received[]> {
  while (await sendDueMails(hub, transport.send, { name: "test" }) > 0);
  return mail.received.filter(({ to }) => to.includes(`it@${slug}.test`));
}

async function reportAt(who: Customer, name: string): Promise<string> {
  await until("the report is there", () => who.names("/reports"), (names) => names.includes(name), 20_000);
  return await who.get(`/reports/${name}`);
}

test("Betterworks: everybody each day into /incoming, people left out are left alone, departments beside them", async () => {
  const who = await customer("bw", "betterworks", "password");
  assert.match(who.login.server.host_key, /^SHA256:/);
  assert.deepEqual(await who.names("/"), ["incoming"]);
  const header = "email,first_name,last_name,employee_id,manager_id,department_name,title,deactivation_date,t_shirt";
  await who.drop(
    "/incoming",
    "users-2026-03-02.csv",
    [
      header,
      "ana@bw.test,Ana,Lopez,'000123,,Sales,CEO,,M",
      "tom@bw.test,Tom,Marsh,'000124,'000123,Sales,Rep,,L",
      "dot@,Dot,Frey,'000125,'000123,Sales,Rep,,S",
      "",
    ].join("\n"),
  );
  // The file of departments is recognized by its columns.
  await who.drop("/incoming", "departments.csv", "name,parent\nCompany,\nSales,Company\n");
  const runs = await who.carry(2);
  assert.deepEqual(runs.map(({ entity, status }: Json) => [entity, status]).sort(), [
    ["departments", "succeeded"],
    ["users", "partial"],
  ]);
  const users = runs.find(({ entity }: Json) => entity === "users");
  const people = await who.people();
  assert.deepEqual(people.map(({ employee_id }: Json) => employee_id).sort(), ["000123", "000124"]);
  assert.deepEqual((await (await who.ask("/v1/departments")).json()).data.map(({ name }: Json) => name).sort(), [
    "Company",
    "Sales",
  ]);
  // An unknown column is not processed, and reported.
  const { data: issues } = await (await who.ask(`/v1/runs/${users.id}/issues`)).json();
  assert.ok(issues.some(({ code, value }: Json) => code === "header_unknown" && value === "t_shirt"));
  const [letter, ...others] = await mailsTo("bw");
  assert.equal(others.length, 0);
  assert.deepEqual(letter!.mail.attachments.map(({ filename }) => filename), ["users-2026-03-02.failures.csv"]);
  const report = await reportAt(who, "users-2026-03-02.failures.csv");
  assert.equal(letter!.mail.attachments[0]!.content.toString("utf8"), report);
  assert.match(report, /dot@,Dot,Frey,'000125/);
  // Corrected and dropped as it is; the next day's file leaves Ana out, which changes nothing for her.
  await who.drop("/incoming", "users-2026-03-02.failures.csv", report.replace("dot@,", "dot@bw.test,"));
  assert.equal((await who.carry(3))[2].status, "succeeded");
  await who.drop(
    "/incoming",
    "users-2026-03-03.csv",
    `${header}\ntom@bw.test,Tom,Marsh,'000124,'000123,Sales,Lead,,L\n` +
      "dot@bw.test,Dot,Frey,'000125,'000123,Sales,Rep,2026-03-02,S\n",
  );
  const [, , , last] = await who.carry(4);
  assert.deepEqual([last.status, last.counts.updated, last.counts.deactivated], ["succeeded", 1, 1]);
  const status = (await who.people()).map(({ email, status }: Json) => [email, status]);
  assert.deepEqual(status.sort(), [["ana@bw.test", "active"], ["dot@bw.test", "inactive"], ["tom@bw.test", "active"]]);
  await until("all is put away", () => who.names("/.bak"), (names) => names.length === 4);
  assert.deepEqual(await who.names("/incoming"), []);
});

test("three files of everybody at once: the newest is used, and the other two are answered beside them", async () => {
  const who = await customer("three", "betterworks", "password");
  for (const day of ["01", "02", "03"]) {
    const rows = `V01,vera@three.test,Vera,Day${day}\nV02,vic@three.test,Vic,Novak\n`;
    await who.drop("/incoming", `people-2026-03-${day}.csv`, `employee_id,email,first_name,last_name\n${rows}`);
  }
  const runs = await who.carry(3);
  assert.deepEqual(runs.map(({ status }: Json) => status).sort(), ["succeeded", "superseded", "superseded"]);
  for (const { drop } of runs.filter(({ status }: Json) => status === "superseded")) {
    const note = await reportAt(who, drop.name.replace(".csv", ".not-used.txt"));
    assert.match(note, /^Nothing of the file was used: a newer file with the same people in it came [^\n]*\.\r\n$/);
  }
  assert.equal((await who.names("/reports")).length, 2);
});

test("Connecteam: changes alone into Uploads, by private key, taken at the hour; people are archived", async () => {
  const who = await customer("ct", "connecteam", "key_pair");
  const header = "First Name,Last Name,Mobile Phone,Email,Archive";
  // Tried first by a manual upload, which only plans.
  const tried = await who.ask(`/v1/connections/${who.connection}/drops?name=try.csv&mode=plan`, {
    body: `${header}\nAna,Lopez,+1 555 0100,ana@ct.test,\n`,
    headers: { "content-type": "text/csv" },
  });
  assert.equal((await tried.json()).run.coverage, "diff");
  assert.equal((await who.carry(1))[0].status, "planned");
  // Taken at six in Los Angeles, and not before.
  await who.drop(
    "/Uploads",
    "monday.csv",
    `${header}\nAna,Lopez,+1 555 0100,ana@ct.test,\nTom,Marsh,,tom@ct.test,\n`,
  );
  await who.drop("/Uploads", "tuesday.csv", `${header}\nEve,Gray,+1 555 0102,eve@ct.test,\n`);
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.deepEqual((await who.names("/Uploads")).sort(), ["monday.csv", "tuesday.csv"]);
  ahead += DAY_MS;
  await who.drop("/Uploads", "look.tmp", "x");
  // Two diffs in one day: both count, the older one first.
  const runs = await who.carry(3);
  assert.deepEqual(runs.slice(1).map(({ drop, status }: Json) => [drop.name, status]), [
    ["monday.csv", "partial"],
    ["tuesday.csv", "succeeded"],
  ]);
  assert.deepEqual((await who.people()).map(({ first_name }: Json) => first_name).sort(), ["Ana", "Eve"]);
  const report = await reportAt(who, "monday.failures.csv");
  assert.match(report, /Tom,Marsh,,tom@ct\.test/);
  const [letter, ...others] = await mailsTo("ct");
  assert.equal(others.length, 0);
  assert.equal(letter!.mail.attachments[0]!.content.toString("utf8"), report);
  // Ana is archived; her empty email says nothing.
  await who.drop("/Uploads", "leavers.csv", `${header}\nAna,Lopez,+1 555 0100,,yes\n`);
  const [, , , last] = await who.carry(4);
  assert.deepEqual([last.counts.deactivated, last.counts.missing], [1, 0]);
  const ana = (await who.people()).find(({ first_name }: Json) => first_name === "Ana");
  assert.deepEqual([ana.status, ana.email], ["inactive", "ana@ct.test"]);
});

test("OPS-COM: into the root every five minutes, any of the accepted headers, .bak made when it is missing", async () => {
  const who = await customer("ops", "ops-com", "password");
  // American spellings for what the organization calls otherwise; the account's folder is the root itself.
  const header = "unique_id,login_source,first_name,last_name,user_name,email,street,state,zip,phone_cell";
  await who.drop(
    "/",
    "export.csv",
    [
      header,
      "U1,OPSCOM,Ana,Lopez,alopez,ana@ops.test,1 Main St,MA,02110,+1 555 0100",
      "U2,OPSCOM,,Berg,,,,,,",
      "U4,OPSCOM,,,,,,,,",
      ",OPSCOM,Tom,Marsh,tmarsh,tom@ops.test,2 Main St,MA,02110,+1 555 0101",
      "",
    ].join("\n"),
  );
  const [run] = await who.carry(1);
  assert.deepEqual([run.status, run.counts.created, run.counts.failed], ["partial", 2, 2]);
  const ana = (await who.people()).find(({ email }: Json) => email === "ana@ops.test");
  assert.deepEqual([ana.username, ana.mobile_phone, ana.custom], [
    "alopez",
    "+1 555 0100",
    { login_source: "OPSCOM", street: "1 Main St", province: "MA", postal_code: "02110" },
  ]);
  assert.equal(ana.sources[0].source_key, "U1");
  // Every column has its field, though nobody has made any by hand.
  const { data: issues } = await (await who.ask(`/v1/runs/${run.id}/issues`)).json();
  assert.deepEqual(issues.map(({ code, field }: Json) => [code, field]), [
    ["required_field_missing", "first_name"],
    ["required_field_missing", "source_id"],
  ]);
  const report = await reportAt(who, "export.failures.csv");
  assert.match(report, /OPSCOM,Tom,Marsh/);
  const [letter, ...others] = await mailsTo("ops");
  assert.equal(others.length, 0);
  assert.equal(letter!.mail.attachments[0]!.content.toString("utf8"), report);
  const kept = await who.names("/.bak");
  assert.ok(kept.length === 1 && /^\d{8}T\d{6}Z-export\.csv$/.test(kept[0]!), kept.join());
  // Corrected and dropped again: it waits until five minutes have passed.
  await who.drop(
    "/",
    "corrected.csv",
    report.replace(/\n,OPSCOM/, "\nU3,OPSCOM").replace("U4,OPSCOM,", "U4,OPSCOM,Eve"),
  );
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.ok((await who.names("/")).includes("corrected.csv"));
  ahead += 5 * MINUTE_MS;
  await who.drop("/", "look.tmp", "x");
  const [, corrected] = await who.carry(2);
  assert.deepEqual([corrected.status, corrected.coverage, corrected.counts.created], ["succeeded", "diff", 2]);
  assert.equal((await who.people()).length, 4);
});
