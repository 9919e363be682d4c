/** Lists of users: the same filters in SQL as in the engine, order, pages by index and by cursor, projections. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isTrueOf } from "../../../src/scim/evaluate.ts";
import { parseFilter } from "../../../src/scim/filter.ts";
import { userType } from "../../../src/scim/user-schema.ts";
import { ENT, type Json, oktaUser, OWN, patchOf, type Scim, scimming, USER } from "../../support/scim.ts";

const list = async ({ expect }: Scim, query: Record<string, string>): Promise<Json> =>
  await expect(200, "GET", `/Users?${new URLSearchParams(query)}`);
const names = ({ Resources }: Json): string => Resources.map(({ userName }: Json) => userName.split("@")[0]).join();

async function crowd({ expect, world }: Scim): Promise<Json[]> {
  const field = { label: "Floor", type: "number" };
  assert.equal((await world.ask("/v1/custom-fields/floor", { method: "PUT", json: field })).status, 201);
  const ops = { [ENT]: { employeeNumber: "A7", department: "Öps" }, [OWN]: { floor: 3 } };
  const ann = await expect(201, "POST", "/Users", oktaUser("ann@example.com", { ...ops, title: "Ärztin" }));
  const phones = [{ type: "mobile", value: "+1 555 0100" }];
  const bo = oktaUser("BO@example.com", { title: "lead", phoneNumbers: phones, [ENT]: { manager: ann.id } });
  await expect(201, "POST", "/Users", bo);
  await expect(
    201,
    "POST",
    "/Users",
    oktaUser("cy@example.com", { title: "Lead \\ 2", displayName: "Ž C" }),
  );
  const di = oktaUser("di@example.com", { nickName: "Dee", addresses: [{ type: "work", locality: "Berlin" }] });
  await expect(201, "POST", "/Users", di);
  await expect(201, "POST", "/Groups", { displayName: "Grün", members: [{ value: ann.id }] });
  const cy = (await expect(200, "GET", "/Users?filter=externalId%20eq%20%2200u-cy%22")).Resources[0];
  await expect(200, "PATCH", `/Users/${cy.id}`, patchOf({ op: "replace", value: { active: false } }));
  return (await expect(200, "GET", "/Users")).Resources;
}

const FILTERS = (ann: Json): string[] => [
  'userName eq "bo@EXAMPLE.com"',
  'userName sw "B" or userName ew "ANN@example.com"',
  'userName ne "bo@example.com"',
  'userName gt "bo@example.com"',
  `id eq "${ann.id}"`,
  `id ne "${ann.id}"`,
  'id eq "nonsense"',
  'externalId eq "00u-ann"',
  'externalId eq "00U-ANN"',
  'not (externalId eq "00u-ann")',
  'emails[type eq "work"].value eq "Ann@example.com"',
  'emails[type eq "work" and value co "bo@"]',
  'emails[type eq "home"]',
  'not (emails[type eq "home"])',
  'emails eq "di@example.com"',
  'emails.value ne "di@example.com"',
  "emails pr",
  'phoneNumbers[type eq "mobile"].value sw "+1"',
  'phoneNumbers[type eq "work"].value pr',
  "phoneNumbers pr",
  'phoneNumbers.value ne "x"',
  'addresses[type eq "work"].locality eq "BERLIN"',
  'groups.display eq "GRÜN"',
  "groups pr",
  'title eq "äRZTIN"',
  'title co "LEAD"',
  'title ne "lead"',
  'not (title eq "lead")',
  'title co "\\\\ 2"',
  "title eq null",
  "title pr and active eq true",
  'active eq "False"',
  "active ne true",
  'displayName eq "ž c"',
  'displayName co "LEE"',
  'name.formatted eq "ann lee"',
  'name.givenName sw "d" and name.familyName eq "LEE"',
  "name pr",
  'nickName eq "dee"',
  `${ENT}:employeeNumber eq "a7"`,
  `${ENT}:employeeNumber eq "A7"`,
  `${ENT}:department co "öp"`,
  `${ENT}:manager eq "${ann.id}"`,
  `manager.value pr`,
  `${OWN}:floor ge 3`,
  `not (${OWN}:floor ge 3)`,
  `${OWN}:floor ne 4`,
  `schemas eq "${USER}"`,
  `meta.lastModified ge "2026-03-02T09:00:00+01:00"`,
  `meta.created lt "2026-03-02T08:00:00Z"`,
  'meta.resourceType eq "User"',
  '(title eq "lead" or title co "2") and not (active eq false)',
  'title sw ""',
];

test("a filter finds in the store whom it is true of", () =>
  scimming(async (scim) => {
    const all = await crowd(scim);
    const type = userType([
      { key: "floor", label: "Floor", type: "number", required: false, options: [], maxLength: null },
    ]);
    let found = 0;
    for (const filter of FILTERS(all[0])) {
      const parsed = parseFilter(type, filter);
      const expected = names({ Resources: all.filter((each) => isTrueOf(parsed, each)) });
      const listed = await list(scim, { filter });
      assert.equal(names(listed), expected, filter);
      if (listed.totalResults > 0 && listed.totalResults < all.length) found++;
    }
    assert.ok(found > 30, `${found} filters tell people apart`);
  }));

test("a filter that cannot be read, or that the store does not have, is refused", () =>
  scimming(async ({ expect }) => {
    for (const filter of ["userName", 'salary eq "1"', 'id sw "usr"', 'meta.version eq "x"', "(".repeat(3000)]) {
      const refused = await expect(400, "GET", `/Users?${new URLSearchParams({ filter })}`);
      assert.deepEqual([refused.scimType, refused.status], ["invalidFilter", "400"], filter);
    }
  }));

test("pages go by index, from 1, and each person is in one of them", () =>
  scimming(async (scim) => {
    await crowd(scim);
    const page = async (query: Record<string, string>) => {
      const { totalResults, startIndex, itemsPerPage, ...rest } = await list(scim, query);
      return [totalResults, startIndex, itemsPerPage, names(rest)];
    };
    assert.deepEqual(await page({ startIndex: "1", count: "3" }), [4, 1, 3, "ann,BO,cy"]);
    assert.deepEqual(await page({ startIndex: "4", count: "3" }), [4, 4, 1, "di"]);
    assert.deepEqual(await page({ startIndex: "9", count: "3" }), [4, 9, 0, ""]);
    assert.deepEqual(await page({ startIndex: "-5", count: "1" }), [4, 1, 1, "ann"]);
    assert.deepEqual(await page({ count: "0" }), [4, 1, 0, ""]);
    assert.deepEqual(await page({ count: "-1", unknown: "x" }), [4, 1, 0, ""]);
    assert.deepEqual(await page({ filter: "active eq false", count: "1" }), [1, 1, 1, "cy"]);
    await scim.expect(400, "GET", "/Users?count=many");
  }));

test("pages go by cursor, in any order, and a cursor is good for its own query alone", () =>
  scimming(async (scim) => {
    await crowd(scim);
    const walk = async (query: Record<string, string>): Promise<string[]> => {
      const pages: string[] = [];
      for (let cursor: string | undefined = ""; cursor !== undefined;) {
        const page: Json = await list(scim, { ...query, cursor, count: "2" });
        assert.equal(page.startIndex, undefined);
        pages.push(names(page));
        cursor = page.nextCursor;
      }
      return pages;
    };
    assert.deepEqual(await walk({}), ["ann,BO", "cy,di"]);
    assert.deepEqual(await walk({ sortBy: "userName", sortOrder: "descending" }), ["di,cy", "BO,ann"]);
    assert.deepEqual(await walk({ sortBy: "title" }), ["BO,cy", "ann,di"]);
    assert.deepEqual(await walk({ sortBy: "title", sortOrder: "descending" }), ["di,ann", "cy,BO"]);
    assert.deepEqual(await walk({ sortBy: "emails", filter: "active eq true" }), ["ann,BO", "di"]);
    const { nextCursor: cursor } = await list(scim, { cursor: "", count: "2" });
    assert.match(cursor, /^[\w-]+$/);
    const of = async (query: Record<string, string>) =>
      (await scim.expect(400, "GET", `/Users?${new URLSearchParams(query)}`)).scimType;
    assert.equal(await of({ cursor, count: "2", filter: "active eq true" }), "invalidCursor");
    assert.equal(await of({ cursor: "nonsense" }), "invalidCursor");
    const bo = (await list(scim, { filter: 'userName eq "bo@example.com"' })).Resources[0];
    await scim.expect(204, "DELETE", `/Users/${bo.id}`);
    assert.equal(await of({ cursor, count: "2" }), "expiredCursor");
  }));

test("people are sorted by any attribute of the store, and who has no value comes last", () =>
  scimming(async (scim) => {
    await crowd(scim);
    const sorted = async (sortBy: string, sortOrder = "ascending") => names(await list(scim, { sortBy, sortOrder }));
    assert.equal(await sorted("USERNAME"), "ann,BO,cy,di");
    assert.equal(await sorted("userName", "descending"), "di,cy,BO,ann");
    assert.equal(await sorted(`${OWN}:floor`), "ann,BO,cy,di");
    assert.equal(await sorted("addresses"), "di,ann,BO,cy");
    assert.equal(await sorted("active", "descending"), "di,BO,ann,cy");
    for (const sortBy of ["groups", "meta.version", "salary"]) {
      assert.equal((await scim.expect(400, "GET", `/Users?sortBy=${sortBy}`)).scimType, "invalidPath");
    }
  }));

test("a search by POST is the same list, and answers show what was asked for", () =>
  scimming(async (scim) => {
    await crowd(scim);
    const search = {
      schemas: ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
      filter: "active eq true",
      attributes: ["userName", "name.givenName"],
      sortBy: "userName",
      startIndex: 2,
      count: 1,
    };
    const { Resources: [bo, ...others], totalResults } = await scim.expect(200, "POST", "/Users/.search", search);
    assert.deepEqual([others.length, totalResults], [0, 3]);
    assert.deepEqual(Object.keys(bo).sort(), ["id", "name", "schemas", "userName"]);
    assert.deepEqual(bo.name, { givenName: "BO" });
    assert.equal((await scim.expect(200, "POST", "/Users/.search", { cursor: "", count: 2 })).Resources.length, 2);
    const all = await scim.expect(200, "POST", "/.search", { filter: 'displayName co "e" or displayName eq "grün"' });
    assert.deepEqual(all.Resources.map((each: Json) => each.meta.resourceType), ["User", "User", "User", "Group"]);
    const groups = await scim.expect(200, "POST", "/Groups/.search", { attributes: "displayName" });
    assert.deepEqual(Object.keys(groups.Resources[0]).sort(), ["displayName", "id", "schemas"]);
    const { Resources } = await list(scim, { excludedAttributes: "emails,groups,meta", count: "1" });
    assert.deepEqual([Resources[0].emails, Resources[0].groups, Resources[0].meta], [undefined, undefined, undefined]);
    await scim.expect(400, "POST", "/Users/.search", []);
  }));
