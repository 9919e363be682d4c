/** Who is mailed about a connection: its own technical contact, else the organization's; and what is warned of without one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type OutgoingMail, sendDueMails } from "../../src/notify/send-mails.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { createAsk, createTestToken } from "../support/hub.ts";
import HR_FEED from "../support/hr-feed.ts";
import { csv, HEADER, type Importing, importing } from "../support/imports.ts";

const BAD = csv(HEADER, "1,ana@,Ana,Lopez");

function feeding(work: (world: Importing, sentTo: () => Promise<string[]>) => Promise<void>): Promise<void> {
  const registry = new Map([...createRegistry(), ["hr-feed", HR_FEED as never]]);
  return importing(async (world) => {
    const hub = Object.assign(world.hub, { mailFrom: "muster@example.com" });
    await work(world, async () => {
      const sent: OutgoingMail[] = [];
      const send = (mail: OutgoingMail) => Promise.resolve(void sent.push(mail));
      while (await sendDueMails(hub, send, { name: "test" }) > 0);
      return sent.map(({ to }) => to).sort();
    });
  }, { registry });
}

const organization = ({ ask }: Importing, json: object) => ask("/v1/organization", { method: "PATCH", json });

test("a connection's own contact is mailed, another connection's is the organization's", () =>
  feeding(async (world, sentTo) => {
    await organization(world, { technical_contact: "it@acme.test" });
    await world.connect("hr", { connector: "hr-feed", technical_contact: "hr@acme.test" });
    await world.connect("other", { connector: "hr-feed" });
    for (const connection of ["hr", "other"]) await world.import(BAD, { connection });
    assert.deepEqual(await sentTo(), ["hr@acme.test", "it@acme.test"]);

    await organization(world, { technical_contact: null });
    const changed = csv(HEADER, "1,bo@,Ana,Lopez");
    for (const connection of ["hr", "other"]) await world.import(changed, { connection });
    assert.deepEqual(await sentTo(), ["hr@acme.test"]);

    const back = await world.ask("/v1/connections/hr", { method: "PATCH", json: { technical_contact: null } });
    assert.equal((await back.json()).technical_contact, null);
    await world.import(BAD, { connection: "hr" });
    assert.deepEqual(await sentTo(), []);
  }));

test("who makes a feed that nobody is mailed about is warned, and so is the log at each run with failures", () =>
  feeding(async (world) => {
    const made = async (json: object) =>
      await (await world.ask("/v1/connections", { json: { connector: "hr-feed", ...json } })).json();
    const { id, warnings } = await made({ name: "HR" });
    assert.deepEqual(warnings, [
      'Nobody gets a mail when "hr" fails, is held or leaves rows out: set "technical_contact", here or for the ' +
      "organization",
    ]);
    assert.deepEqual((await made({ name: "CSV 2", connector: "csv-upload" })).warnings, [], "its clients are answered");
    assert.deepEqual((await made({ name: "HR 2", technical_contact: "hr@acme.test" })).warnings, []);

    await world.import(BAD, { connection: "hr" });
    await world.import(csv("first_name", "Ana"), { connection: "hr" });
    await world.import(BAD);
    await world.import(csv(HEADER, "1,ana@acme.test,Ana,Lopez"), { connection: "hr" });
    const lines = world.hub.lines.filter(({ event }) => event === "run.nobody_mailed");
    assert.deepEqual(lines.map(({ details }) => details.connection_id), [id, id]);

    await organization(world, { technical_contact: "it@acme.test" });
    assert.deepEqual((await (await world.ask("/v1/connections/hr")).json()).warnings, []);
    await world.import(csv("first_name", "Ana", "Bo"), { connection: "hr" });
    assert.equal(world.hub.lines.filter(({ event }) => event === "run.nobody_mailed").length, 2);
  }));

test("who names a contact may see people and approve runs, as the mails' reader may", () =>
  feeding(async ({ hub }) => {
    const json = { connector: "csv-upload", name: "Mine", technical_contact: "me@acme.test" };
    for (
      const [scopes, status] of [
        [["connections:write"], 403],
        [["connections:write", "runs:approve"], 403],
        [["connections:write", "runs:approve", "users:read"], 201],
      ] as const
    ) {
      const ask = createAsk(hub, await createTestToken(hub, { scopes: [...scopes] }));
      assert.equal((await ask("/v1/connections", { json })).status, status, scopes.join());
    }
  }));
