/** How members get into the console: by an invitation, by a link to their address, and no longer than they are members. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "drizzle-orm";
import { createApp } from "../../src/http/app.ts";
import { sendDueMails } from "../../src/notify/send-mails.ts";
import { createSmtpTransport } from "../../src/runtime/smtp.ts";
import { createRates } from "../../src/security/rates.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { forgetMails } from "../../src/store/notify/mails.ts";
import { createVisitor, signIn, signInMember, type Visited, type Visitor } from "../support/console.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { csv, HEADER, importing } from "../support/imports.ts";
import { type Received, startMailServer } from "../support/mail-server.ts";

const MINUTE = 60_000, DAY = 24 * 60 * MINUTE;
const LINK = /http:\/\/hub\.example\.com(\/sign-in\/[0-9a-f]{64})/g;

interface Scene {
  readonly hub: TestHub;
  readonly admin: Ask;
  /** Sends what is due, and gives what arrived. */
  post(): Promise<readonly Received[]>;
  /** Refuses mails from now on, or takes them again. */
  refuse(isRefusing: boolean): void;
}

async function mailing(work: (scene: Scene) => Promise<void>): Promise<void> {
  const server = await startMailServer();
  const transport = createSmtpTransport(`smtp://127.0.0.1:${server.port}`);
  const hub = Object.assign(await createTestHub(), { mailFrom: "Muster <muster@example.com>" });
  try {
    await work({
      hub,
      admin: createAsk(hub, await createTestToken(hub)),
      async post() {
        const before = server.received.length;
        while (await sendDueMails(hub, transport.send, { name: "test" }) > 0);
        return server.received.slice(before);
      },
      refuse: (isRefusing) => void (server.refusal = isRefusing ? { code: 451, text: "later" } : null),
    });
  } finally {
    transport.close();
    await server.close();
    hub.close();
  }
}

async function invite(admin: Ask, email: string, role = "viewer", headers = {}): Promise<string> {
  const answer = await admin("/v1/members", { json: { email, role }, headers });
  assert.equal(answer.status, 201, await answer.clone().text());
  const { id, link, not_mailed } = await answer.json();
  assert.deepEqual([link, not_mailed], [null, null], "a link that is mailed is shown to nobody else");
  return id;
}

/** Paths of the links that sign in. */
const linksIn = ({ mail }: Received) => [...mail.text!.matchAll(LINK)].map(([, path]) => path!);

/** Opens a link and presses its button. */
async function follow(visitor: Visitor, path: string): Promise<Visited> {
  const page = await visitor.open(path);
  return page.status === 200 ? await visitor.send(page, path) : page;
}

async function askForLink(hub: TestHub, email: string): Promise<Visited> {
  const visitor = createVisitor(hub);
  return await visitor.send(await visitor.open("/sign-in"), "/sign-in-link", { email });
}

test("an invitation comes by mail, in the organization's words, and its link signs in once", () =>
  mailing(async ({ hub, admin, post }) => {
    await admin("/v1/organization", {
      method: "PATCH",
      json: { name: "Acme & Söhne", reply_to: "help@example.com", timezone: "Europe/Berlin" },
    });
    await invite(admin, "Ana@acme.test", "approver");
    const [received, ...others] = await post();
    assert.equal(others.length, 0);
    const { mail, to } = received!;
    assert.deepEqual(to, ["ana@acme.test"]);
    assert.equal(mail.subject, "Acme & Söhne: you are invited to Muster");
    assert.equal([mail.replyTo].flat()[0]!.text, "help@example.com");
    for (const text of [mail.text!, mail.html as string]) {
      assert.match(text, /As approver you can see everything, upload files, and approve/);
      assert.match(text, /once, until 9 March 2026 at 09:00 \(Europe\/Berlin\)/);
      assert.doesNotMatch(text, /technical contact/);
    }
    const [path, ...more] = linksIn(received!);
    assert.equal(more.length, 0);
    const visitor = createVisitor(hub);
    const home = await follow(visitor, path!);
    assert.deepEqual([home.path, home.status], ["/o/default", 200]);
    assert.match((await visitor.open("/o/default/account")).text, /ana@acme\.test, approver/);
    const again = await follow(createVisitor(hub), path!);
    assert.equal(again.status, 401);
    assert.match(again.text, /no longer works/);
    const { data: [member] } = await (await admin("/v1/members")).json();
    assert.equal(Date.parse(member.last_sign_in_at), hub.clock.ms);
    const { data: [session] } = await (await admin("/v1/sessions")).json();
    assert.deepEqual([session.token, session.member], [null, { id: member.id, email: "ana@acme.test", name: null }]);
  }));

