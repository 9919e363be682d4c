/** What surrounds the resources: discovery, tokens, errors, media types, limits (RFC 7644, sections 2, 3.12, 4). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createAsk, createTestToken } from "../../support/hub.ts";
import { ENT, GROUP, type Json, oktaUser, OWN, patchOf, scimming, USER } from "../../support/scim.ts";

const ERROR = "urn:ietf:params:scim:api:messages:2.0:Error";

test("the configuration is read without a token, and says what there is", () =>
  scimming(async ({ world }) => {
    const answer = await createAsk(world.hub, null)("/scim/v2/okta/ServiceProviderConfig");
    assert.equal(answer.status, 200);
    const config = await answer.json();
    const { patch, bulk, filter, sort, etag, changePassword, pagination } = config;
    assert.deepEqual(
      [patch, sort, etag, changePassword, bulk.supported, filter.supported].map((each) => each.supported ?? each),
      [true, true, true, false, false, true],
    );
    assert.deepEqual([pagination.cursor, pagination.index, pagination.defaultPaginationMethod], [true, true, "index"]);
    assert.equal(config.authenticationSchemes[0].type, "oauthbearertoken");
    assert.equal(config.meta.location, "http://hub.example.com/scim/v2/okta/ServiceProviderConfig");
  }));

test("types and schemas are listed, and read one by one", () =>
  scimming(async ({ expect }) => {
    const types = await expect(200, "GET", "/ResourceTypes?count=1");
    assert.deepEqual(types.Resources.map(({ id }: Json) => id), ["User", "Group"]);
    assert.deepEqual(await expect(200, "GET", "/ResourceTypes/User"), types.Resources[0]);
    assert.deepEqual(types.Resources[0].schemaExtensions.map(({ schema }: Json) => schema), [ENT, OWN]);
    const schemas = await expect(200, "GET", "/Schemas");
    assert.deepEqual(schemas.Resources.map(({ id }: Json) => id), [USER, ENT, OWN, GROUP]);
    const user = await expect(200, "GET", `/Schemas/${USER}`);
    assert.deepEqual(user, schemas.Resources[0]);
    const { description: _, ...userName } = user.attributes.find(({ name }: Json) => name === "userName");
    assert.deepEqual(userName, {
      name: "userName",
      type: "string",
      multiValued: false,
      required: true,
      caseExact: false,
      mutability: "readWrite",
      returned: "default",
      uniqueness: "server",
    });
    for (const path of ["/ResourceTypes/Robot", "/Schemas/urn:x"]) await expect(404, "GET", path);
    for (const path of ["/ResourceTypes", "/Schemas"]) await expect(403, "GET", `${path}?filter=id%20pr`);
  }));

test("every refusal has the RFC's form, with its status as a text", () =>
  scimming(async ({ world, send }) => {
    const cases: readonly [status: number, method: string, path: string, body?: unknown][] = [
      [404, "GET", "/Users/usr_00000000zzz"],
      [404, "GET", "/Users/nobody"],
      [404, "GET", "/Robots"],
      [405, "PUT", "/Users", {}],
      [400, "POST", "/Users", "{"],
      [400, "POST", "/Users", ""],
      [400, "POST", "/Users", "[]"],
      [400, "POST", "/Users", '{"userName": "a", "userName": "b"}'],
      [400, "POST", "/Users", { schemas: [USER] }],
      [413, "POST", "/Users", { userName: "x".repeat(9_000_000) }],
      [501, "GET", "/Me"],
      [501, "POST", "/Bulk", {}],
    ];
    for (const [status, method, path, body] of cases) {
      const refused = await send(method, path, body);
      assert.equal(refused.status, status, `${method} ${path}: ${JSON.stringify(refused.body)}`);
      assert.deepEqual([refused.body.schemas, refused.body.status], [[ERROR], String(status)]);
      assert.ok(refused.body.detail.length > 5);
      assert.match(refused.headers.get("content-type")!, /^application\/scim\+json/);
    }
    const wrongType = await send("POST", "/Users", "x", { "content-type": "text/plain" });
    assert.deepEqual([wrongType.status, wrongType.body.schemas], [415, [ERROR]]);
    const logged = JSON.stringify(world.hub.lines);
    assert.ok(logged.includes("/scim/v2/:connection/Users"), logged.slice(0, 500));
    assert.ok(!logged.includes("nobody"));
  }));

test("a token is of one connection and does nothing else; others are refused with 401 or 403", () =>
  scimming(async ({ world, ask }) => {
    for (const path of ["/v1/users", "/v1/connections", "/v1/runs"]) assert.equal((await ask(path)).status, 403);
    const none = await createAsk(world.hub, null)("/scim/v2/okta/Users");
    assert.equal(none.status, 401);
    assert.match(none.headers.get("www-authenticate")!, /^Bearer/);
    assert.deepEqual([(await none.json()).status, none.headers.get("content-type")], [
      "401",
      "application/scim+json; charset=utf-8",
    ]);
    const reader = createAsk(world.hub, await createTestToken(world.hub, { scopes: ["users:read"] }));
    assert.equal((await reader("/scim/v2/okta/Users")).status, 403);
    const made = (more: object) => world.post("/v1/tokens", { name: "x", scopes: ["scim"], ...more });
    assert.equal((await made({})).status, 400);
    assert.equal((await made({ connection: "csv" })).status, 400);
    assert.equal((await made({ connection: "nowhere" })).status, 400);
    assert.equal((await made({ connection: "okta", scopes: ["scim", "users:read"] })).status, 400);
    assert.equal((await made({ connection: "okta", scopes: ["users:read"] })).status, 400);
    const { body } = await made({ connection: "okta" });
    assert.equal(body.connection, (await (await world.ask("/v1/connections/okta")).json()).id);
  }));

test("both media types are taken, with parameters, and no Accept is refused", () =>
  scimming(async ({ send }) => {
    const types = ["application/json", "application/scim+json;charset=UTF-8", "application/json; charset=utf-8"];
    for (const [i, type] of types.entries()) {
      const headers = { "content-type": type, accept: i === 0 ? "application/scim+json; charset=utf-8" : "*/*" };
      assert.equal((await send("POST", "/Users", oktaUser(`p${i}@example.com`), headers)).status, 201);
    }
  }));

