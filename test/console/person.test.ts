/** A person's page: merging with another record, taking that back, and erasing for good. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fillSearchIndex } from "../../src/store/people/search-index.ts";
import { signIn, signInMember, type Visitor } from "../support/console.ts";
import { createTestToken } from "../support/hub.ts";
import { csv, HEADER, type Importing, importing } from "../support/imports.ts";

async function signedIn(world: Importing, scopes: Parameters<typeof createTestToken>[1] = {}): Promise<Visitor> {
  return await signIn(world.hub, await createTestToken(world.hub, scopes));
}

const COLUMNS = `${HEADER},mobile_phone,department`;
const LINES = ["E1,ana@acme.test,Ana,Example,0170 1,Care", "E2,anna@acme.test,Ana,Example,,Ops"];

/** Two records of Ana, and the paths of their pages. */
async function twoAnas(world: Importing) {
  await world.connect("second");
  await world.import(csv(COLUMNS, LINES[0]!));
  await world.import(csv(COLUMNS, LINES[1]!), { connection: "second" });
  const [goes, stays] = [await world.person("E1"), await world.person("E2")];
  return { goes, stays, path: `/o/default/people/${goes.id}`, other: `/o/default/people/${stays.id}` };
}

test("two records of a person are merged after a look at what moves, and it is taken back", async () => {
  await importing(async (world) => {
    const { goes, stays, path, other } = await twoAnas(world), admin = await signedIn(world);
    const person = await admin.open(path);
    assert.match(person.text, /Merge with another record/);
    await fillSearchIndex(world.hub.db, { forMs: Infinity });
    const search = await admin.open(`${path}/merge`);
    assert.match(search.text, new RegExp(`merge\\?into=${stays.id}`));
    assert.ok(!search.text.includes(`into=${goes.id}`), "nobody is merged into themselves");
    const plan = await admin.open(`${path}/merge?into=${stays.id}`);
    assert.match(plan.text, /Its row of CSV upload \(E1\)/);
    assert.match(plan.text, /<del>Care<\/del>[\s\S]*<ins>Ops<\/ins>/);
    assert.match(plan.text, /Values that the other lacks: Mobile phone/);
    assert.match(plan.text, /<del>ana@acme\.test<\/del>[\s\S]*<ins>anna@acme\.test<\/ins>/);
    assert.equal((await world.people()).length, 2, "nothing is changed by looking");
    const merged = await admin.send(plan, "/merge", { mode: "apply" });
    assert.equal(merged.path, path);
    assert.match(merged.text, new RegExp(`merged into <a href="${other}">`));
    assert.equal((await world.people()).length, 1);
    assert.equal((await admin.send(plan, "/merge", { mode: "apply" })).path, path, "done once");
    const undone = await admin.send(merged, "/merge/undo");
    assert.match(undone.text, /ana@acme\.test/);
    assert.equal((await world.people()).length, 2);
    assert.equal((await admin.send(merged, "/merge/undo")).status, 404, "there is no merge any more");
  });
});

test("records that look like two people are merged only by somebody who says that they are one", async () => {
  await importing(async (world) => {
    const { stays, path } = await twoAnas(world), admin = await signedIn(world);
    await world.edit(stays, { first_name: "Zoe", last_name: "Other" });
    const plan = await admin.open(`${path}/merge?into=${stays.id}`);
    assert.match(plan.text, /They look like two people/);
    const unsure = await admin.send(plan, "/merge", { mode: "apply" });
    assert.equal(unsure.status, 409);
    assert.match(unsure.text, /Nothing was merged/);
    await admin.send(unsure, "/merge", { mode: "apply", same_person: "yes" });
    assert.equal((await world.people()).length, 1);
    const gone = await admin.open(`${path}/merge?into=usr_00000000099`);
    assert.equal(gone.status, 404);
  });
});

