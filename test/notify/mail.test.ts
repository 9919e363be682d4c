/** Mails as they arrive: of automated feeds, through a real mail server, with the report as it is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "drizzle-orm";
import { createSmtpTransport } from "../../src/runtime/smtp.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { MAIL_GAPS_MS, sendDueMails } from "../../src/notify/send-mails.ts";
import { loadFigures } from "../../src/store/figures.ts";
import type { TestHub } from "../support/hub.ts";
import { createAsk, createTestToken } from "../support/hub.ts";
import {
  type Content,
  crowd,
  csv,
  DAY_MS,
  HEADER,
  HOUR_MS,
  type Importing,
  importing,
  type Outcome,
} from "../support/imports.ts";
import HR_FEED from "../support/hr-feed.ts";
import { readAll, textRow, workbookOf } from "../support/workbook-parts.ts";
import {
  addressesIn,
  type MailServer,
  type Received,
  startMailServer,
  startSilentServer,
} from "../support/mail-server.ts";

const SENDER = { name: "test" };

interface Mailing {
  readonly world: Importing;
  readonly server: MailServer;
  /** Imports through the connection `hr`, which nobody waits for. */
  feed(content: Content, name?: string): Promise<Outcome>;
  /** Sends what is due, and gives what arrived. */
  post(): Promise<readonly Received[]>;
  // deno-lint-ignore no-explicit-any
  mails(): Promise<any[]>;
}

async function mailing(
  work: (scene: Mailing) => Promise<void>,
  options: { url?: (server: MailServer) => string; wholeMs?: number } = {},
): Promise<void> {
  const registry = new Map([...createRegistry(), ["hr-feed", HR_FEED as never]]);
  const server = await startMailServer({ user: "muster", password: "pa:ss/word" });
  const url = options.url?.(server) ?? `smtp://muster:${encodeURIComponent("pa:ss/word")}@127.0.0.1:${server.port}`;
  const transport = createSmtpTransport(url, options.wholeMs);
  try {
    await importing(async (world) => {
      const hub = Object.assign(world.hub, { mailFrom: "Muster <muster@example.com>" });
      await world.connect("hr", { connector: "hr-feed", name: "HR feed" });
      const answer = await world.ask("/v1/organization", {
        method: "PATCH",
        json: {
          name: "Acme & Söhne",
          technical_contact: "it@acme.test",
          reply_to: "help@example.com",
          timezone: "Europe/Berlin",
        },
      });
      assert.equal(answer.status, 200);
      await work({
        world,
        server,
        feed: (content, name) => world.import(content, { connection: "hr", ...(name === undefined ? {} : { name }) }),
        async post() {
          const before = server.received.length;
          while (await sendDueMails(hub, transport.send, SENDER) > 0);
          return server.received.slice(before);
        },
        mails: async () => (await (await world.ask("/v1/mails")).json()).data,
      });
    }, { registry });
  } finally {
    transport.close();
    await server.close();
  }
}

const subjects = (received: readonly Received[]) => received.map(({ mail }) => mail.subject);
const BAD = csv(HEADER, "1,ana@,Ana,Lopez", "2,tom@acme.test,Tom,Marsh");
const GOOD = csv(HEADER, "1,ana@acme.test,Ana,Lopez", "2,tom@acme.test,Tom,Marsh");

