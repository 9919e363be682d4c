import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sql } from "drizzle-orm";
import { HUB } from "../../src/model/audit.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { lookAtClocks } from "../../src/sources/clocks.ts";
import { decodeId } from "../../src/model/id.ts";
import { runCourier } from "../../src/notify/courier.ts";
import { WELL } from "../../src/model/mail-rules.ts";
import { runNext } from "../../src/runs/next.ts";
import { fillSearchIndex } from "../../src/store/people/search-index.ts";
import { listUnsealed, sealAudit } from "../../src/store/audit.ts";
import { askCheck } from "../../src/store/bridges/bridge-states.ts";
import { findConnection } from "../../src/store/connections/connections.ts";
import { bridgeStates } from "../../src/store/bridges/schema-bridge.ts";
import { erasures, treeErasures } from "../../src/store/people/schema-erasures.ts";
import { groupMembers, groups, scimUsers } from "../../src/store/scim/schema.ts";
import { merges } from "../../src/store/people/schema-merges.ts";
import { identityDecisions } from "../../src/store/people/schema-identities.ts";
import { mails, mailStates } from "../../src/store/notify/schema-mails.ts";
import {
  authorizations,
  connectionClocks,
  connectionSecrets,
  connectionUpgrades,
  fetches,
} from "../../src/store/connections/schema-sources.ts";
import { templateUses } from "../../src/store/connections/schema-templates.ts";
import { leavers, recalls } from "../../src/store/people/schema.ts";
import { runNames, runs } from "../../src/store/runs/schema.ts";
import { sessions, signInLinks } from "../../src/store/schema-sessions.ts";
import { reserve } from "../../src/store/sequences.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { handOverOne, introduceBridge } from "../support/introduce.ts";

let hub: TestHub;
let operator: Ask;
let admin: Ask;

before(async () => {
  hub = await createTestHub({ registry: createRegistry() });
  operator = createAsk(hub, await createTestToken(hub, { scopes: ["admin", "operator"] }));
  admin = createAsk(hub, await createTestToken(hub));
});
after(() => hub.close());

test("an operator makes an organization, which has the connections csv and api from the start", async () => {
  const made = await operator("/v1/organizations", { json: { slug: "acme", name: "Acme", timezone: "Europe/Berlin" } });
  assert.equal(made.status, 201);
  const organization = await made.json();
  assert.match(organization.id, /^org_/);
  assert.deepEqual(organization.required_fields, ["email", "first_name", "last_name"]);

  const listed = await (await operator("/v1/connections", { headers: { "muster-organization": "acme" } })).json();
  assert.deepEqual(
    listed.data.map(({ slug, connector }: Record<string, string>) => [slug, connector]),
    [["csv", "csv-upload"], ["api", "rest-import"]],
  );
});

test("a taken slug, a time zone that is none and an unknown field are each refused by name", async () => {
  await operator("/v1/organizations", { json: { slug: "taken", name: "Taken" } });
  const again = await operator("/v1/organizations", { json: { slug: "taken", name: "Again" } });
  assert.equal(again.status, 409);
  assert.equal((await again.json()).detail, 'There is already an organization "taken"');

  const zone = await (await operator("/v1/organizations", { json: { slug: "z", name: "Z", timezone: "Mars/Base" } }))
    .json();
  assert.deepEqual(zone.errors, [{ pointer: "/timezone", detail: "should be an IANA time zone, like Europe/Berlin" }]);

  const unknown = await (await operator("/v1/organizations", { json: { slug: "u", name: "U", colour: "red" } })).json();
  assert.equal(unknown.code, "invalid_request");
  assert.deepEqual(unknown.errors, [{ pointer: "/colour", detail: 'Unknown field "colour"' }]);
});

test("organizations are for operators; an organization's own is for everyone in it and changed by its admin", async () => {
  assert.equal((await admin("/v1/organizations")).status, 403);
  assert.equal((await admin("/v1/organizations", { json: { slug: "x", name: "X" } })).status, 403);
  assert.equal((await (await admin("/v1/organization")).json()).slug, "default");
  const reader = createAsk(hub, await createTestToken(hub, { scopes: ["users:read"] }));
  assert.equal((await reader("/v1/organization")).status, 200);
  assert.equal((await reader("/v1/organization", { method: "PATCH", json: { name: "N" } })).status, 403);
});

