/** Columns that are mapped in the console: a file that could not be read becomes a plan, and the connection keeps it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { formIn, signIn } from "../support/console.ts";
import { createTestToken } from "../support/hub.ts";
import { csv, HEADER, type Importing, importing } from "../support/imports.ts";

/** Carries runs until the answer is there. */
async function whileCarrying<T>(world: Importing, asked: Promise<T>): Promise<T> {
  let isOpen = true;
  asked.finally(() => isOpen = false).catch(() => {});
  while (isOpen) {
    await world.carry();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return await asked;
}

test("a file with unknown columns is mapped, planned and applied, and the next one needs nobody", () =>
  importing(async (world) => {
    const visitor = await signIn(world.hub, await createTestToken(world.hub));
    const content = csv("Kennung,Post,Vorname,Name", "17,ana@example.com,Ana,Silva");
    const failed = await world.import(content, { name: "personal.csv" });
    assert.equal(failed.status, "failed");
    const run = await visitor.open(`/o/default/runs/${failed.id}`);
    assert.match(run.text, /What each column is read as/);
    const page = await visitor.open(`/o/default/runs/${failed.id}/columns`);
    assert.match(page.text, /Kennung[\s\S]*17[\s\S]*its name is not known/);
    const chosen = { "field-0": "employee_id", "field-1": "email", "field-2": "first_name", "field-3": "last_name" };
    const planned = await whileCarrying(world, visitor.send(page, "/columns", chosen));
    assert.match(planned.path, /\/runs\/run_/);
    assert.notEqual(planned.path, run.path);
    assert.match(planned.text, /personal\.csv[\s\S]*would be created/);
    const question = await visitor.send(planned, "/approve");
    await visitor.send(question, "/approve");
    await world.carry();
    const { first_name, email } = await world.person("17");
    assert.deepEqual([first_name, email], ["Ana", "ana@example.com"]);
    const next = await world.import(csv("Kennung,Post,Vorname,Name", "17,ana@example.com,Anna,Silva"));
    assert.equal(next.status, "succeeded");
  }));

test("a plan that was read otherwise is cancelled, and nothing else of the mapping is lost", () =>
  importing(async (world) => {
    await world.set("csv", { mapping: { Desk: "location" } });
    const visitor = await signIn(world.hub, await createTestToken(world.hub));
    const content = csv(`${HEADER},Desk,Role`, "1,ana@example.com,Ana,Silva,North,Lead");
    const sent = await world.ask("/v1/connections/csv/drops?mode=plan", {
      body: content as string,
      headers: { "content-type": "text/csv" },
    });
    const { run } = await sent.json();
    await world.carry();
    const page = await visitor.open(`/o/default/runs/${run.id}/columns`);
    await whileCarrying(world, visitor.send(page, "/columns", { "field-4": "location", "field-5": "title" }));
    assert.equal((await world.run(run.id)).status, "cancelled");
    const { mapping } = await (await world.ask("/v1/connections/csv")).json();
    assert.deepEqual(mapping, { Desk: "location", Role: "title" });
  }));

test("who may not change connections sees the columns without a form, and a form that is made up is refused", () =>
  importing(async (world) => {
    const run = await world.import(csv(HEADER, "1,ana@example.com,Ana,Silva"));
    const scopes = ["users:read", "runs:read", "connections:read"] as const;
    const visitor = await signIn(world.hub, await createTestToken(world.hub, { scopes: [...scopes] }));
    const page = await visitor.open(`/o/default/runs/${run.id}/columns`);
    assert.match(page.text, /ana@example\.com/);
    assert.ok(!page.text.includes("<select"));
    const { fields } = formIn((await visitor.open("/o/default/account")).text, "/sign-out");
    const body = new URLSearchParams({ ...fields, "field-0": "title" });
    const headers = { "sec-fetch-site": "same-origin" };
    const refused = await visitor.ask(`/o/default/runs/${run.id}/columns`, { method: "POST", headers, body });
    assert.equal(refused.status, 403);
    assert.deepEqual((await (await world.ask("/v1/connections/csv")).json()).mapping, {});
  }));