test("a feed's failures arrive with the report, byte for byte, from whom and to whom it was set", () =>
  mailing(async ({ world, feed, post, mails }) => {
    const run = await feed(BAD, "märz people.csv");
    const [received, ...others] = await post();
    assert.equal(others.length, 0);
    const { mail, from, to, raw } = received!;
    assert.deepEqual([from, to], ["muster@example.com", ["it@acme.test"]]);
    assert.equal(addressesIn(mail.from), '"Muster" <muster@example.com>');
    assert.equal(addressesIn(mail.replyTo), "help@example.com");
    assert.equal(mail.subject, "HR feed: 1 row could not be used");
    assert.match(raw, /^Auto-Submitted: auto-generated\r$/m);
    const [report, ...more] = mail.attachments;
    assert.equal(more.length, 0);
    assert.equal(report!.filename, "märz people.failures.csv");
    assert.match(report!.contentType, /^text\/csv/);
    const own = await world.ask(`/v1/runs/${run.id}/failures.csv`);
    assert.deepEqual(new Uint8Array(report!.content), new Uint8Array(await own.arrayBuffer()));
    for (const text of [mail.text!, mail.html as string]) {
      assert.match(text, /Line 2, Ana Lopez \(1\): Cannot use/);
      assert.match(text, /märz people\.csv/);
      assert.match(text, /2 March 2026 at 09:00 \(Europe\/Berlin\)/);
      assert.match(text, /technical contact of Acme/);
    }
    const [row] = await mails();
    assert.deepEqual([row.type, row.status, row.attempts, row.run_id, row.last_error], [
      "run.failures",
      "sent",
      1,
      run.id,
      null,
    ]);
    assert.deepEqual(Object.keys(row).filter((name) => /text|html|body|to\b/.test(name)), []);
  }));

test("a workbook's report is attached as a workbook; issues of the whole input are in the mail alone", () =>
  mailing(async ({ feed, post }) => {
    const sheets = { Staff: textRow(...HEADER.split(",")) + textRow("1", "ana@", "Ana", "Lopez") };
    await feed(new Uint8Array(workbookOf({ sheets })), "people.xlsx");
    const [{ mail }] = await post() as [Received];
    const [report] = mail.attachments;
    assert.equal(report!.filename, "people.failures.xlsx");
    assert.match(report!.contentType, /spreadsheetml/);
    assert.deepEqual(readAll(new Uint8Array(report!.content), { sheet: "Report" })[1]!.slice(1, 5), [
      "1",
      "ana@",
      "Ana",
      "Lopez",
    ]);
    await feed(csv(`${HEADER},shoe_size`, "2,tom@acme.test,Tom,Marsh,40"));
    const [warned] = await post();
    assert.deepEqual(warned?.mail.attachments ?? [], []);
    assert.match(warned!.mail.text!, /Unknown header "shoe_size"/);
    assert.doesNotMatch(warned!.mail.text!, /attached report/);
  }));

test("the links in a mail begin to live when it is sent, and open the page and the report", () =>
  mailing(async ({ world, feed, post }) => {
    await feed(BAD);
    world.later(80 * HOUR_MS);
    const [{ mail }] = await post() as [Received];
    const stranger = createAsk(world.hub, null);
    const paths = [...mail.text!.matchAll(/^http:\/\/hub\.example\.com(\/\S+)$/gm)].map(([, path]) => path!);
    assert.equal(paths.length, 4, "the page, and the report in three formats");
    for (const path of paths) assert.equal((await stranger(path)).status, 200, path);
    const stored = JSON.stringify(await world.hub.db.rows(sql`select * from mails`));
    assert.doesNotMatch(stored, /eyJ|http/);
  }));

