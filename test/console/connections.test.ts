/** The console's pages of connections: what an admin sees and does there, and what others cannot. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createApp } from "../../src/http/app.ts";
import type { Scope } from "../../src/model/scope.ts";
import { formIn, signIn, type Visitor } from "../support/console.ts";
import { createTestToken } from "../support/hub.ts";
import { crowd, csv, HEADER, type Importing, importing } from "../support/imports.ts";

const COLUMNS = `${HEADER},is_active,title`;
const MARKUP = "<img src=x onerror=alert(1)>";
const READS: Scope[] = ["users:read", "runs:read", "connections:read"];

async function signedIn(world: Importing, scopes: Scope[] = ["admin"]): Promise<Visitor> {
  return await signIn(world.hub, await createTestToken(world.hub, { scopes }));
}

test("the list says of each connection whether it works, what came last, when the next is due and who is mailed", () =>
  importing(async (world) => {
    await world.connect("bamboo", { connector: "bamboohr", settings: { subdomain: "acme" } });
    await world.connect("quiet", { name: MARKUP, technical_contact: "hr@acme.test" });
    await world.import(csv(COLUMNS, ...crowd(2, 1, () => ",yes,")));
    await world.post("/v1/connections/api/pause");
    const page = await (await signedIn(world)).open("/o/default/connections");
    assert.equal(page.status, 200);
    assert.match(page.text, /connections\/csv"[\s\S]*?Works[\s\S]*?people\.csv[\s\S]*?2 people were created/);
    assert.match(page.text, /connections\/api"[\s\S]*?Paused/);
    assert.match(page.text, /connections\/bamboo"[\s\S]*?Not set up[\s\S]*?API key[\s\S]*?Next: /);
    assert.match(page.text, /connections\/quiet"[\s\S]*?New[\s\S]*?Mails go to hr@acme\.test/);
    assert.match(page.text, /Add a connection/);
    assert.ok(!page.text.includes(MARKUP));
    const looking = await (await signedIn(world, READS)).open("/o/default/connections");
    assert.match(looking.text, /Works/);
    assert.ok(!looking.text.includes("Add a connection"));
  }));

test("the latest run of a connection is shown to those alone who may see runs", () =>
  importing(async (world) => {
    const run = await world.import(csv(COLUMNS, ...crowd(2, 1, () => ",yes,")));
    const page = await (await signedIn(world, ["connections:read"])).open("/o/default/connections");
    assert.match(page.text, /connections\/csv"/);
    assert.ok(!page.text.includes(run.id) && !page.text.includes("people.csv"));
  }));
