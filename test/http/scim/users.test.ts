/** Users by SCIM: what providers send is planned, guarded and applied like any other input of the connection. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HOUR_MS } from "../../support/imports.ts";
import { ENT, type Json, oktaUser, OWN, patchOf, scimming } from "../../support/scim.ts";

test("a user is created, read, found, changed and deleted", () =>
  scimming(async ({ world, send, expect }) => {
    const created = await send("POST", "/Users", oktaUser("ann@example.com", { [ENT]: { employeeNumber: "007" } }));
    assert.equal(created.status, 201, JSON.stringify(created.body));
    const { id, meta } = created.body;
    assert.equal(created.headers.get("location"), meta.location);
    assert.equal(meta.location, `http://hub.example.com/scim/v2/okta/Users/${id}`);
    assert.equal(meta.created, meta.lastModified);
    assert.equal(created.headers.get("etag"), meta.version);
    assert.match(created.headers.get("content-type")!, /^application\/scim\+json/);
    assert.equal(created.body.password, undefined);
    assert.equal(created.body.externalId, "00u-ann");
    assert.equal(created.body[ENT].employeeNumber, "007");
    const person = await world.person("ann@example.com");
    assert.equal(person.id, id);
    assert.equal(person.employee_id, "007");

    assert.deepEqual(await expect(200, "GET", `/Users/${id}`), created.body);
    const found = await expect(200, "GET", `/Users?filter=${encodeURIComponent('userName eq "ANN@example.com"')}`);
    assert.equal(found.totalResults, 1);
    assert.deepEqual(found.Resources, [created.body]);

    const changed = await expect(200, "PUT", `/Users/${id}`, { ...created.body, title: "Lead" });
    assert.equal(changed.title, "Lead");
    const patched = await expect(200, "PATCH", `/Users/${id}`, patchOf({ op: "replace", value: { title: "Boss" } }));
    assert.equal(patched.title, "Boss");
    assert.equal((await world.person("ann@example.com")).title, "Boss");

    assert.equal((await send("DELETE", `/Users/${id}`)).status, 204);
    assert.equal((await world.person("ann@example.com")).status, "inactive");
    for (
      const [method, body] of [["GET"], ["DELETE"], ["PUT", created.body], [
        "PATCH",
        patchOf({ op: "remove", path: "title" }),
      ]]
    ) {
      await expect(404, method as string, `/Users/${id}`, body);
    }
    assert.equal((await expect(200, "GET", "/Users")).totalResults, 0);
  }));

test("deactivated people stay readable, and come back by PATCH, PUT, or a new POST with the old externalId", () =>
  scimming(async ({ world, expect }) => {
    const ann = await expect(201, "POST", "/Users", oktaUser("ann@example.com"));
    const status = async () => (await world.person("ann@example.com")).status;
    await expect(200, "PATCH", `/Users/${ann.id}`, patchOf({ op: "Replace", path: "active", value: "False" }));
    assert.equal(await status(), "inactive");
    assert.equal((await expect(200, "GET", `/Users/${ann.id}`)).active, false);
    await expect(200, "PATCH", `/Users/${ann.id}`, patchOf({ op: "replace", path: "active", value: true }));
    assert.equal(await status(), "active");
    world.later(2 * HOUR_MS);
    await expect(200, "PUT", `/Users/${ann.id}`, { ...ann, active: false });
    assert.equal(await status(), "inactive");
    const again = await expect(201, "POST", "/Users", oktaUser("ann@example.com", { title: "Lead" }));
    assert.equal(again.id, ann.id);
    assert.equal(again.title, "Lead");
    assert.equal(await status(), "active");
    world.later(2 * HOUR_MS);
    await expect(204, "DELETE", `/Users/${ann.id}`);
    const back = await expect(
      201,
      "POST",
      "/Users",
      oktaUser("anna@example.com", { externalId: "00u-ann", name: { givenName: "Ann", familyName: "Lee" } }),
    );
    assert.equal(back.id, ann.id);
    assert.equal(back.userName, "anna@example.com");
  }));

test("a second user with the same name in any case is refused with 409, and so is one more POST", () =>
  scimming(async ({ expect }) => {
    await expect(201, "POST", "/Users", oktaUser("ann@example.com"));
    for (const other of [oktaUser("ann@example.com"), oktaUser("ANN@example.com", { externalId: "other" })]) {
      const refused = await expect(409, "POST", "/Users", other);
      assert.deepEqual([refused.status, refused.scimType], ["409", "uniqueness"]);
    }
    const bo = await expect(201, "POST", "/Users", oktaUser("bo@example.com"));
    await expect(
      409,
      "PATCH",
      `/Users/${bo.id}`,
      patchOf({ op: "replace", path: "userName", value: "Ann@example.com" }),
    );
    await expect(409, "PUT", `/Users/${bo.id}`, { ...bo, userName: "ann@EXAMPLE.com" });
    await expect(
      200,
      "PATCH",
      `/Users/${bo.id}`,
      patchOf({ op: "replace", path: "userName", value: "BO@example.com" }),
    );
  }));

test("somebody whom another connection knows is found by their email, not made twice", () =>
  scimming(async ({ world, expect }) => {
    await world.import("employee_id,email,first_name,last_name,title\nE1,ann@example.com,Ann,Lee,Lead\n");
    const ann = await expect(201, "POST", "/Users", oktaUser("ann@example.com"));
    assert.equal(ann.id, (await world.person("E1")).id);
    assert.equal(ann[ENT].employeeNumber, "E1");
    assert.equal(ann.title, "Lead");
    assert.equal((await world.people()).length, 1);
    // A PUT without a title leaves what another connection has written.
    const { title: _, ...rest } = ann;
    assert.equal((await expect(200, "PUT", `/Users/${ann.id}`, rest)).title, "Lead");
    const { nickName: __, ...named } = await expect(200, "PUT", `/Users/${ann.id}`, { ...rest, nickName: "An" });
    assert.equal((await expect(200, "PUT", `/Users/${ann.id}`, named)).nickName, undefined);
  }));

test("a value that cannot be used is refused with the hub's own words, and nothing is stored", () =>
  scimming(async ({ world, expect }) => {
    const bad = await expect(400, "POST", "/Users", oktaUser("ann@example.com", { emails: [{ value: "ana@" }] }));
    assert.equal(bad.scimType, "invalidValue");
    assert.match(bad.detail, /email/);
    await expect(400, "POST", "/Users", { ...oktaUser("ann@example.com"), name: undefined });
    assert.equal((await world.people()).length, 0);
    await expect(201, "POST", "/Users", oktaUser("ann@example.com"));
  }));

test("managers are resources of the connection; an address or number of somebody is understood, too", () =>
  scimming(async ({ world, expect }) => {
    const bo = await expect(201, "POST", "/Users", oktaUser("bo@example.com", { [ENT]: { employeeNumber: "9" } }));
    const ann = await expect(201, "POST", "/Users", oktaUser("ann@example.com", { [ENT]: { manager: bo.id } }));
    assert.deepEqual(ann[ENT].manager, {
      value: bo.id,
      $ref: `http://hub.example.com/scim/v2/okta/Users/${bo.id}`,
      displayName: "Bo Lee",
    });
    await expect(200, "PATCH", `/Users/${ann.id}`, patchOf({ op: "remove", path: "manager" }));
    assert.equal((await world.person("ann@example.com")).manager, null);
    for (const value of ["9", "bo@example.com", { value: bo.id }]) {
      const path = `${ENT}:manager`;
      const shown = await expect(200, "PATCH", `/Users/${ann.id}`, patchOf({ op: "Add", path, value }));
      assert.equal(shown[ENT].manager.value, bo.id);
    }
    const stranger = "usr_00000000zzz";
    await expect(400, "PATCH", `/Users/${ann.id}`, patchOf({ op: "add", path: "manager", value: stranger }));
  }));

test("custom fields are an extension of the organization", () =>
  scimming(async ({ world, expect }) => {
    const put = (key: string, field: object) => world.ask(`/v1/custom-fields/${key}`, { method: "PUT", json: field });
    assert.equal((await put("floor", { label: "Floor", type: "number" })).status, 201);
    assert.equal((await put("skills", { label: "Skills", type: "multi_select", options: ["a", "b"] })).status, 201);
    const own = { floor: "3", skills: ["b"], hire_date: "2026-03-02", on_leave: "True" };
    const ann = await expect(201, "POST", "/Users", oktaUser("ann@example.com", { [OWN]: own }));
    assert.deepEqual(ann[OWN], { hire_date: "2026-03-02", on_leave: true, floor: 3, skills: ["b"] });
    const path = `${OWN}:skills`;
    const more = await expect(200, "PATCH", `/Users/${ann.id}`, patchOf({ op: "add", path, value: ["a"] }));
    assert.deepEqual(more[OWN].skills, ["a", "b"]);
    const find = async (filter: string): Promise<number> =>
      (await expect(200, "GET", `/Users?filter=${encodeURIComponent(filter)}`)).totalResults;
    assert.equal(await find(`${OWN}:floor gt 2`), 1);
    assert.equal(await find(`${OWN}:skills eq "B"`), 1);
    assert.equal(await find(`${OWN}:on_leave eq false`), 0);
    const schema = await expect(200, "GET", `/Schemas/${OWN}`);
    assert.deepEqual(schema.attributes.map(({ name }: Json) => name).slice(-2), ["floor", "skills"]);
  }));

test("tags: 304 for what is known, 412 for what has changed", () =>
  scimming(async ({ send, expect }) => {
    const ann = await expect(201, "POST", "/Users", oktaUser("ann@example.com"));
    const { version } = ann.meta, path = `/Users/${ann.id}`;
    assert.match(version, /^W\/"/);
    assert.equal((await send("GET", path, undefined, { "if-none-match": version })).status, 304);
    assert.equal((await send("PUT", path, { ...ann, title: "x" }, { "if-match": version })).status, 200);
    for (const [method, body] of [["PUT", ann], ["PATCH", patchOf({ op: "remove", path: "title" })], ["DELETE"]]) {
      const refused = await send(method as string, path, body, { "if-match": version });
      assert.deepEqual([refused.status, refused.body.status], [412, "412"]);
    }
  }));
