/** Organizations are sealed off from each other: what one's provider keeps is not there for another's. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createOrganization } from "../../../src/store/organizations.ts";
import { createAsk, createTestToken } from "../../support/hub.ts";
import { GROUP, oktaUser, patchOf, scimming } from "../../support/scim.ts";

test("another organization's people and groups are not found, changed or listed, by whatever method", () =>
  scimming(async ({ world: { hub }, expect }) => {
    const ana = await expect(201, "POST", "/Users", oktaUser("ana@acme.test"));
    const ops = await expect(201, "POST", "/Groups", { schemas: [GROUP], displayName: "Ops", externalId: "ops" });
    await createOrganization(hub.db, { slug: "other", name: "Other", timezone: "UTC" }, hub.clock.ms);
    const admin = createAsk(hub, await createTestToken(hub, { organization: "other" }));
    const made = await admin("/v1/connections", { json: { connector: "scim", name: "Okta", slug: "okta" } });
    assert.equal(made.status, 201);
    const token = await admin("/v1/tokens", { json: { name: "okta", scopes: ["scim"], connection: "okta" } });
    const ask = createAsk(hub, (await token.json()).token);
    const send = (method: string, path: string, body?: object) =>
      ask(`/scim/v2/okta${path}`, {
        method,
        headers: { "content-type": "application/scim+json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const rename = patchOf({ op: "replace", path: "displayName", value: "Owned" });
    for (
      const [path, whole] of [[`/Users/${ana.id}`, oktaUser("ana@acme.test", { title: "Owned" })], [
        `/Groups/${ops.id}`,
        { schemas: [GROUP], displayName: "Owned" },
      ]] as const
    ) {
      for (const [method, body] of [["GET"], ["PUT", whole], ["PATCH", rename], ["DELETE"]] as const) {
        const answer = await send(method, path, body);
        assert.equal(answer.status, 404, `${method} ${path}`);
        await answer.body?.cancel();
      }
    }
    for (
      const list of [
        "/Users",
        '/Users?filter=userName eq "ana@acme.test"',
        "/Groups",
        '/Groups?filter=displayName eq "Ops"',
      ]
    ) {
      assert.equal((await (await send("GET", list.replaceAll(" ", "%20"))).json()).totalResults, 0, list);
    }
    // A group takes nobody of another organization.
    const theirs = await send("POST", "/Groups", {
      schemas: [GROUP],
      displayName: "Ops",
      members: [{ value: ana.id }],
    });
    assert.ok(theirs.status >= 400 || !(await theirs.text()).includes(ana.id));
    assert.equal((await expect(200, "GET", `/Users/${ana.id}`)).title ?? null, null);
    assert.equal((await expect(200, "GET", `/Groups/${ops.id}`)).displayName, "Ops");
  }));
