/** Messages, reports and answers name the row's own person, and others only to tokens that may read people. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { mintLinks } from "../../src/notify/links.ts";
import type { Scope } from "../../src/model/scope.ts";
import { type Ask, createAsk, createTestToken } from "../support/hub.ts";
import { csv, HEADER, type Importing, importing } from "../support/imports.ts";
import { readAll } from "../support/workbook-parts.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

async function as(world: Importing, ...scopes: Scope[]): Promise<Ask> {
  return createAsk(world.hub, await createTestToken(world.hub, { scopes }));
}

/** The records' results, with the run carried meanwhile. */
async function push(world: Importing, ask: Ask, users: readonly object[], mode = "plan"): Promise<Json> {
  let done = false;
  const asked = ask("/v1/users/import", { json: { users, mode } }).finally(() => done = true);
  while (!done) {
    await world.carry();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const answer = await asked;
  assert.equal(answer.status, 200, await answer.clone().text());
  return await answer.json();
}

const SECRET = "secret.address@acme.test";
const PEOPLE = csv(`${HEADER},title`, `000123,${SECRET},Ana,Lopez,Chief`, "E2,bo@acme.test,Bo,Berg,Lead");

test("a token that sends records and reads nobody learns nobody's address, name or title by guessing ids", () =>
  importing(async (world) => {
    await world.connect("feed", { policy: { priority: 10 } });
    await world.import(PEOPLE.replace("000123", "'000123"), { connection: "feed" });
    const guesses = [
      { employee_id: "000123", email: "x@acme.test", first_name: "X", last_name: "Y" },
      { employee_id: "E9", email: "bo@acme.test", first_name: "X", last_name: "Y" },
      { employee_id: "E2", title: "Guess" },
      { employee_id: "00123", email: "y@acme.test", first_name: "X", last_name: "Y" },
      { employee_id: "123", email: "z@acme.test", first_name: "X", last_name: "Y" },
    ];
    const blind = await push(world, await as(world, "drops:write"), guesses);
    const text = JSON.stringify(blind);
    for (const word of [SECRET, "Ana", "Lopez", "Berg", "Chief", "Lead", "'000123"]) {
      assert.ok(!text.includes(word), `${word}: ${text}`);
    }
    assert.match(text, /somebody from another source may be meant/);
    const seeing = JSON.stringify(await push(world, await as(world, "drops:write", "users:read"), guesses));
    for (const word of [SECRET, "Ana Lopez", "Lead", "'000123"]) assert.ok(seeing.includes(word), word);
  }));

test("the sender of a file reads its report; others read that of people whom they may read", () =>
  importing(async (world) => {
    const mine = await as(world, "drops:write", "runs:read"), other = await as(world, "runs:read");
    const handed = await mine("/v1/connections/csv/drops?name=a.csv", {
      body: csv(HEADER, "1,ana@,Ana,Lopez", "2,bo@acme.test,Bo,Berg"),
      headers: { "content-type": "text/csv" },
    });
    const { run, drop } = await handed.json();
    await world.carry();
    for (
      const path of [
        `/v1/runs/${run.id}/failures.csv`,
        `/v1/runs/${run.id}/failures.json`,
        `/v1/runs/${run.id}/failures.xlsx`,
        `/v1/drops/${drop.id}/content`,
      ]
    ) {
      const shown = await (await mine(path)).arrayBuffer();
      if (path.endsWith(".xlsx")) assert.match(JSON.stringify(readAll(new Uint8Array(shown))), /ana@/);
      else assert.match(new TextDecoder().decode(shown), /ana@/, path);
      const refused = await other(path);
      assert.equal(refused.status, 403, path);
      assert.match(
        (await refused.json()).detail,
        /"users:read", which is needed to read input that it did not upload itself/,
      );
    }
    const [issue] = (await (await mine(`/v1/runs/${run.id}/issues`)).json()).data;
    assert.equal(issue.value, "ana@");
    const [shown] = (await (await other(`/v1/runs/${run.id}/issues`)).json()).data;
    assert.deepEqual([shown.line, shown.code, shown.field, shown.value], [2, "email_invalid", "email", null]);
    assert.equal(shown.message, "The value is not an email address");
    const changes = await (await mine(`/v1/runs/${run.id}/changes`)).json();
    assert.deepEqual(Object.keys(changes.data[0].subject), ["id"]);
    assert.ok(!("fields" in changes.data[0]));
  }));

test("what was sent in parts belongs to the token that opened the upload, not to the one that seals it", () =>
  importing(async (world) => {
    const mine = await as(world, "drops:write", "runs:read"), thief = await as(world, "drops:write", "runs:read");
    const { upload } = await (await mine("/v1/connections/csv/uploads", { json: { name: "a.csv" } })).json();
    await mine(`/v1/uploads/${upload.id}/parts/1`, { method: "PUT", body: csv(HEADER, "1,ana@acme.test,Ana,Lopez") });
    const { drop } = await (await thief(`/v1/uploads/${upload.id}/seal`, { json: {} })).json();
    assert.equal((await thief(`/v1/drops/${drop.id}/content`)).status, 403);
    assert.equal((await mine(`/v1/drops/${drop.id}/content`)).status, 200);
  }));

test("a connection's reports and pages name people who are linked to it, and of others only that there is somebody", () =>
  importing(async (world) => {
    await world.connect("feed");
    await world.import(PEOPLE, { connection: "feed" });
    await world.import(csv(HEADER, "E5,cy@acme.test,Cy,Dahl", "E6,di@acme.test,Di,Ek"));
    const run = await world.import(
      csv(HEADER, "000123,x@acme.test,X,Y", "E6,cy@acme.test,Di,Ek", "E5,cy@acme.test,Cy,Dahl"),
      { coverage: "diff" },
    );
    const messages = run.issues.map(({ message }) => message).join("\n");
    assert.match(messages, /Ana Lopez/, "a token that reads people sees it");
    const { page, csv: report } = await mintLinks(world.hub, {
      id: world.number("run", run.id),
      organizationId: world.hub.organization.id,
    });
    const visitor = createAsk(world.hub, null);
    for (const link of [page, report]) {
      const text = await (await visitor(link.slice(world.hub.publicUrl.length))).text();
      assert.ok(!text.includes(SECRET) && !text.includes("Ana Lopez"), text);
      assert.match(text, /somebody from another source may be meant/);
    }
    const held = await world.import(csv(HEADER, "E9,cy@acme.test,New,Comer"), { coverage: "diff" });
    const { csv: second } = await mintLinks(world.hub, {
      id: world.number("run", held.id),
      organizationId: world.hub.organization.id,
    });
    assert.match(await (await visitor(second.slice(world.hub.publicUrl.length))).text(), /belongs to Cy Dahl/);
  }));

test("a token that writes people and reads none is answered with an id, and refused without names", () =>
  importing(async (world) => {
    await world.import(
      csv(`${HEADER},manager_id`, `1,${SECRET},Ana,Lopez,`, "2,bo@acme.test,Bo,Berg,1", "3,cy@acme.test,Cy,Dahl,2"),
    );
    const writer = await as(world, "users:write");
    const [ana, cy] = [await world.person("1"), await world.person("3")];
    const changed = await writer(`/v1/users/${ana.id}`, { method: "PATCH", json: { title: "Boss" } });
    assert.deepEqual(Object.keys(await changed.json()), ["id", "version", "updated_at"]);
    const cycle = await writer(`/v1/users/${ana.id}`, { method: "PATCH", json: { manager: { id: cy.id } } });
    assert.equal(cycle.status, 422);
    assert.ok(!(await cycle.text()).includes("acme.test"));
    const taken = await writer(`/v1/users/${ana.id}`, { method: "PATCH", json: { email: "bo@acme.test" } });
    assert.equal(taken.status, 409);
    assert.match((await taken.json()).detail, /"bo@acme.test" belongs to the active user usr_/, "as it was sent");
  }));
