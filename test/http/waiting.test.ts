/** `Prefer: wait` on what starts or continues a run, and what there is before a run is planned. */
import assert from "node:assert/strict";
import test from "node:test";
import { createAsk, createTestToken } from "../support/hub.ts";
import { type Importing, importing } from "../support/imports.ts";

const PEOPLE = "employee_id,email,first_name,last_name\n1,ana@example.com,Ana,Lopez\n";
const headers = { prefer: "wait=30" };

/** Asks, and carries what can be carried until there is an answer. */
async function asked(world: Importing, path: string, json: unknown = {}) {
  let open = true;
  const answer = world.ask(path, { json, headers }).finally(() => open = false);
  while (open) {
    await world.carry();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { run } = await (await answer).json();
  return { status: (await answer).status, run };
}

test("a seal, an approval and a revert are answered with the run at rest", () =>
  importing(async (world) => {
    const opened = await world.ask("/v1/connections/csv/uploads", { json: { name: "people.csv", mode: "plan" } });
    const { upload } = await opened.json();
    await world.ask(`/v1/uploads/${upload.id}/parts/1`, { method: "PUT", body: PEOPLE });

    const sealed = await asked(world, `/v1/uploads/${upload.id}/seal`);
    assert.deepEqual([sealed.status, sealed.run.status], [200, "planned"]);
    const approval = { plan_hash: sealed.run.plan_hash };
    const approved = await asked(world, `/v1/runs/${sealed.run.id}/approve`, approval);
    assert.deepEqual([approved.status, approved.run.status], [200, "succeeded"]);
    const reverted = await asked(world, `/v1/runs/${sealed.run.id}/revert`);
    assert.deepEqual([reverted.status, reverted.run.status], [200, "planned"]);
  }));

test("a request that waits for a run is answered too when its drop, or its organization, is deleted meanwhile", () =>
  importing(async (world) => {
    const drop = world.ask("/v1/connections/csv/drops", {
      body: PEOPLE,
      headers: { ...headers, "content-type": "text/csv" },
    });
    while ((await world.runs()).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await world.carry();
    const { id } = await world.person("ana@example.com");
    // Between the run's end and the waiter's next look.
    assert.equal((await world.post(`/v1/users/${id}/erase`)).status, 200);
    const answered = await (await drop).json();
    assert.deepEqual([answered.run.status, answered.drop.name], ["succeeded", "upload.csv"]);

    const operator = createAsk(world.hub, await createTestToken(world.hub, { scopes: ["operator", "admin"] }));
    const { slug } = await (await operator("/v1/organizations", { json: { slug: "acme", name: "Acme" } })).json();
    const inAcme = { "muster-organization": slug, "content-type": "text/csv", ...headers };
    const waiting = operator("/v1/connections/csv/drops", { body: PEOPLE, headers: inAcme });
    for (;;) {
      const runs = await (await operator("/v1/runs", { headers: { "muster-organization": slug } })).json();
      if (runs.data.length > 0) break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.equal((await operator("/v1/organizations/acme", { method: "DELETE" })).status, 204);
    assert.equal((await waiting).status, 404);
  }));

test("there is no report before the input was read", () =>
  importing(async (world) => {
    const id = await world.handIn(PEOPLE);
    for (const format of ["csv", "json"]) {
      assert.equal((await world.ask(`/v1/runs/${id}/failures.${format}`)).status, 409, format);
    }
  }));

test("people cannot be pushed to an organization whose connection for that was deleted", () =>
  importing(async (world) => {
    assert.equal((await world.ask("/v1/connections/api", { method: "DELETE" })).status, 204);
    const refused = await world.ask("/v1/users/import", { json: { users: [] } });
    assert.equal(refused.status, 409);
    assert.match((await refused.json()).detail, /no connection with the connector "rest-import"/);
  }));