test("Okta's test suite for specifications passes", () =>
  scimming(async ({ send, expect }) => {
    await expect(201, "POST", "/Users", oktaUser("first@example.com"));
    const one = await expect(200, "GET", "/Users?count=1&startIndex=1");
    assert.deepEqual([one.totalResults, one.itemsPerPage, one.startIndex], [1, 1, 1]);
    const { id, name, userName, active, emails } = one.Resources[0];
    assert.ok(id && name.givenName && name.familyName && userName && active === true && emails[0].value);
    await expect(200, "GET", `/Users/${id}`);
    const find = (who: string) =>
      expect(200, "GET", `/Users?filter=userName%20eq%20%22${who}%22&startIndex=1&count=100`);
    assert.equal((await find("nobody@example.com")).totalResults, 0);
    await expect(404, "GET", "/Users/00919288221112222");
    const runner = oktaUser("runscope@example.com");
    const created = await expect(201, "POST", "/Users", runner);
    assert.deepEqual([created.userName, created.name.givenName, created.active], [runner.userName, "Runscope", true]);
    await expect(200, "GET", `/Users/${created.id}`);
    await expect(409, "POST", "/Users", runner);
    assert.equal((await find("RUNSCOPE@example.com")).totalResults, 1);
    await expect(200, "GET", "/Groups?startIndex=1&count=100");
    assert.equal((await send("GET", "/Users", undefined, { authorization: "Bearer mus_x" })).status, 401);
  }));