test("required fields and time zone move what rows mean; a stale If-Match changes nothing", async () => {
  const { findOrganizationNamed } = await import("../../src/store/organizations.ts");
  const first = await admin("/v1/organization");
  const tag = first.headers.get("etag")!;
  const stored = (await findOrganizationNamed(hub.db, "default"))!;

  const changed = await admin("/v1/organization", {
    method: "PATCH",
    json: { required_fields: ["employee_id"], technical_contact: "it@acme.test" },
    headers: { "if-match": tag },
  });
  assert.equal(changed.status, 200);
  assert.notEqual(changed.headers.get("etag"), tag);
  const moved = (await findOrganizationNamed(hub.db, "default"))!;
  assert.equal(moved.referenceVersion, stored.referenceVersion + 1);
  assert.equal(moved.dataVersion, stored.dataVersion + 1);

  const stale = await admin("/v1/organization", {
    method: "PATCH",
    json: { name: "Late" },
    headers: { "if-match": tag },
  });
  assert.equal(stale.status, 412);
  assert.equal((await stale.json()).code, "stale");
  assert.equal((await (await admin("/v1/organization")).json()).name, "Default");

  await admin("/v1/organization", { method: "PATCH", json: { name: "Renamed" } });
  assert.equal((await findOrganizationNamed(hub.db, "default"))!.referenceVersion, moved.referenceVersion);
});

/** The hub's own, in which nothing says whose it is: numbers, sums, the id of a key, and who serves everybody. */
const OF_THE_HUB = [
  "sequences",
  "senders",
  "tallies",
  "master_keys",
  "schema_versions",
  "hub_marks",
  "bridges",
  "connection_templates",
  // The inside of the search index, whose words are in user_words.
  "user_words_config",
  "user_words_data",
  "user_words_idx",
];

/** Rows of every table, by table, that the organization's end must not leave or must not touch. */
async function countRows(): Promise<Record<string, number>> {
  for (const id of await listUnsealed(hub.db)) await sealAudit(hub.db, id);
  const tables = await hub.db.rows<[string]>(sql`select name from sqlite_master where type = 'table'
    and name not in (select value from json_each(${
    JSON.stringify(OF_THE_HUB)
  })) and name not like 'sqlite_%' and substr(name, 1, 2) <> '__'`);
  const counts: Record<string, number> = {};
  for (const [name] of tables) {
    counts[name] = (await hub.db.rows<[number]>(sql`select count(*) from ${sql.identifier(name)}`))[0]![0];
  }
  return counts;
}

const NOTHING_MOVED = {
  image: [],
  guardedLeaving: null,
  leftSince: null,
  before: {},
  after: {},
  links: [],
  unlinked: [],
  reports: [],
  decisions: [],
};

