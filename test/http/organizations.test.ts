import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";

let hub: TestHub;
let operator: Ask;
let admin: Ask;

before(async () => {
  hub = await createTestHub();
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
  assert.deepEqual(unknown.errors, [{ pointer: "/colour", detail: 'There is no field "colour" here' }]);
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