test("Entra's connection test, matching and lifecycle pass in both dialects", () =>
  scimming(async ({ expect }) => {
    const find = async (filter: string): Promise<Json> =>
      await expect(200, "GET", `/Users?filter=${encodeURIComponent(filter)}`);
    assert.equal((await find('userName eq "5b1f0c9e-0000-4000-8000-000000000001"')).totalResults, 0);
    const ann = await expect(201, "POST", "/Users", {
      schemas: [USER, ENT],
      externalId: "a1",
      userName: "ann@example.com",
      active: true,
      displayName: "Ann Lee (Ops)",
      name: { givenName: "Ann", familyName: "Lee" },
      emails: [{ type: "work", value: "Ann@example.com", primary: true }],
      roles: [],
      title: null,
      meta: { resourceType: "User" },
    });
    assert.equal(ann.displayName, "Ann Lee (Ops)");
    assert.equal((await find('emails[type eq "work"].value eq "ann@EXAMPLE.com"')).Resources[0].id, ann.id);
    assert.equal((await find('externalId eq "a1"')).totalResults, 1);
    const path = `/Users/${ann.id}`;
    const plain = await expect(
      200,
      "PATCH",
      path,
      patchOf(
        { op: "Replace", path: "displayName", value: "Ann L" },
        { op: "Add", path: `${ENT}:department`, value: "Ops" },
        { op: "Add", path: 'phoneNumbers[type eq "mobile"].value', value: "+1 555 0100" },
        { op: "Add", path: 'addresses[type eq "work"].streetAddress', value: "Street 1" },
        { op: "Add", path: 'addresses[type eq "work"].locality', value: "Berlin" },
        { op: "Replace", path: "active", value: "True" },
      ),
    );
    assert.deepEqual([
      plain.displayName,
      plain[ENT].department,
      plain.phoneNumbers[0].value,
      plain.addresses[0].locality,
    ], [
      "Ann L",
      "Ops",
      "+1 555 0100",
      "Berlin",
    ]);
    const flagged = await expect(
      200,
      "PATCH",
      path,
      patchOf({
        op: "replace",
        value: { displayName: "Ann", "name.givenName": "Anna", [`${ENT}:employeeNumber`]: "7" },
      }),
    );
    assert.deepEqual([flagged.name.givenName, flagged[ENT].employeeNumber, flagged.displayName], ["Anna", "7", "Ann"]);
    const off = await expect(200, "PATCH", path, patchOf({ op: "Replace", path: "active", value: "False" }));
    assert.equal(off.active, false);
    await expect(204, "DELETE", path);
  }));

test("PingFederate puts whole users and JumpCloud its test user; what no provider keeps is dropped", () =>
  scimming(async ({ expect }) => {
    const ann = await expect(201, "POST", "/Users", oktaUser("ann@example.com", { title: "Lead", nickName: "An" }));
    const put = {
      schemas: [USER],
      userName: "ann@example.com",
      name: { givenName: "Ann", familyName: "Lee" },
      active: true,
    };
    const shown = await expect(200, "PUT", `/Users/${ann.id}`, { ...put, emails: ann.emails });
    assert.deepEqual([shown.title, shown.nickName, shown.emails[0].value], [undefined, undefined, "ann@example.com"]);
    assert.equal((await expect(200, "GET", '/Users?filter=emails%20eq%20"ann@example.com"')).totalResults, 1);
    const probe = oktaUser("test@example.com", {
      ims: [{ value: "x" }],
      x509Certificates: [],
      profileUrl: "https://example.com",
    });
    const { id } = await expect(201, "POST", "/Users", probe);
    const all = await expect(201, "POST", "/Groups", { displayName: "test", members: [{ value: id }] });
    await expect(204, "DELETE", `/Groups/${all.id}`);
    await expect(204, "DELETE", `/Users/${id}`);
  }));
