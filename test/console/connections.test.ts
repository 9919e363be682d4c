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

test("a connection's page shows what is in force, with where each value comes from, in sentences", () =>
  importing(async (world) => {
    await world.connect("team", { connector: "sftp-drop", preset: "connecteam", name: "Team", settings: {} });
    await world.set("team", { policy: { missing: "deactivate" }, limits: { deactivate: { percent: 10 } } });
    const page = await (await signedIn(world, READS)).open("/o/default/connections/team");
    assert.equal(page.status, 200);
    const text = plainOf(page.text);
    assert.match(text, /Folder \/Uploads from the preset Connecteam/);
    assert.match(text, /Every day at 06:00 \(UTC\) from the preset Connecteam 2 March 2026|3 March 2026 at 06:00/);
    assert.match(text, /Coverage Only who changed from the preset Connecteam/);
    assert.match(text, /People who are missing from 2 full inputs in a row, and for 12 hours, are deactivated\. set here/);
    assert.match(text, /An empty cell changes nothing\. from the preset Connecteam/);
    assert.match(text, /New people are added\. default/);
    assert.match(text, /Up to 10% of the people may lose access without approval \(.*?, at most 500\)\. set here/);
    assert.ok(!/<form method="post" action="\/o\/default\/connections/.test(page.text), "who may only look has no forms");
    assert.ok(!page.text.includes("Change the settings"));
  }));

function plainOf(page: string): string {
  return page.replace(/<[^>]*>/g, " ").replace(/\s+/g, " ");
}