test("an organization goes with everything that is its own, and nothing of another's does", async () => {
  const carry = async () => {
    while (await runNext(hub, { signal: new AbortController().signal, owner: "test" }) !== null);
  };
  const bridge = await introduceBridge(hub, operator);
  const fill = async (ask: Ask) => {
    const manager = "email,first_name,last_name,manager_email,department_name,title\n" +
      "ana@example.com,Ana,Lopez,nobody@example.com,Finance,Lead\nbo@,Bo,Berg,,,\n" +
      "cy@example.com,Cy,Chan,ana@example.com,,\n";
    await ask("/v1/custom-fields/floor", { method: "PUT", json: { type: "number" } });
    assert.equal((await ask("/v1/connections/csv/pgp-keys", { json: { type: "ecc" } })).status, 201);
    await ask("/v1/connections/csv/drops", { body: manager, headers: { "content-type": "text/csv" } });
    const key = { "idempotency-key": "one" };
    const opened = await ask("/v1/connections/csv/uploads", { json: { name: "a.csv" }, headers: key });
    const { upload } = await opened.json();
    assert.equal((await ask(`/v1/uploads/${upload.id}/parts/1`, { method: "PUT", body: "x" })).status, 204);
    await carry();
    await ask("/v1/organization/links", { method: "DELETE" });
    const [run] = (await (await ask("/v1/runs")).json()).data;
    assert.equal((await ask(`/v1/runs/${run.id}/links`, { json: {} })).status, 201);
    const hook = await (await ask("/v1/webhook-endpoints", { json: { url: "https://hooks.example.com/" } })).json();
    await ask(`/v1/webhook-endpoints/${hook.id}/test`, { method: "POST" });
    await runCourier(hub, { sender: { name: "test" }, lookEveryMs: 5, untilIdle: true });
    await ask("/v1/connections", {
      json: { connector: "fetched", name: "hr", secrets: { api_key: "k" }, schedule: { every_minutes: 60 } },
    });
    await ask("/v1/connections/hr/authorize", { method: "POST" });
    await ask("/v1/connections/hr/runs", { method: "POST" });
    await lookAtClocks(hub);
    const { id } = await (await ask("/v1/organization")).json();
    const of = { organizationId: decodeId("org", id)!, connectionId: await reserve(hub.db, "connection") };
    await hub.db.write([
      hub.db.orm.insert(mails).values({
        ...of,
        id: await reserve(hub.db, "mail"),
        type: "run.failures",
        facts: {},
        dueAt: 0,
        createdAt: 0,
      }),
      hub.db.orm.insert(erasures).values({
        organizationId: of.organizationId,
        userId: of.connectionId,
        erasedAt: 0,
        askedAt: 0,
        counts: { changes: 0, report_rows: 0, drops: 0, uploads: 0 },
        connections: [],
      }),
      hub.db.orm.insert(identityDecisions).values({
        ...of,
        userId: of.connectionId,
        kind: "accept",
        fingerprint: "f",
        createdAt: 0,
      }),
      hub.db.orm.insert(merges).values({
        organizationId: of.organizationId,
        userId: of.connectionId,
        intoId: of.connectionId,
        moved: NOTHING_MOVED,
        mergedAt: 0,
        undoUntil: hub.clock.ms,
      }),
      hub.db.orm.insert(scimUsers).values({
        ...of,
        sourceKey: "k",
        userName: "ann",
        folded: "ann",
        createdAt: 0,
        updatedAt: 0,
      }),
      hub.db.orm.insert(groups).values({
        ...of,
        id: of.connectionId,
        name: "Ops",
        folded: "ops",
        createdAt: 0,
        updatedAt: 0,
      }),
      hub.db.orm.insert(groupMembers).values({
        organizationId: of.organizationId,
        groupId: of.connectionId,
        userId: of.connectionId,
      }),
      hub.db.orm.insert(runNames).values({ ...of, runId: of.connectionId, name: "n", place: 1 }),
      hub.db.orm.insert(treeErasures).values({ ...of, userId: of.connectionId, bridgeId: 1, askedAt: 0 }),
      hub.db.orm.insert(mailStates).values({ ...of, entity: "users", feed: WELL }),
      hub.db.orm.insert(fetches).values({ ...of, runId: of.connectionId, createdAt: 0, endedAt: 0 }),
      hub.db.orm.insert(connectionClocks).values(of),
      hub.db.orm.insert(connectionUpgrades).values({
        ...of,
        version: "1.0.0",
        digest: "d1",
        settings: {},
        settingsAfter: {},
        renamed: {},
        settingsVersion: 1,
        upgradedAt: 0,
      }),
      hub.db.orm.insert(templateUses).values({ ...of, templateId: 1, version: 1, applied: {}, appliedAt: 0 }),
      hub.db.orm.insert(connectionSecrets).values({ ...of, name: "api_key", sealed: "…", updatedAt: 0 }),
      hub.db.orm.insert(authorizations).values({
        ...of,
        state: id,
        connectionVersion: 1,
        verifier: "…",
        actor: { kind: "token", id: null, name: null },
        expiresAt: 0,
      }),
    ]);
    const drops = await (await ask("/v1/connections", { json: { connector: "sftp-drop", name: "Drops" } })).json();
    const answers = await Promise.all([
      ask(`/v1/connections/${drops.id}/sftp-login`, { json: { method: "key_pair" } }),
      ask(`/v1/connections/${drops.id}/pgp-keys`, { json: { type: "ecc" } }),
    ]);
    for (const answer of answers) assert.equal(answer.status, 201, await answer.text());
    await handOverOne(bridge, drops.id);
    const connection = (await findConnection(hub.db, of.organizationId, drops.id))!;
    await askCheck(hub.db, connection, hub.clock.ms, HUB);
    await hub.db.write([
      hub.db.orm.insert(bridgeStates).values({ organizationId: of.organizationId, connectionId: connection.id }),
    ]);
    await carry();
    await runCourier(hub, { sender: { name: "test" }, lookEveryMs: 5, untilIdle: true });
    await ask("/v1/members", { json: { email: "ana@acme.test", role: "viewer" } });
    const session = { tokenId: 1, expiresAt: hub.clock.ms, usedAt: 0, createdAt: 0 };
    await hub.db.write([
      hub.db.orm.insert(sessions).values({
        ...of,
        ...session,
        id: await reserve(hub.db, "session"),
        hash: `s${of.organizationId}`,
      }),
      hub.db.orm.insert(signInLinks).values({ ...of, ...session, hash: `l${of.organizationId}`, isDirect: false }),
    ]);
    await hub.db.write([hub.db.orm.insert(recalls).values({ ...of, userId: 1 })]);
    await hub.db.write([hub.db.orm.insert(leavers).values({ ...of, userId: of.connectionId, since: 0 })]);
    await fillSearchIndex(hub.db, { forMs: 60_000 });
  };
  await fill(admin);
  const before = await countRows();

  const made = await (await operator("/v1/organizations", { json: { slug: "leaving", name: "Leaving" } })).json();
  const its = createAsk(hub, await createTestToken(hub, { organization: "leaving" }));
  await fill(its);
  const between = await countRows();
  // Filled and emptied within each batch.
  assert.equal(between.staged_users, 0);
  for (const [table, count] of Object.entries(before)) {
    if (table !== "staged_users" && table !== "search_removals") {
      assert.ok(between[table]! > count, `${table} has nothing of it`);
    }
  }

  assert.equal((await its(`/v1/organizations/${made.id}`, { method: "DELETE" })).status, 403);
  const answer = await operator(`/v1/organizations/${made.id}`, { method: "DELETE" });
  assert.equal(answer.status, 204);
  // Words go behind it, for there may be a million.
  assert.equal(await fillSearchIndex(hub.db, { forMs: 60_000 }), true);
  // All that stays is what the operator reads: that it was made, and that it was deleted.
  const { audit_entries, audit_seals } = before;
  assert.deepEqual(await countRows(), { ...before, audit_entries: audit_entries! + 2, audit_seals: audit_seals! + 2 });
  assert.equal((await its("/v1/users")).status, 401);
  assert.equal((await operator(`/v1/organizations/${made.id}`)).status, 404);
  assert.equal((await operator(`/v1/organizations/${made.id}`, { method: "DELETE" })).status, 404);
});

