/** What a guard stops is not done: the provider is asked to wait, and one held run has all of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HOUR_MS } from "../../support/imports.ts";
import { ENT, oktaUser, OWN, patchOf, type Scim, scimming, type Sent } from "../../support/scim.ts";

const off = patchOf({ op: "replace", value: { active: false } });

async function staff({ expect }: Scim, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push((await expect(201, "POST", "/Users", oktaUser(`p${i}@example.com`))).id);
  return ids;
}

function heldRun({ status, body, headers }: Sent): string {
  assert.equal(status, 429, JSON.stringify(body));
  assert.ok(Number(headers.get("retry-after")) >= 60);
  assert.deepEqual([body.status, body.schemas[0]], ["429", "urn:ietf:params:scim:api:messages:2.0:Error"]);
  return /http:\/\/hub\.example\.com\/o\/default\/runs\/(run_\w+)/.exec(body.detail)![1]!;
}

test("a burst of deactivations within the hour is held in one run, and its people wait for the decision", () =>
  scimming(async (scim) => {
    const { world, send, expect } = scim;
    const ids = await staff(scim, 20);
    const done: string[] = [], runs = new Set<string>();
    for (const id of ids.slice(0, 8)) {
      const sent = await send("PATCH", `/Users/${id}`, off);
      if (sent.status === 200) done.push(id);
      else runs.add(heldRun(sent));
    }
    assert.equal(done.length, 2);
    assert.equal(runs.size, 1);
    const [run] = [...runs];
    const inactive = async () => (await world.people()).filter(({ status }) => status === "inactive").length;
    assert.equal(await inactive(), 2);

    // The provider tries again: nothing is added, whatever it sends about them.
    const before = (await world.runs()).length;
    assert.equal(heldRun(await send("PATCH", `/Users/${ids[7]}`, off)), run);
    assert.equal(heldRun(await send("PUT", `/Users/${ids[7]}`, oktaUser("p7@example.com", { title: "x" }))), run);
    assert.equal((await world.runs()).length, before);
    // Others go on, and what the guard does not count goes on, too.
    await expect(200, "PATCH", `/Users/${ids[12]}`, patchOf({ op: "add", path: "title", value: "Lead" }));
    await expect(201, "POST", "/Users", oktaUser("new@example.com"));

    const held = await world.run(run!);
    assert.equal(held.status, "held");
    assert.equal(held.changes.length, 6);
    const approved = await world.post(`/v1/runs/${run}/approve`, { plan_hash: held.plan_hash });
    assert.equal(approved.status, 202, JSON.stringify(approved.body));
    await world.carry();
    assert.equal(await inactive(), 8);
    assert.equal((await expect(200, "PATCH", `/Users/${ids[7]}`, off)).active, false);
  }));

test("a cancelled burst is not done, and is tried again when its hour is over", () =>
  scimming(async (scim) => {
    const { world, send, expect } = scim;
    const ids = await staff(scim, 6);
    let run = "";
    for (const id of ids.slice(0, 3)) {
      const sent = await send("DELETE", `/Users/${id}`);
      if (sent.status !== 204) run = heldRun(sent);
    }
    assert.notEqual(run, "");
    assert.equal((await expect(200, "GET", `/Users/${ids[2]}`)).active, true);
    assert.equal((await world.post(`/v1/runs/${run}/cancel`)).status, 200);
    world.later(2 * HOUR_MS);
    await expect(204, "DELETE", `/Users/${ids[2]}`);
  }));

test("a burst of changed addresses is held, too", () =>
  scimming(async (scim) => {
    const { send } = scim;
    const ids = await staff(scim, 6), answers: number[] = [];
    for (const [i, id] of ids.entries()) {
      const path = 'emails[type eq "work"].value';
      answers.push(
        (await send("PATCH", `/Users/${id}`, patchOf({ op: "replace", path, value: `n${i}@acme.test` }))).status,
      );
    }
    assert.deepEqual(answers.slice(0, 2), [200, 200]);
    assert.ok(answers.slice(3).every((status) => status === 429), answers.join());
  }));

test("a paused connection, and one whose policy leaves a change out, say so", () =>
  scimming(async (scim) => {
    const { world, expect, send } = scim;
    const [ann] = await staff(scim, 1);
    await world.set("okta", { policy: { deactivate: false, create: false } });
    await expect(403, "PATCH", `/Users/${ann}`, off);
    await expect(403, "POST", "/Users", oktaUser("bo@example.com"));
    assert.equal((await world.post("/v1/connections/okta/pause")).status, 200);
    const paused = await send("PATCH", `/Users/${ann}`, off);
    assert.equal(paused.status, 503);
    assert.match(paused.body.detail, /paused/);
    assert.ok(paused.headers.has("retry-after"));
    assert.equal((await expect(200, "GET", `/Users/${ann}`)).active, true);
  }));

test("a person whom another connection knows as active stays active", () =>
  scimming(async (scim) => {
    const { world, expect } = scim;
    await world.import("employee_id,email,first_name,last_name,is_active\nE1,p0@example.com,P0,Lee,yes\n");
    const [ann] = await staff(scim, 1);
    await expect(200, "PATCH", `/Users/${ann}`, patchOf({ op: "add", path: `${ENT}:department`, value: "Ops" }));
    await expect(200, "PATCH", `/Users/${ann}`, patchOf({ op: "add", path: `${OWN}:hire_date`, value: "2026-03-02" }));
    const person = await world.person("E1");
    assert.deepEqual([person.id, person.department?.name, person.hire_date], [ann, "Ops", "2026-03-02"]);
    await expect(204, "DELETE", `/Users/${ann}`);
    assert.equal((await world.person("E1")).status, "active");
  }));
