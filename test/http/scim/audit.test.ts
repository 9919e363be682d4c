/** What is written by SCIM leaves its line in the audit, as all that is written does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "drizzle-orm";
import { createApp } from "../../../src/http/app.ts";
import { GROUP, type Json, oktaUser, patchOf, type Scim, scimming } from "../../support/scim.ts";

const group = { schemas: [GROUP], displayName: "Ops", externalId: "ops" };
const user = async ({ expect }: Scim, name: string) =>
  (await expect(201, "POST", "/Users", oktaUser(name))).id as string;

interface Write {
  readonly path: string;
  readonly body?: Json;
}

/** How to make each route write. */
const WRITES: Readonly<Record<string, (scim: Scim) => Promise<Write>>> = {
  "POST /Users": () => Promise.resolve({ path: "/Users", body: oktaUser("ana@acme.test") }),
  "PUT /Users/:id": async (scim) => ({
    path: `/Users/${await user(scim, "bo@acme.test")}`,
    body: oktaUser("bo@acme.test", { title: "Lead" }),
  }),
  "PATCH /Users/:id": async (scim) => ({
    path: `/Users/${await user(scim, "cy@acme.test")}`,
    body: patchOf({ op: "replace", path: "title", value: "Lead" }),
  }),
  "DELETE /Users/:id": async (scim) => ({ path: `/Users/${await user(scim, "di@acme.test")}` }),
  "POST /Groups": () => Promise.resolve({ path: "/Groups", body: group }),
  "PUT /Groups/:id": async ({ expect }) => ({
    path: `/Groups/${(await expect(201, "POST", "/Groups", { ...group, displayName: "A", externalId: "a" })).id}`,
    body: { ...group, displayName: "B", externalId: "a" },
  }),
  "PATCH /Groups/:id": async ({ expect }) => ({
    path: `/Groups/${(await expect(201, "POST", "/Groups", { ...group, displayName: "C", externalId: "c" })).id}`,
    body: patchOf({ op: "replace", path: "displayName", value: "D" }),
  }),
  "DELETE /Groups/:id": async ({ expect }) => ({
    path: `/Groups/${(await expect(201, "POST", "/Groups", { ...group, displayName: "E", externalId: "e" })).id}`,
  }),
};

test("every route of SCIM that writes leaves a line in the audit, with who, on what and for which request", () =>
  scimming(async (scim) => {
    const { hub } = scim.world;
    const routes = new Set(
      createApp(hub).routes
        .filter(({ method, path }) => path.startsWith("/scim/") && !["GET", "HEAD", "ALL"].includes(method))
        // Searches read, and what is not there at all answers 501.
        .filter(({ path }) => !/\/(?:\.search|Me|Bulk)$|\*$/.test(path))
        .map(({ method, path }) => `${method} ${path.replace("/scim/v2/:connection", "")}`),
    );
    assert.deepEqual([...routes].toSorted(), Object.keys(WRITES).toSorted());
    for (const [route, prepare] of Object.entries(WRITES)) {
      const { path, body } = await prepare(scim), id = `scim-${route.replace(/\W+/g, "-")}`;
      const answer = await scim.send(route.split(" ")[0]!, path, body, { "x-request-id": id });
      assert.ok(answer.status < 300, `${route}: ${answer.status} ${JSON.stringify(answer.body)}`);
      const rows = await hub.db.rows<[string, string, string, string]>(sql`select action, actor_kind, actor_id, subjects
        from audit_entries where request_id = ${id}`);
      assert.ok(rows.length > 0, `${route} leaves nothing in the audit`);
      for (const [action, kind, actor, subjects] of rows) {
        assert.match(action, /^(drop|group)\.[a-z_]+$/, route);
        assert.equal(kind, "token");
        assert.match(actor, /^tok_/);
        assert.match(subjects, /^\["\w{3}_\w{11}"/);
      }
    }
  }));