test("opening a link does not use it up, as scanners of mails open links", () =>
  mailing(async ({ hub, admin, post }) => {
    await invite(admin, "ana@acme.test");
    const [path] = linksIn((await post())[0]!);
    const scanner = createVisitor(hub);
    await scanner.ask(path!, { method: "HEAD" });
    for (let i = 0; i < 3; i++) assert.match((await scanner.open(path!)).text, /<button[^>]*>Sign in/);
    assert.equal(scanner.cookie, "");
    assert.equal((await follow(createVisitor(hub), path!)).path, "/o/default");
  }));

test("a second invitation takes the place of the first, and both end after seven days or with the member", () =>
  mailing(async ({ hub, admin, post }) => {
    const id = await invite(admin, "ana@acme.test");
    const [first] = linksIn((await post())[0]!);
    const again = () => admin(`/v1/members/${id}/invite`, { method: "POST" });
    assert.equal((await again()).status, 200);
    assert.equal((await follow(createVisitor(hub), first!)).status, 401);
    await again();
    const mails = await post();
    assert.equal(mails.length, 1, "of two that wait, only the last one is sent");
    const [last] = linksIn(mails[0]!);
    hub.clock.ms += 7 * DAY - MINUTE;
    assert.equal((await createVisitor(hub).open(last!)).status, 200);
    hub.clock.ms += MINUTE;
    assert.equal((await follow(createVisitor(hub), last!)).status, 401, "expired");
    await again();
    const [removed] = linksIn((await post())[0]!);
    await again();
    assert.equal((await admin(`/v1/members/${id}`, { method: "DELETE" })).status, 204);
    assert.equal((await follow(createVisitor(hub), removed!)).status, 401);
    assert.equal((await post()).length, 0, "nor is the invitation of somebody sent who was removed");
  }));

test("a member has a link mailed to their address, which works once and for fifteen minutes", () =>
  mailing(async ({ hub, admin, post }) => {
    await invite(admin, "ana@acme.test");
    await post();
    const asked = await askForLink(hub, " ANA@acme.test ");
    assert.match(asked.text, /Look into your mailbox/);
    const [received] = await post();
    assert.deepEqual(received!.to, ["ana@acme.test"]);
    assert.equal(received!.mail.subject, "Default: your link to sign in");
    assert.match(received!.mail.text!, /once, within 15 minutes/);
    const [path] = linksIn(received!);
    assert.equal((await follow(createVisitor(hub), path!)).path, "/o/default");
    assert.equal((await follow(createVisitor(hub), path!)).status, 401, "used");
    await askForLink(hub, "ana@acme.test");
    const [late] = linksIn((await post())[0]!);
    hub.clock.ms += 15 * MINUTE;
    assert.equal((await follow(createVisitor(hub), late!)).status, 401, "expired");
  }));

test("who has used one link cannot be followed by somebody with another one of theirs", () =>
  mailing(async ({ hub, admin, post }) => {
    await invite(admin, "ana@acme.test");
    const [invitation] = linksIn((await post())[0]!);
    await askForLink(hub, "ana@acme.test");
    const [path] = linksIn((await post())[0]!);
    assert.equal((await follow(createVisitor(hub), path!)).status, 200);
    assert.equal((await follow(createVisitor(hub), invitation!)).status, 401);
  }));

test("an address that nobody has gets the same answer and no mail, and is not kept", () =>
  mailing(async ({ hub, admin, post }) => {
    await invite(admin, "ana@acme.test");
    await post();
    const known = await askForLink(hub, "ana@acme.test"), unknown = await askForLink(hub, "tom@acme.test");
    assert.deepEqual([unknown.status, unknown.path, unknown.text], [known.status, known.path, known.text]);
    const rows = () =>
      hub.db.rows<[string, string]>(sql`select status, facts from mails where type = 'member.sign_in' order by id`);
    assert.deepEqual((await rows()).map(([status]) => status), ["queued", "queued"], "the same is written for both");
    assert.deepEqual((await post()).flatMap(({ to }) => to), ["ana@acme.test"]);
    await hub.db.write([forgetMails(hub.db, 0)]);
    assert.deepEqual(await rows(), []);
    const listed = await (await admin("/v1/mails")).json();
    assert.deepEqual(listed.data.map(({ type }: { type: string }) => type), ["member.invited"]);
  }));

test("who is a member of several organizations gets one mail, with a link to each", () =>
  mailing(async ({ hub, admin, post }) => {
    await createOrganization(hub.db, { slug: "acme", name: "Acme", timezone: "UTC" }, hub.clock.ms);
    const acme = createAsk(hub, await createTestToken(hub, { organization: "acme" }));
    await invite(admin, "ana@acme.test");
    await invite(acme, "ana@acme.test", "admin");
    await post();
    await askForLink(hub, "ana@acme.test");
    const [received, ...others] = await post();
    assert.equal(others.length, 0);
    assert.match(received!.mail.text!, /Sign in to Acme:\n.*Sign in to Default:\n/s);
    const [first, second] = linksIn(received!);
    assert.equal((await follow(createVisitor(hub), first!)).path, "/o/acme");
    const visitor = createVisitor(hub);
    assert.equal((await follow(visitor, second!)).path, "/o/default");
    assert.equal((await visitor.open("/o/acme")).status, 404, "each link opens its own organization alone");
  }));

