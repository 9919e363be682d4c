/** The operator's pages: what needs somebody in any organization, and what is done to many of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "drizzle-orm";
import { formIn, signIn, type Visitor } from "../support/console.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { crowd, csv, HEADER, importing } from "../support/imports.ts";

const MARKUP = "<img src=x onerror=alert(1)>";
const PAGES = ["/o", "/operator/bridges", "/operator/connectors", "/operator/templates"];

interface World {
  readonly hub: TestHub;
  readonly ask: Ask;
  readonly operator: Visitor;
}

async function signedIn(hub: TestHub): Promise<World> {
  const token = await createTestToken(hub, { scopes: ["admin", "operator"] });
  return { hub, ask: createAsk(hub, token), operator: await signIn(hub, token) };
}

async function withOperator(story: (world: World) => Promise<void>): Promise<void> {
  const hub = await createTestHub();
  try {
    await story(await signedIn(hub));
  } finally {
    hub.close();
  }
}

test("an organization is added, and leads to its own pages", async () => {
  await withOperator(async ({ operator, ask }) => {
    const page = await operator.open("/o");
    const wrong = await operator.send(page, "/o", { name: "Acme", slug: "Acme!", timezone: "" });
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /value="Acme!"/);
    assert.match(wrong.text, /lower-case letters/);
    const made = await operator.send(wrong, "/o", { name: "Acme", slug: "acme", timezone: "Europe/Berlin" });
    assert.equal(made.path, "/o/acme");
    assert.equal((await (await ask("/v1/organizations/acme")).json()).timezone, "Europe/Berlin");
    assert.match((await operator.open("/o")).text, /\/o\/acme">Acme</);
    assert.equal((await operator.send(page, "/o", { name: "Twice", slug: "acme" })).status, 409);
  });
});

test("the list says what needs somebody in each organization, from the API and of that organization alone", async () => {
  await importing(async (world) => {
    const { operator, ask } = await signedIn(world.hub);
    await ask("/v1/organizations", { json: { slug: "calm", name: "Calm" } });
    await world.import(csv(`${HEADER},is_active`, ...crowd(40, 1, () => ",yes")));
    await world.import(csv(`${HEADER},is_active`, ...crowd(40, 1, (i) => i <= 12 ? ",no" : ",yes")));
    const listed = async () =>
      new Map((await (await ask("/v1/organizations")).json()).data.map((
        { slug, figures }: { slug: string; figures: object },
      ) => [slug, figures]));
    const connections = (await (await ask("/v1/connections")).json()).data.length;
    const calm = { connections: 2, failing_connections: 0, overdue_connections: 0, held_runs: 0, lying_files: 0 };
    assert.deepEqual((await listed()).get("default"), { ...calm, connections, held_runs: 1 });
    assert.deepEqual((await listed()).get("calm"), calm);
    assert.match(
      (await operator.open("/o")).text,
      /Needs somebody[\s\S]*1 run needs approval[\s\S]*Calm[\s\S]*In order/,
    );
    const { db, organization } = world.hub;
    const lying = JSON.stringify([{ name: "a.csv", since: 1, why: "empty" }, {
      name: "b.csv",
      since: 1,
      why: "empty",
    }]);
    const csvOf = sql`select id from connections where organization_id = ${organization.id} and slug = 'csv'`;
    await db.write([
      db.run(sql`update connections set failures_in_a_row = 3 where id = (${csvOf})`),
      db.run(sql`insert into bridge_states (connection_id, organization_id, lying)
        values ((${csvOf}), ${organization.id}, ${lying})`),
    ]);
    assert.deepEqual((await listed()).get("default"), {
      ...calm,
      connections,
      held_runs: 1,
      failing_connections: 1,
      lying_files: 2,
    });
    assert.deepEqual((await listed()).get("calm"), calm);
    assert.match(
      (await operator.open("/o")).text,
      /Does not work[\s\S]*1 feed does not work[\s\S]*2 files are not used/,
    );
  });
});

test("connectors are listed with their versions", async () => {
  await withOperator(async ({ operator }) => {
    assert.match((await operator.open("/operator/connectors")).text, /csv-upload 1\.0\.0[\s\S]*Works/);
    assert.match((await operator.open("/operator/bridges")).text, /No bridge has introduced itself/);
  });
});

test("the operator's pages and forms are for operators alone, from their own session's forms", async () => {
  await withOperator(async ({ hub, ask, operator }) => {
    const template = await (await ask("/v1/connection-templates", { json: TEMPLATE })).json();
    const pages = [...PAGES, `/operator/templates/${template.id}`];
    const posts = ["/o", `/operator/templates/${template.id}/plan`, `/operator/templates/${template.id}/apply`];
    const fields = { name: "Mine", slug: "mine", organizations: "default" };
    const admin = await signIn(hub, await createTestToken(hub));
    const { fields: own } = formIn((await admin.open("/o/default/account")).text, "/sign-out");
    const headers = { "sec-fetch-site": "same-origin" };
    const post = (visitor: Visitor, path: string, form: string) =>
      visitor.ask(path, { method: "POST", headers, body: new URLSearchParams({ ...fields, form }) });
    for (const path of pages) {
      assert.equal((await admin.open(path)).status, 403, path);
      assert.equal((await operator.open(path)).status, 200, path);
    }
    for (const path of posts) {
      assert.equal((await post(admin, path, own.form!)).status, 403, path);
      assert.equal((await post(operator, path, "0")).status, 403, `${path} without the session's own form`);
    }
    assert.equal((await (await ask("/v1/organizations")).json()).data.length, 1);
    assert.deepEqual((await (await ask(`/v1/connection-templates/${template.id}/connections`)).json()).data, []);
  });
});

test("names that are markup stay text on the operator's pages", async () => {
  await withOperator(async ({ operator, ask }) => {
    await ask("/v1/organizations", { json: { slug: "markup", name: MARKUP } });
    const template = await (await ask("/v1/connection-templates", { json: { ...TEMPLATE, name: MARKUP } })).json();
    for (const path of [...PAGES, `/operator/templates/${template.id}`]) {
      const page = await operator.open(path);
      assert.equal(page.status, 200, path);
      assert.ok(!page.text.includes(MARKUP), path);
    }
  });
});

const TEMPLATE = { connector: "csv-upload", name: "Nightly file", slug: "nightly", policy: { missing: "deactivate" } };

test("a template is looked at in each organization before it is applied, and is not applied as it was not shown", async () => {
  await withOperator(async ({ operator, ask }) => {
    await ask("/v1/organizations", { json: { slug: "acme", name: "Acme" } });
    const { id } = await (await ask("/v1/connection-templates", { json: TEMPLATE })).json();
    assert.match((await operator.open("/operator/templates")).text, /Nightly file/);
    const page = await operator.open(`/operator/templates/${id}`);
    assert.match(page.text, /No connection follows it yet/);
    const uses = async () => (await (await ask(`/v1/connection-templates/${id}/connections`)).json()).data;
    const nobody = await operator.send(page, "/plan", { organizations: " " });
    assert.equal(nobody.status, 400);
    const planned = await operator.send(page, "/plan", { organizations: "acme\ndefault nowhere" });
    assert.match(planned.text, /Would be added[\s\S]*nowhere/);
    assert.deepEqual(await uses(), [], "nothing is done yet");
    await ask(`/v1/connection-templates/${id}`, { method: "PATCH", json: { policy: { missing: "keep" } } });
    const stale = await operator.send(planned, "/apply");
    assert.equal(stale.status, 412);
    assert.deepEqual(await uses(), []);
    const again = await operator.send(page, "/plan", { organizations: "acme" });
    const done = await operator.send(again, "/apply");
    assert.match(done.text, /Was added/);
    assert.deepEqual((await uses()).map((use: { organization: { slug: string } }) => use.organization.slug), ["acme"]);
    assert.match((await operator.open(`/operator/templates/${id}`)).text, /acme[\s\S]*nightly/);
  });
});