test("a held run's mail says why and leads to the decision; decided before it went out, it does not go out", () =>
  mailing(async ({ world, feed, post, mails }) => {
    await feed(csv(`${HEADER},is_active`, ...crowd(40, 1, () => ",yes")));
    const run = await feed(csv(`${HEADER},is_active`, ...crowd(40, 1, (i) => i <= 12 ? ",no" : ",yes")));
    assert.equal(run.status, "held");
    const [{ mail }] = await post() as [Received];
    assert.equal(mail.subject, "HR feed: waits for your decision");
    assert.match(mail.text!, /12 of the 40 people from this connection would lose access/);
    assert.match(mail.text!, /approve or cancel:\nhttp:\/\/hub\.example\.com\/r\//);
    assert.equal(mail.attachments.length, 0);
    await world.post(`/v1/runs/${run.id}/cancel`);
    const again = await feed(csv(`${HEADER},is_active`, ...crowd(40, 1, (i) => i <= 13 ? ",no" : ",yes")));
    await world.post(`/v1/runs/${again.id}/cancel`);
    assert.deepEqual(await post(), []);
    assert.deepEqual((await mails()).map(({ status }) => status), ["dropped", "sent"]);
    assert.equal((await mails())[0].last_error, 'The run is "cancelled" by now, and was to be announced as held');
  }));

test("the run after a revert is held for that, and its mail does not call it an accident", () =>
  mailing(async ({ world, feed, post }) => {
    const rows = (title: string) => csv(`${HEADER},title`, ...crowd(4, 1, () => `,${title}`));
    await feed(rows("Clerk"));
    const lead = await feed(rows("Lead"));
    const { body } = await world.post(`/v1/runs/${lead.id}/revert`);
    await world.carry();
    await world.post(`/v1/runs/${body.run.id}/approve`, { plan_hash: (await world.run(body.run.id)).plan_hash });
    await world.carry();
    await post();
    const next = await feed(rows("Lead"));
    assert.deepEqual([next.status, next.held_by.map(({ guard }) => guard)], ["held", ["revert"]]);
    const [{ mail }] = await post() as [Received];
    assert.match(mail.text!, /^Muster holds the input ".*", because the run before it was taken back\. Nothing/m);
    assert.doesNotMatch(mail.text!, /accident/);
    const path = /http:\/\/hub\.example\.com(\/r\/\S+)/.exec(mail.text!)![1]!;
    const page = await (await createAsk(world.hub, null)(path)).text();
    assert.match(page, /taken back/);
    assert.doesNotMatch(page, /accident/);
  }));

test("a hold is announced once, after a day, then weekly, though each night's input is held anew", () =>
  mailing(async ({ world, feed, post }) => {
    const rows = (gone: number) => csv(`${HEADER},is_active`, ...crowd(40, 1, (i) => i <= gone ? ",no" : ",yes"));
    await feed(rows(0));
    const said: [number, string | undefined][] = [];
    for (let hour = 0; hour < 24 * 17; hour += 4) {
      if (hour % 24 === 0) assert.equal((await feed(rows(12 + (hour % 48) / 24))).status, "held");
      await world.tick();
      for (const { mail } of await post()) {
        said.push([hour, mail.subject]);
        // Whatever run was the first, the link is to the one that is held now.
        const path = /http:\/\/hub\.example\.com(\/r\/\S+)/.exec(mail.text!)![1]!;
        assert.match(await (await createAsk(world.hub, null)(path)).text(), />Approve…</);
      }
      world.later(4 * HOUR_MS);
    }
    assert.deepEqual(said, [
      [0, "HR feed: waits for your decision"],
      [24, "HR feed: still waits for your decision"],
      [24 + 168, "HR feed: still waits for your decision"],
      [24 + 336, "HR feed: still waits for your decision"],
    ]);
  }));

test("standing issues are not mailed every night, new ones are, and all being well says nothing", () =>
  mailing(async ({ world, feed, post }) => {
    const night = async (text: string) => {
      world.later(DAY_MS);
      // Another byte each night: the same input would not be read.
      await feed(text.replace("Marsh", `Marsh${world.hub.clock.ms / DAY_MS | 0}`));
      return subjects(await post());
    };
    const warns = csv(`${HEADER},hire_date`, "1,ana@acme.test,Ana,Lopez,soon", "2,tom@acme.test,Tom,Marsh,");
    const more = csv(`${HEADER},hire_date`, "1,ana@acme.test,Ana,Lopez,soon", "2,tom@acme.test,Tom,Marsh,later");
    assert.deepEqual(await night(warns), ["HR feed: 1 row with warnings"]);
    for (let n = 0; n < 3; n++) assert.deepEqual(await night(warns), []);
    assert.deepEqual(await night(more), ["HR feed: 2 rows with warnings"]);
    for (let n = 0; n < 6; n++) assert.deepEqual(await night(more), []);
    assert.deepEqual(await night(more), ["HR feed: still 2 rows with warnings"]);
    assert.deepEqual(
      await night(csv(`${HEADER},hire_date`, "1,ana@acme.test,Ana,Lopez,", "2,t@acme.test,Tom,Marsh,")),
      [],
    );
    assert.deepEqual(await night(BAD), ["HR feed: 1 row could not be used"]);
  }));

test("the third failure in a row is the connection's, and its recovery is said", () =>
  mailing(async ({ world, feed, post }) => {
    const said = [];
    for (const text of ["title\nLead\n", "title\nLead2\n", "title\nLead3\n", "title\nLead4\n", GOOD, GOOD + "\n"]) {
      world.later(DAY_MS);
      await feed(text);
      said.push(subjects(await post()));
    }
    assert.deepEqual(said, [
      ["HR feed: could not be used"],
      [],
      ["HR feed: has failed 3 times in a row"],
      [],
      ["HR feed: works again"],
      [],
    ]);
  }));

test("what somebody hands in is answered on the spot and not mailed, nor is anything without a contact or a sender", () =>
  mailing(async ({ world, feed, post, mails }) => {
    await world.import(BAD);
    await world.ask("/v1/users/import", { json: { users: [{ email: "b@" }] }, headers: { prefer: "wait=0" } });
    await world.carry();
    await world.import(BAD, { connection: "hr", mode: "plan" });
    const contact = (address: string | null) =>
      world.ask("/v1/organization", { method: "PATCH", json: { technical_contact: address } });
    await contact(null);
    await feed(BAD);
    await contact("it@acme.test");
    Object.assign(world.hub, { mailFrom: null });
    await feed(BAD + "3,c@,C,C\n");
    assert.deepEqual(await post(), []);
    assert.deepEqual(await mails(), []);
  }));

test("names with markup, line breaks and header lines in them stay names", () =>
  mailing(async ({ world, feed, post }) => {
    const evil = "HR\r\nBcc: thief@example.com\r\n\r\n<img src=x onerror=alert(1)>\u2028\u202Efeed";
    await world.hub.db.write([
      world.hub.db.orm.run(sql`update connections set name = ${evil} where slug = 'hr'`) as never,
      world.hub.db.orm.run(sql`update organizations set name = ${evil}`) as never,
    ]);
    const run = await feed(csv(HEADER, "1,<b>ana</b>@,Ana,Lopez"));
    await world.hub.db.write([
      world.hub.db.orm.run(sql`update drops set name = ${"a\r\nX-Evil: 1\r\n\r\n<i>.csv"}`) as never,
    ]);
    assert.equal(run.status, "failed");
    const [{ mail, raw, to }] = await post() as [Received];
    assert.deepEqual(to, ["it@acme.test"]);
    const headers = raw.slice(0, raw.indexOf("\r\n\r\n"));
    assert.doesNotMatch(headers, /^(bcc|x-evil):/im);
    assert.deepEqual([mail.bcc, mail.headers.has("x-evil")], [undefined, false]);
    assert.doesNotMatch(mail.html as string, /<img|<b>ana|<i>/);
    assert.match(mail.html as string, /&#60;img src=x/);
    assert.match(mail.subject!, /^HR Bcc: thief@example\.com <img/);
    assert.doesNotMatch(mail.attachments[0]!.filename!, /[\r\n]/);
  }));

test("a contact that is more than one address gets nothing, and the mail says so", () =>
  mailing(async ({ world, feed, post, mails, server }) => {
    await world.hub.db.write([
      world.hub.db.orm.run(
        sql`update organizations set technical_contact = 'it@acme.test, thief@example.com'`,
      ) as never,
    ]);
    await feed(BAD);
    await post();
    assert.equal(server.received.length, 0);
    assert.match((await mails())[0].last_error, /not a single address/);
  }));

test("a report over five megabytes is linked, not attached", () =>
  mailing(async ({ feed, post }) => {
    const long = "x".repeat(60_000);
    const rows = Array.from({ length: 100 }, (_, i) => `${i},p${i}@,${i},"${long}"`);
    await feed(csv(`${HEADER}`, ...rows));
    const [{ mail, raw }] = await post() as [Received];
    assert.equal(mail.attachments.length, 0);
    assert.ok(raw.length < 200_000);
    assert.match(mail.text!, /too large to be attached/);
    assert.match(mail.text!, /http:\/\/hub\.example\.com\/reports\//);
  }));

test("mails are counted by how they ended, each once, for /metrics", () =>
  mailing(async ({ world, feed, post, server }) => {
    const counted = async () =>
      Object.fromEntries((await loadFigures(world.hub.db)).tallies.get("muster_mails_total") ?? []);
    await feed(BAD);
    server.refusal = { code: 450, text: "Later" };
    await post();
    assert.deepEqual(await counted(), {}, "what is tried again has not ended");
    server.refusal = null;
    world.later(MAIL_GAPS_MS[0]!);
    assert.equal((await post()).length, 1);
    assert.deepEqual(await counted(), { sent: 1 });
    // Somebody else takes the next one over: what the first one says of it counts for nothing.
    await feed(BAD + "3,c@,C,C\n");
    let slow = () => {};
    const first = sendDueMails(world.hub, () => new Promise((_, fail) => slow = () => fail(new Error("no"))), SENDER);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await sendDueMails(world.hub, () => Promise.resolve(), { name: "other", isGone: () => true });
    slow();
    await first;
    assert.deepEqual(await counted(), { sent: 2 });
    await feed(BAD + "3,c@,C,C\n4,d@,D,D\n");
    await world.ask("/v1/organization", { method: "PATCH", json: { technical_contact: null } });
    await post();
    assert.deepEqual(await counted(), { sent: 2, dropped: 1 });
    const figures =
      await (await createAsk(world.hub, await createTestToken(world.hub, { scopes: ["operator"] }))("/metrics")).text();
    assert.match(
      figures,
      /^muster_mails_total\{outcome="sent"\} 2\nmuster_mails_total\{outcome="failed"\} 0\nmuster_mails_total\{outcome="dropped"\} 1$/m,
    );
  }));

test("a server that rejects a mail is asked again on the backoff, its words are shown, and the run is unharmed", () =>
  mailing(async ({ world, feed, post, mails, server }) => {
    server.refusal = { code: 550, text: "No such mailbox\there" };
    const run = await feed(BAD);
    assert.equal(run.status, "partial");
    for (const [attempt, gap] of MAIL_GAPS_MS.entries()) {
      assert.deepEqual(await post(), []);
      const [row] = await mails();
      assert.deepEqual([row.status, row.attempts], ["queued", attempt + 1]);
      assert.match(row.last_error, /No such mailbox here/);
      assert.equal(Date.parse(row.next_attempt_at), world.hub.clock.ms + gap);
      world.later(gap - 1);
      assert.equal(await sendDueMails(world.hub, () => assert.fail("too early"), SENDER), 0);
      world.later(1);
    }
    await post();
    assert.deepEqual([(await mails())[0].status, (await mails())[0].next_attempt_at], ["failed", null]);
    assert.equal((await loadFigures(world.hub.db)).tallies.get("muster_mails_total")?.get("failed"), 1);
    server.refusal = null;
    await feed(BAD + "3,c@,C,C\n");
    assert.equal((await post()).length, 1);
    assert.equal((await world.run(run.id)).status, "partial");
  }));

test("a wrong password is shown as refused, without the password", () =>
  mailing(async ({ feed, post, mails }) => {
    await feed(BAD);
    await post();
    const [row] = await mails();
    assert.match(row.last_error, /Invalid/);
    assert.doesNotMatch(row.last_error, /not-the-password/);
  }, { url: ({ port }) => `smtp://muster:not-the-password@127.0.0.1:${port}` }));

test("a server that is not there is tried again", () =>
  mailing(async ({ feed, post, mails }) => {
    await feed(BAD);
    await post();
    const [row] = await mails();
    assert.deepEqual([row.status, row.attempts], ["queued", 1]);
    assert.match(row.last_error, /ECONNREFUSED|refused|connect/i);
  }, { url: () => "smtp://127.0.0.1:1" }));

test("a server that never says a word is given up on, and the mail is tried again", async () => {
  const silent = await startSilentServer();
  try {
    await mailing(async ({ feed, post, mails, world }) => {
      const run = await feed(BAD);
      await post();
      const [row] = await mails();
      assert.deepEqual([row.status, row.attempts], ["queued", 1]);
      assert.match(row.last_error, /longer than 0\.3 s/);
      assert.equal((await world.run(run.id)).status, "partial");
    }, { url: () => `smtp://127.0.0.1:${silent.port}`, wholeMs: 300 });
  } finally {
    await silent.close();
  }
});

test("two senders take each mail once; one that is known to be dead is taken over from at once, another later", () =>
  mailing(async ({ world, feed }) => {
    for (let n = 0; n < 6; n++) await feed(csv(HEADER, `${n},x${n}@,A,B`, "99,ok@acme.test,O,K"));
    const sent: string[] = [];
    const send = ({ messageId }: { messageId: string }) => Promise.resolve(void sent.push(messageId));
    const breaks: (() => void)[] = [];
    const hang = () => new Promise<void>((_, reject) => breaks.push(() => reject(new Error("The line broke"))));
    const hub: TestHub = world.hub;
    await Promise.all([
      sendDueMails(hub, send, { name: "one" }),
      sendDueMails(hub, send, { name: "two" }),
      sendDueMails(hub, send, { name: "three" }),
    ]);
    assert.deepEqual([sent.length, new Set(sent).size], [6, 6]);
    await feed(csv(HEADER, "7,new@,A,B", "99,ok@acme.test,O,K"));
    const hanging = [sendDueMails(hub, hang, { name: "dead" })];
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(await sendDueMails(hub, send, { name: "four" }), 0);
    assert.equal(await sendDueMails(hub, send, { name: "four", isGone: (name) => name === "dead" }), 1);
    assert.equal(sent.length, 7);
    await feed(csv(HEADER, "8,newer@,A,B", "99,ok@acme.test,O,K"));
    hanging.push(sendDueMails(hub, hang, { name: "elsewhere" }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(await sendDueMails(hub, send, { name: "four" }), 0);
    world.later(31_000);
    assert.equal(await sendDueMails(hub, send, { name: "four" }), 1);
    // What those who were taken for dead have to say of the mails by now changes nothing.
    for (const each of breaks) each();
    await Promise.all(hanging);
    const { data } = await (await world.ask("/v1/mails?status=sent")).json();
    assert.equal(data.length, 8);
    assert.equal(sent.length, 8);
  }));

test("mails are listed to their organization alone, by status, and kept for 30 days", () =>
  mailing(async ({ world, feed, post, mails }) => {
    await feed(BAD);
    await post();
    assert.equal((await (await world.ask("/v1/mails?status=queued")).json()).data.length, 0);
    assert.equal((await (await world.ask("/v1/mails?status=sent")).json()).data.length, 1);
    assert.equal((await world.ask("/v1/mails?status=lost")).status, 400);
    world.later(30 * DAY_MS - HOUR_MS);
    await world.tick();
    assert.equal((await mails()).length, 1);
    world.later(2 * HOUR_MS);
    await world.tick();
    assert.equal((await mails()).length, 0);
  }));