test("no link is in the database, and a mail that is sent again has another one", () =>
  mailing(async ({ hub, admin, post, refuse }) => {
    await invite(admin, "ana@acme.test");
    refuse(true);
    assert.equal((await post()).length, 0);
    refuse(false);
    hub.clock.ms += MINUTE;
    const [received] = await post();
    const [path] = linksIn(received!), secret = path!.split("/").at(-1)!;
    const tables = await hub.db.rows<[string]>(sql`select name from sqlite_master where type = 'table'
      and name in ('mails', 'sign_in_links', 'members', 'audit_entries')`);
    assert.equal(tables.length, 4);
    for (const [name] of tables) {
      const rows = await hub.db.rows(sql`select * from ${sql.identifier(name)}`);
      assert.ok(!JSON.stringify(rows).includes(secret), name);
    }
    assert.equal((await follow(createVisitor(hub), path!)).path, "/o/default");
  }));

test("a mail that came too late for its link is not sent any more", () =>
  mailing(async ({ hub, admin, post, refuse }) => {
    await invite(admin, "ana@acme.test");
    await post();
    await askForLink(hub, "ana@acme.test");
    refuse(true);
    await post();
    refuse(false);
    hub.clock.ms += 20 * MINUTE;
    assert.equal((await post()).length, 0);
  }));

test("links are mailed to one address, and asked for from one network, only so often", () =>
  mailing(async ({ hub, post }) => {
    const rates = createRates({ requests: 0, logins: 0 }, hub.now), app = createApp({ ...hub, rates });
    const ask = async (email: string, address: string) => {
      const init = { method: "POST", body: new URLSearchParams({ email }) };
      return (await app.request("http://hub.example.com/sign-in-link", init, { address })).status;
    };
    for (let i = 0; i < 5; i++) assert.equal(await ask("ana@acme.test", `192.0.2.${i}`), 303);
    assert.equal(await ask("Ana@acme.test", "192.0.2.9"), 429);
    assert.equal(await ask("tom@acme.test", "192.0.2.9"), 303);
    const answers = new Set<number>();
    for (let i = 0; i < 61; i++) answers.add(await ask(`user${i}@acme.test`, "198.51.100.1"));
    assert.deepEqual([...answers], [303, 429]);
    hub.clock.ms += 15 * MINUTE;
    assert.equal(await ask("ana@acme.test", "198.51.100.1"), 303);
    await post();
  }));

test("a page of the console does not lift the limit on failed sign-ins", async () => {
  const hub = await createTestHub();
  try {
    const limited = { ...hub, rates: createRates({ requests: 100, logins: 3 }, hub.now) };
    const visitor = await signIn(limited, await createTestToken(hub));
    assert.equal((await visitor.open("/o/default/account")).status, 200);
    const attempt = async () => {
      const init = { method: "POST", body: new URLSearchParams({ token: "mus_wrong" }) };
      return (await createVisitor(limited).ask("/sign-in", init)).status;
    };
    for (let i = 0; i < 3; i++) assert.equal(await attempt(), 401);
    assert.equal(await attempt(), 429);
  } finally {
    hub.close();
  }
});

test("a hub that sends no mails has no form for a link, and refuses who asks nevertheless", async () => {
  const hub = await createTestHub();
  try {
    for (const each of [hub, { ...hub, mailFrom: "muster@example.com", isReachable: false }]) {
      const visitor = createVisitor(each);
      assert.doesNotMatch((await visitor.open("/sign-in")).text, /Send me a link/);
      const body = new URLSearchParams({ email: "ana@acme.test" });
      const answer = await visitor.ask("/sign-in-link", { method: "POST", body });
      assert.equal(answer.status, 409);
      assert.match(await answer.text(), /SMTP_URL|MUSTER_PUBLIC_URL/);
    }
  } finally {
    hub.close();
  }
});

