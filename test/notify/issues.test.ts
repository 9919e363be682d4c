/** Issues in mails: the whole input first, then errors, then warnings, equal ones once; who, and in the sender's own words. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connector } from "../../src/connector.ts";
import type { Hub } from "../../src/hub.ts";
import { mintLinks } from "../../src/notify/links.ts";
import { type OutgoingMail, sendDueMails } from "../../src/notify/send-mails.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import HR_FEED from "../support/hr-feed.ts";
import { csv, type Importing, importing, type Outcome } from "../support/imports.ts";
import { loopback } from "../support/receiver.ts";
import { paged, startSource } from "../support/source.ts";

const HEADER = "Personnel No,Work Email,First Name,Last Name,Manager,Desk";
const MAPPING = {
  "Personnel No": "employee_id",
  "Work Email": "email",
  "First Name": "first_name",
  "Last Name": "last_name",
  "Manager": "manager_id",
};
/** Forty people whose manager is unknown, before two whose address is none. */
const FILE = csv(
  HEADER,
  ...Array.from({ length: 40 }, (_, n) => `E${n},e${n}@acme.test,Eve,Nr${n},X9,4`),
  "A1,ana@,Ana,Lopez,,4",
  "A2,bo,Bo,Marsh,,5",
);

function feeding(work: (world: Importing, mails: () => Promise<OutgoingMail[]>) => Promise<void>): Promise<void> {
  const registry = new Map([
    ...createRegistry(),
    ["hr-feed", HR_FEED as never],
    ["paged", paged as Connector<never>],
  ]);
  return importing(async (world) => {
    const hub: Hub = Object.assign(world.hub, { mailFrom: "muster@example.com" });
    await world.ask("/v1/organization", { method: "PATCH", json: { technical_contact: "hr@acme.test" } });
    await work(world, async () => {
      const sent: OutgoingMail[] = [];
      while (await sendDueMails(hub, (mail) => Promise.resolve(void sent.push(mail)), { name: "test" }) > 0);
      return sent;
    });
  }, { registry, outbound: loopback });
}

/** The text of the run's page, without tags. */
async function pageOf({ hub, ask, number }: Importing, run: Outcome): Promise<string> {
  const { page } = await mintLinks(hub, { id: number("run", run.id), organizationId: hub.organization.id });
  const text = await (await ask(page.slice(hub.publicUrl.length))).text();
  return text.replace(/<[^>]*>/g, " ").replaceAll("&quot;", '"').replace(/\s+/g, " ");
}

/** The places of the texts, each of which is there once. */
function placesOf(text: string, ...parts: string[]): number[] {
  return parts.map((part) => {
    assert.equal(text.split(part).length, 2, `"${part}" once in ${text}`);
    return text.indexOf(part);
  });
}

