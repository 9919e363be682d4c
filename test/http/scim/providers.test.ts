/** Requests as further providers are known to send them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ENT, GROUP, type Json, oktaUser, patchOf, type Scim, scimming, USER } from "../../support/scim.ts";

const people = async ({ expect }: Scim, ...names: string[]): Promise<string[]> => {
  const ids: string[] = [];
  for (const name of names) ids.push((await expect(201, "POST", "/Users", oktaUser(name))).id);
  return ids;
};
const membersOf = ({ members = [] }: Json): string[] => members.map(({ value }: Json) => value).toSorted();

test("authentik looks what there is, changes groups member by member, takes them out by value, and puts users", () =>
  scimming(async (scim) => {
    const { expect } = scim;
    assert.equal((await expect(200, "GET", "/ServiceProviderConfig")).patch.supported, true);
    const [ann, bo] = await people(scim, "ann@example.com", "bo@example.com");
    const { id } = await expect(201, "POST", "/Groups", { schemas: [GROUP], displayName: "Ops", externalId: "g1" });
    const path = `/Groups/${id}`;
    const replaced = patchOf({ op: "replace", value: { id, displayName: "Ops 2", externalId: "g1" } });
    await expect(204, "PATCH", path, replaced);
    const added = [ann, bo].map((value) => ({ op: "add", path: "members", value: [{ value }] }));
    await expect(204, "PATCH", path, patchOf(...added));
    const { displayName, ...shown } = await expect(200, "GET", path);
    assert.deepEqual([displayName, membersOf(shown)], ["Ops 2", [ann, bo].toSorted()]);
    await expect(204, "PATCH", path, patchOf({ op: "remove", path: "members", value: [{ value: ann }] }));
    assert.deepEqual(membersOf(await expect(200, "GET", path)), [bo]);
    const put = { ...oktaUser("ann@example.com"), displayName: "Ann L" };
    assert.equal((await expect(200, "PUT", `/Users/${ann}`, put)).displayName, "Ann L");
    // It asks for pages by their start alone.
    assert.deepEqual((await expect(200, "GET", "/Users?startIndex=2")).startIndex, 2);
  }));

test("SailPoint reads all that describes the server, and sends changes of one group at once", () =>
  scimming(async (scim) => {
    const { expect } = scim;
    for (const path of ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas", "/ResourceTypes/User"]) {
      await expect(200, "GET", path);
    }
    assert.equal((await expect(200, "GET", "/ResourceTypes/Group")).endpoint, "/Groups");
    const ids = await people(scim, ...Array.from({ length: 6 }, (_, i) => `p${i}@example.com`));
    const { id } = await expect(201, "POST", "/Groups", { schemas: [GROUP], displayName: "Ops" });
    const add = (value: string) => patchOf({ op: "add", path: "members", value: [{ value }] });
    const answers = await Promise.all(ids.map((value) => scim.send("PATCH", `/Groups/${id}`, add(value))));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [204]);
    assert.deepEqual(membersOf(await expect(200, "GET", `/Groups/${id}`)), ids.toSorted());
  }));

test("Google and Rippling try the door before they send anybody", () =>
  scimming(async ({ expect }) => {
    assert.equal((await expect(200, "GET", "/Users?count=1")).totalResults, 0);
    assert.equal((await expect(200, "GET", "/Groups?count=1")).totalResults, 0);
    const { patch, filter } = await expect(200, "GET", "/ServiceProviderConfig");
    assert.deepEqual([patch.supported, filter.supported], [true, true]);
    const one = {
      schemas: [USER],
      userName: "cy@example.com",
      name: { givenName: "Cy", familyName: "Ora" },
      active: true,
    };
    const work = [{ value: "cy@example.com", primary: true }];
    const made = await expect(201, "POST", "/Users", { ...one, emails: work, [ENT]: { department: "Ops" } });
    assert.deepEqual([made.emails[0].value, made[ENT].department], ["cy@example.com", "Ops"]);
    const suspended = await expect(
      200,
      "PATCH",
      `/Users/${made.id}`,
      patchOf({ op: "replace", path: "active", value: false }),
    );
    assert.equal(suspended.active, false);
  }));

test("values without their quotes, as older versions of some providers sent them, are refused by name", () =>
  scimming(async ({ send }) => {
    const { status, body } = await send("GET", "/Users?filter=userName%20eq%20ann@example.com");
    assert.deepEqual([status, body.scimType], [400, "invalidFilter"]);
    assert.match(body.detail, /quot/i);
  }));