test("another role, and a removal, end a member's sessions at the next request", async () => {
  const hub = await createTestHub();
  try {
    const admin = createAsk(hub, await createTestToken(hub));
    const { id, visitor } = await signInMember(hub, { role: "approver", email: "ana@acme.test" });
    const { visitor: other } = await signInMember(hub, { role: "viewer", email: "tom@acme.test" });
    assert.equal((await visitor.ask("/o/default/import")).status, 200);
    const path = `/v1/members/${id}`;
    await admin(path, { method: "PATCH", json: { name: "Ana Example" } });
    assert.equal((await visitor.ask("/o/default")).status, 200, "another name ends nothing");
    await admin(path, { method: "PATCH", json: { role: "viewer" } });
    assert.equal((await visitor.ask("/o/default")).status, 303);
    const { link } = await (await admin(`${path}/invite`, { method: "POST" })).json();
    await follow(visitor, new URL(link).pathname);
    assert.equal((await visitor.ask("/o/default")).status, 200);
    assert.ok(!(await visitor.open("/o/default")).text.includes(">Import<"), "and has the new role from then on");
    assert.equal((await admin(path, { method: "DELETE" })).status, 204);
    assert.equal((await visitor.ask("/o/default")).status, 303);
    assert.equal((await other.ask("/o/default")).status, 200, "others stay");
    const { data } = await (await admin("/v1/sessions")).json();
    assert.deepEqual(data.map(({ member }: { member: { email: string } }) => member.email), ["tom@acme.test"]);
  } finally {
    hub.close();
  }
});

test("an admin invites, changes and removes members on the page of the settings, with a question before", () =>
  mailing(async ({ hub, admin, post }) => {
    const visitor = await signIn(hub, await createTestToken(hub));
    const path = "/o/default/settings/members";
    const list = await visitor.open(path);
    assert.match((await visitor.open("/o/default")).text, />Settings</);
    const sent = await visitor.send(list, "/members", { email: "Ana@acme.test", name: "Ana <b>", role: "uploader" });
    assert.match(sent.text, /A mail to ana@acme\.test/);
    assert.equal((await post()).length, 1);
    const refused = await visitor.send(list, "/members", { email: "ana@acme.test", role: "viewer" });
    assert.equal(refused.status, 409);
    assert.match(refused.text, /role="alert">[^]*The address belongs to a member already/);
    const shown = await visitor.open(path);
    assert.match(shown.text, /Ana &lt;b&gt;/);
    assert.match(shown.text, /has not signed in yet/);
    const { data: [{ id }] } = await (await admin("/v1/members")).json();
    const member = await visitor.open(`${path}/${id}`);
    await visitor.send(member, id, { role: "approver" });
    assert.equal((await (await admin(`/v1/members/${id}`)).json()).role, "approver");
    assert.equal((await visitor.send(member, id, { role: "viewer" })).status, 412, "the page was of an older version");
    await visitor.send(await visitor.open(`${path}/${id}`), "/invite");
    assert.equal((await post()).length, 1);
    const question = await visitor.open(`${path}/${id}/remove`);
    assert.match(question.text, /Remove Ana &lt;b&gt;\?/);
    assert.equal((await admin(`/v1/members/${id}`)).status, 200, "asking removes nobody");
    assert.equal((await visitor.send(question, "/remove")).path, path);
    assert.equal((await admin(`/v1/members/${id}`)).status, 404);
  }));

test("where no mail can be sent, the page shows the link once, with what to do about it", async () => {
  const hub = await createTestHub();
  try {
    const visitor = await signIn(hub, await createTestToken(hub)), path = "/o/default/settings/members";
    const answer = await visitor.send(await visitor.open(path), "/members", { email: "ana@acme.test", role: "viewer" });
    assert.match(answer.text, /SMTP_URL/);
    const [, link] = [...answer.text.matchAll(LINK)][0]!;
    assert.equal((await follow(createVisitor(hub), link!)).path, "/o/default");
    assert.doesNotMatch((await visitor.open(path)).text, LINK);
  } finally {
    hub.close();
  }
});

test("an approver decides on a run's page, which names them to others who may decide", () =>
  importing(async (world) => {
    const run = await world.import(csv(HEADER, "1,tom@acme.test,Tom,Marsh"), { mode: "plan" });
    const { visitor } = await signInMember(world.hub, { role: "approver", name: "Ana Example" });
    const path = `/o/default/runs/${run.id}`;
    await visitor.send(await visitor.send(await visitor.open(path), "/approve"), "/approve");
    await world.carry();
    assert.equal((await world.run(run.id)).status, "succeeded");
    assert.match((await visitor.open(path)).text, /Approved on .*, by Ana Example/);
    const { visitor: viewer } = await signInMember(world.hub, { role: "viewer" });
    assert.match((await viewer.open(path)).text, /Approved on .*, by a member of the organization/);
  }));

test("roles below admin have no way to the settings of members", async () => {
  const hub = await createTestHub();
  try {
    for (const role of ["uploader", "viewer", "approver"] as const) {
      const { visitor, id } = await signInMember(hub, { role });
      assert.ok(!(await visitor.open("/o/default/account")).text.includes(">Settings<"), role);
      for (const path of ["", `/${id}`, `/${id}/remove`]) {
        assert.equal((await visitor.open(`/o/default/settings/members${path}`)).status, 403, `${role} ${path}`);
      }
    }
  } finally {
    hub.close();
  }
});
