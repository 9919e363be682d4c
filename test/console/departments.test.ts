/** The console's page of departments: the tree, who is in it, and what keeps closing ones open. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Scope } from "../../src/model/scope.ts";
import { inTreeOrder } from "../../src/store/people/department-tree.ts";
import { signIn, type Visitor } from "../support/console.ts";
import { createTestToken } from "../support/hub.ts";
import { type Importing, importing } from "../support/imports.ts";
import { insertDepartment, insertUser } from "../support/people.ts";

const MARKUP = "<img src=x onerror=alert(1)>";

async function signedIn(world: Importing, scopes: Scope[] = ["admin"]): Promise<Visitor> {
  return await signIn(world.hub, await createTestToken(world.hub, { scopes }));
}

test("departments are a tree by name, with their people, and closing ones say who keeps them open", () =>
  importing(async (world) => {
    const sales = await insertDepartment(world.hub, "Sales");
    const north = await insertDepartment(world.hub, "North", { parentId: sales });
    await insertDepartment(world.hub, MARKUP, { parentId: north });
    await insertDepartment(world.hub, "Finance", { active: false });
    const old = await insertDepartment(world.hub, "Old", { closing: true });
    for (const departmentId of [north, north, old]) await insertUser(world.hub, { departmentId });
    const page = await (await signedIn(world)).open("/o/default/departments");
    assert.equal(page.status, 200);
    assert.ok(!page.text.includes(MARKUP));
    const order = [...page.text.matchAll(/<strong>(Finance|Old|Sales|North|&lt;img)/g)].map(([, name]) => name);
    assert.deepEqual(order, ["Finance", "Old", "Sales", "North", "&lt;img"]);
    assert.match(page.text, /Sales<\/strong>[\s\S]*?<ul class="bare tree">[\s\S]*?North<\/strong>[\s\S]*?2 people/);
    assert.match(page.text, /Closing[\s\S]*?It closes once nobody is left in it[\s\S]*?1 person<\/a> keeps it open/);
    const people = /href="([^"]*people\?department=[^"]*)"/.exec(page.text)![1]!.replaceAll("&amp;", "&");
    assert.equal((await (await signedIn(world)).open(people)).status, 200);
  }));

test("thousands are shown a page at a time, each one once, in one order", () =>
  importing(async (world) => {
    const root = await insertDepartment(world.hub, "Root");
    for (let i = 0; i < 250; i++) {
      await insertDepartment(world.hub, `Branch ${String(i).padStart(3, "0")}`, { parentId: root });
    }
    const visitor = await signedIn(world);
    const first = await visitor.open("/o/default/departments");
    const next = /rel="next" href="([^"]*)"/.exec(first.text)![1]!.replaceAll("&amp;", "&");
    const second = await visitor.open(next);
    assert.match(second.text, /In Root:/);
    const shown = [first, second].flatMap(({ text }) => [...text.matchAll(/Branch \d{3}/g)].map(([name]) => name));
    assert.equal(shown.length, 250);
    assert.deepEqual(shown, [...new Set(shown)].sort());
  }));

test("they are shown to those alone who may see people", () =>
  importing(async (world) => {
    await insertDepartment(world.hub, "Secret");
    const visitor = await signedIn(world, ["runs:read", "connections:read"]);
    const page = await visitor.open("/o/default/departments");
    assert.equal(page.status, 403);
    assert.ok(!page.text.includes("Secret"));
    assert.ok(!(await visitor.open("/o/default")).text.includes(">Departments<"));
  }));

test("nobody is left out of the tree, also where parents form a circle or are not there", () => {
  assert.deepEqual(inTreeOrder([[1, 2], [2, 1], [3, 99], [4, null], [5, 4]]), [
    { id: 4, depth: 0 },
    { id: 5, depth: 1 },
    { id: 1, depth: 0 },
    { id: 2, depth: 1 },
    { id: 3, depth: 0 },
  ]);
});