test("the organization default stays, and so does one with a run at work or another version than If-Match names", async () => {
  const kept = await operator("/v1/organizations/default", { method: "DELETE" });
  assert.equal(kept.status, 409);
  assert.match((await kept.json()).detail, /"default" cannot be deleted/);

  await operator("/v1/organizations", { json: { slug: "busy", name: "Busy" } });
  const its = createAsk(hub, await createTestToken(hub, { organization: "busy" }));
  await its("/v1/connections/csv/drops", { body: "email\n", headers: { "content-type": "text/csv" } });
  const before = await countRows();
  const stale = await operator("/v1/organizations/busy", { method: "DELETE", headers: { "if-match": '"7"' } });
  assert.equal(stale.status, 412);
  for (const status of ["planning", "applying"]) {
    await hub.db.write([
      hub.db.orm.update(runs).set({ status: status as "planning" }).where(
        sql`organization_id = (select id from organizations where slug = 'busy')`,
      ),
    ]);
    const refused = await operator("/v1/organizations/busy", { method: "DELETE" });
    assert.equal(refused.status, 409);
    assert.equal((await refused.json()).detail, 'A run of "busy" is active; cancel it or wait until it ends');
    assert.deepEqual(await countRows(), before);
  }
});

test("an operator reads and changes an organization by its slug or id, on top of the version that was read", async () => {
  await operator("/v1/organizations", { json: { slug: "moving", name: "Moving" } });
  const read = await operator("/v1/organizations/moving");
  const organization = await read.json();
  assert.deepEqual(await (await operator(`/v1/organizations/${organization.id}`)).json(), organization);

  const change = { method: "PATCH", json: { name: "Moved" }, headers: { "if-match": read.headers.get("etag")! } };
  const changed = await operator("/v1/organizations/moving", change);
  assert.equal(changed.status, 200);
  assert.equal((await changed.json()).name, "Moved");
  assert.equal((await operator("/v1/organizations/moving", change)).status, 412);
});