test("a mail and the page have the whole file first, then errors with name and id, then equal warnings once", () =>
  feeding(async (world, mails) => {
    await world.connect("hr", { connector: "hr-feed", name: "HR feed", mapping: MAPPING });
    const run = await world.import(FILE, { connection: "hr" });
    const [mail] = await mails();
    const WHOLE = 'Unknown header "Desk"';
    const ANA = 'Cannot use "ana@" as "Work Email"', BO = 'Cannot use "bo" as "Work Email"';
    for (const text of [mail!.text, mail!.html.replaceAll("&#34;", '"')]) {
      const places = placesOf(
        text,
        WHOLE,
        `Line 42, Ana Lopez (A1): ${ANA}`,
        `Line 43, Bo Marsh (A2): ${BO}`,
        "40 rows, first line 2, Eve Nr0 (E0): ",
      );
      assert.deepEqual(places, [...places].sort((a, b) => a - b));
      assert.doesNotMatch(text, /\bemployee_id\b|as email/);
    }
    // The report has the same order and words.
    const [, first, , third] = (await world.failures(run)).split("\r\n");
    assert.match(first!, /^A1,ana@,.*,error,email_invalid,Work Email,"Cannot use ""ana@"" as ""Work Email""/);
    assert.match(third!, /^E0,.*,warning,manager_not_found,Manager,/);
    const page = await pageOf(world, run);
    const places = placesOf(page, WHOLE, ANA, BO, "40 rows, first line 2, Eve Nr0 (E0)");
    assert.deepEqual(places, [...places].sort((a, b) => a - b));
    assert.match(page, /line 42, Ana Lopez \(A1\)/);
  }));

test("a source that is fetched is corrected there: nothing about it says to send a file", async () => {
  const source = await startSource([
    { id: "1", mail: "ana@", first: "Ana", last: "Sol" },
    { id: "2", mail: "bo@acme.test", first: "B�", last: "Lund" },
    { id: "3", mail: "cy@acme.test", first: "Cy", last: "Ray" },
  ]);
  try {
    await feeding(async (world, mails) => {
      await world.connect("hr", {
        connector: "paged",
        name: "HR",
        settings: { host: source.host },
        secrets: { api_key: source.key },
      });
      await world.tick();
      world.later(25 * 3_600_000);
      await world.tick();
      await world.fetch();
      await world.carry();
      const [{ id }] = await world.runs() as [Outcome];
      const run = await world.run(id);
      const [mail] = await mails();
      assert.match(mail!.text, /^\* Ana Sol \(1\): Cannot use "ana@" as "mail"/m);
      assert.match(mail!.text, /Correct these in Pages of people; the next sync takes it/);
      const texts = [
        mail!.text,
        mail!.html,
        await pageOf(world, run),
        await world.failures(run),
        ...run.issues.map(
          ({ suggestion }) => suggestion,
        ),
      ];
      for (const text of texts) assert.doesNotMatch(text, /\b(?:send|upload)[^.]* (?:it|file|back|again)\b/i);
      const damaged = run.issues.find(({ code }) => code === "text_damaged");
      assert.equal(damaged!.suggestion, "Correct it in Pages of people; the next sync takes it");
    });
  } finally {
    await source.close();
  }
});

test("a file that cannot be used says why and what to do once, and one that a newer one replaced what it would have done", () =>
  feeding(async (world, mails) => {
    await world.connect("hr", { connector: "hr-feed", name: "HR feed" });
    await world.import(csv("first_name,last_name", "Ana,Lopez"), { connection: "hr" });
    const [mail] = await mails();
    placesOf(mail!.text, "Why: There is no column", "What to do: Correct");

    const people = Array.from({ length: 20 }, (_, n) => `E${n},e${n}@acme.test,Eve,Nr${n}`);
    const header = "employee_id,email,first_name,last_name";
    await world.import(csv(header, ...people), { connection: "hr" });
    const others = people.map((row) => row.replace("Eve", "Ina").replace("e", "i"));
    const held = await world.import(csv(header, ...others), { connection: "hr" });
    assert.equal(held.status, "held");
    await world.import(csv(header, ...others, "E20,e20@acme.test,Eve,New"), { connection: "hr" });
    const page = await pageOf(world, held);
    assert.match(page, /What would have changed 20 people would have been changed/);
  }));

test("who a row is about is decided on the run's page, and the API alone names its routes", () =>
  feeding(async (world, mails) => {
    const header = "employee_id,email,first_name,last_name,is_active";
    const known = ["1,ana@acme.test,Ana,Lopez,yes", "2,bo@acme.test,Bo,Berg,yes"];
    await world.connect("hr", { connector: "hr-feed" });
    await world.import(csv(header, ...known), { connection: "hr" });
    const run = await world.import(csv(header, "1,zed@acme.test,Zed,Young,yes", known[1]!), { connection: "hr" });
    assert.deepEqual(run.issues.map(({ code }) => code), ["identity_conflict"]);
    const { id } = await world.person("1");
    const advice = "somebody new has this id or address now, release it: both on the run's page";
    assert.ok(run.issues[0]!.suggestion.endsWith(`${advice}, or by POST /v1/users/${id}/accept or /release`));
    const [mail] = await mails();
    for (const text of [mail!.text, await pageOf(world, run), await world.failures(run)]) {
      assert.doesNotMatch(text, /\/v1\/|accept or \/release/);
    }
    for (const text of [mail!.text.replace(/\s+/g, " "), await world.failures(run)]) assert.ok(text.includes(advice));
  }));