test("where both have a row of one connection, one is given up on the page", async () => {
  await importing(async (world) => {
    await world.import(csv(COLUMNS, ...LINES));
    const [goes, stays] = [await world.person("E1"), await world.person("E2")], admin = await signedIn(world);
    const plan = await admin.open(`/o/default/people/${goes.id}/merge?into=${stays.id}`);
    assert.match(plan.text, /CSV upload: give up E1/);
    const [{ connection_id }] = goes.sources as unknown as [{ connection_id: string }];
    const looked = await admin.send(plan, "/merge", { mode: "plan", unlink: connection_id });
    assert.match(looked.text, /Given up: its row of CSV upload \(E1\)/);
    assert.match(looked.text, /name="unlink" value="con_\w+" checked/);
    const fields = { mode: "apply", same_person: "yes" };
    assert.equal((await admin.send(looked, "/merge", fields)).status, 409, "without the tick the row is in the way");
    assert.equal((await admin.send(looked, "/merge", { ...fields, unlink: connection_id })).status, 200);
    assert.equal((await world.people()).length, 1);
  });
});

test("a person is erased for good once somebody has ticked that they are sure", async () => {
  await importing(async (world) => {
    const { goes, path } = await twoAnas(world), admin = await signedIn(world);
    const question = await admin.open(`${path}/erase`);
    assert.match(question.text, /Erase Ana Example\?[\s\S]*Stored files in which they may be, of CSV upload/);
    const unsure = await admin.send(question, "/erase");
    assert.equal(unsure.status, 400);
    assert.match(unsure.text, /has to be ticked/);
    await world.edit(goes, { title: "Lead" });
    const stale = await admin.send(unsure, "/erase", { sure: "yes" });
    assert.equal(stale.status, 412);
    assert.ok(!/name="sure"[^>]*checked/.test(stale.text), "what has changed is looked at first");
    const erased = await admin.send(stale, "/erase", { sure: "yes" });
    assert.equal(erased.path, path);
    assert.match(erased.text, /Erased [\s\S]*Out of Muster’s reach[\s\S]*Backups/);
    assert.ok(!erased.text.includes("Ana"));
    assert.ok(!erased.text.includes("Erase…"));
    assert.deepEqual((await world.people()).map(({ email }) => email).sort(), ["anna@acme.test", null].sort());
  });
});

test("all that is kept about a person is downloaded from their page, and is in the audit", async () => {
  await importing(async (world) => {
    const { path } = await twoAnas(world), viewer = await signedIn(world, { scopes: ["users:read"] });
    const [, file] = /"([^"]*record\.json)"/.exec((await viewer.open(path)).text)!;
    const answer = await viewer.ask(file!);
    assert.match(answer.headers.get("content-disposition")!, /attachment.*\.json/);
    assert.match(await answer.text(), /ana@acme\.test/);
    assert.equal((await (await world.ask("/v1/audit?action=user.record_read")).json()).data.length, 1);
  });
});

test("who may not merge or erase sees no way to, and is refused", async () => {
  await importing(async (world) => {
    const { stays, path } = await twoAnas(world), admin = await signedIn(world);
    const forms = {
      merge: await admin.open(`${path}/merge?into=${stays.id}`),
      erase: await admin.open(`${path}/erase`),
    };
    for (const role of ["viewer", "approver"] as const) {
      const { visitor } = await signInMember(world.hub, { role });
      const page = await visitor.open(path);
      assert.ok(!/Merge with|Erase…/.test(page.text), role);
      for (const [name, form] of Object.entries(forms)) {
        assert.equal((await visitor.open(`${path}/${name}`)).status, 403, `${role} ${name}`);
        const own = /name="form" value="([^"]*)"/.exec((await visitor.open("/o/default/account")).text)![1]!;
        const fields = { form: own, mode: "apply", same_person: "yes", sure: "yes" };
        assert.equal((await visitor.send(form, `/${name}`, fields)).status, 403, `${role} ${name}`);
      }
    }
    assert.equal((await world.people()).length, 2);
  });
});
