import assert from "node:assert/strict";
import { test } from "node:test";
import type { Scope } from "../../src/model/scope.ts";
import { createAsk, createTestToken } from "../support/hub.ts";
import { csv, HEADER, HOUR_MS, type Importing, importing } from "../support/imports.ts";

const FILE = csv(HEADER, "1,ana@acme.test,Ana,Lopez");

interface Link {
  readonly id: string;
  readonly role: string;
  readonly may: { readonly see_people: boolean; readonly approve: boolean; readonly cancel: boolean };
  readonly expires_at: string;
  readonly url: string;
}

/** A run that waits for approval, and a way to open links without a token. */
async function planned(world: Importing) {
  const run = await world.import(FILE, { mode: "plan" });
  const stranger = createAsk(world.hub, null);
  return {
    run,
    path: `/v1/runs/${run.id}/links`,
    open: (url: string, json?: undefined, form?: string) =>
      stranger(
        url.slice(world.hub.publicUrl.length),
        form === undefined
          ? { json }
          : { body: form, headers: { "content-type": "application/x-www-form-urlencoded" } },
      ),
  };
}

async function asked(world: Importing, scopes: Scope[], expiresAt: number | null = null) {
  const ask = createAsk(world.hub, await createTestToken(world.hub, { scopes, expiresAt }));
  return async (path: string, json?: unknown, method?: string, headers?: Record<string, string>) => {
    const answer = await ask(path, { json, method, headers });
    // deno-lint-ignore no-explicit-any
    return { status: answer.status, body: answer.status === 204 ? null : await answer.json() as any };
  };
}

test("a link opens the run's page without a token, until it expires", () =>
  importing(async (world) => {
    const { path, open } = await planned(world);
    const { status, body } = await world.post(path, { expires_in: 3600 });
    assert.equal(status, 201);
    assert.equal(body.role, "viewer");
    assert.deepEqual(body.may, { see_people: true, approve: false, cancel: false });
    assert.equal(Date.parse(body.expires_at), world.hub.clock.ms + HOUR_MS);
    const page = await open(body.url);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /Ana/);
    assert.equal((await open(`${body.url}/people.csv`)).status, 200);
    world.later(HOUR_MS);
    assert.equal((await open(body.url)).status, 410);
    const { data } = await (await world.ask(path)).json();
    assert.deepEqual(data, [], "and the list no longer has it");
  }));

test("a viewer decides nothing; an approver approves, and the run is applied", () =>
  importing(async (world) => {
    const { run, path, open } = await planned(world);
    const form = `plan_hash=${run.plan_hash}&confirmed=yes`;
    const viewer: Link = (await world.post(path, {})).body;
    assert.equal((await open(`${viewer.url}/approve`, undefined, form)).status, 403);
    assert.ok(!(await (await open(viewer.url)).text()).includes("/approve"));
    const approver: Link = (await world.post(path, { role: "approver" })).body;
    assert.deepEqual(approver.may, { see_people: true, approve: true, cancel: true });
    assert.equal((await open(`${approver.url}/approve`, undefined, form)).status, 303);
    await world.carry();
    assert.equal((await world.run(run.id)).status, "succeeded");
  }));

test("a link never allows more than its maker's token", () =>
  importing(async (world) => {
    const { path, open } = await planned(world);
    const reader = await asked(world, ["runs:read"]);
    const refused = await reader(path, { role: "approver" });
    assert.equal(refused.status, 403);
    assert.match(refused.body.detail, /"runs:approve"/);
    const { body } = await reader(path, {});
    assert.deepEqual(body.may, { see_people: false, approve: false, cancel: false });
    assert.ok(!(await (await open(body.url)).text()).includes("Ana"), "without users:read it shows nobody");
    assert.equal((await open(`${body.url}/people.csv`)).status, 403);
    const decider = await asked(world, ["runs:read", "runs:approve"]);
    const { body: link } = await decider(path, { role: "approver" });
    assert.deepEqual(link.may, { see_people: false, approve: true, cancel: false });
    const stranger = await asked(world, ["users:read"]);
    assert.equal((await stranger(path, {})).status, 403);
  }));

test("a link ends with its maker's token, when that expires and when it is deleted", () =>
  importing(async (world) => {
    const { path, open } = await planned(world);
    const shortly = await asked(world, ["runs:read"], world.hub.clock.ms + HOUR_MS);
    const short: Link = (await shortly(path, { expires_in: 86_400 })).body;
    assert.equal(Date.parse(short.expires_at), world.hub.clock.ms + HOUR_MS);
    const maker = await asked(world, ["runs:read"]);
    const { body } = await maker(path, {});
    assert.equal((await open(body.url)).status, 200);
    assert.equal((await world.ask(`/v1/tokens/${body.token}`, { method: "DELETE" })).status, 204);
    const page = await open(body.url);
    assert.equal(page.status, 410);
    assert.match(await page.text(), /This link was revoked/);
  }));

test("links are listed without their addresses, deleted one by one by their maker or an editor, or all at once", () =>
  importing(async (world) => {
    const { path, open } = await planned(world);
    const maker = await asked(world, ["runs:read"]);
    const other = await asked(world, ["runs:read"]);
    const links: Link[] = [];
    for (let i = 0; i < 3; i++) links.push((await maker(path, {})).body);
    const listed = (await maker(path)).body.data;
    assert.deepEqual(listed.map(({ id }: Link) => id), links.map(({ id }) => id));
    assert.ok(listed.every((each: object) => !("url" in each)));
    const [first, second, third] = links as [Link, Link, Link];
    assert.equal((await other(`${path}/${first.id}`, undefined, "DELETE")).status, 403);
    assert.equal((await maker(`${path}/${first.id}`, undefined, "DELETE")).status, 204);
    assert.equal((await maker(`${path}/${first.id}`, undefined, "DELETE")).status, 404);
    assert.equal((await open(first.url)).status, 410);
    assert.equal((await world.ask(`${path}/${second.id}`, { method: "DELETE" })).status, 204);
    assert.equal((await open(third.url)).status, 200);
    assert.equal((await world.ask(path, { method: "DELETE" })).status, 204);
    assert.equal((await open(third.url)).status, 410);
    assert.deepEqual((await maker(path)).body.data, []);
  }));

test("making, opening and deleting a link are in the audit, by its id; the address is nowhere", () =>
  importing(async (world) => {
    const { run, path, open } = await planned(world);
    const { body } = await world.post(path, {});
    await open(body.url);
    await world.ask(`${path}/${body.id}`, { method: "DELETE" });
    const { data } = await (await world.ask(`/v1/audit?subject=${body.id}`)).json();
    assert.deepEqual(
      data.map(({ action, subjects }: { action: string; subjects: string[] }) => [action, ...subjects]).reverse(),
      [["link.created", run.id, body.id], ["link.opened", run.id, body.id], ["link.revoked", run.id, body.id]],
    );
    assert.ok(!JSON.stringify(world.hub.lines).includes(body.url.split("/").at(-1)));
  }));

test("a repeated request gets the same link without its address, and a run has at most 100", () =>
  importing(async (world) => {
    const { path } = await planned(world);
    const maker = await asked(world, ["runs:read"]);
    const once = { "idempotency-key": "one" };
    const first = await maker(path, {}, "POST", once);
    const again = await maker(path, {}, "POST", once);
    assert.equal(again.body.id, first.body.id);
    assert.deepEqual([again.body.url, again.body.code], [null, "shown_once"]);
    for (let i = 1; i < 100; i++) assert.equal((await maker(path, {})).status, 201);
    assert.equal((await maker(path, {})).status, 409);
    assert.equal((await maker(path, { expires_in: 8 * 86_400 })).status, 400);
    assert.equal((await maker(`/v1/runs/run_2/links`, {})).status, 404);
  }));

test("another organization neither sees nor deletes the links of a run", () =>
  importing(async (world) => {
    const { path } = await planned(world);
    const { body } = await world.post(path, {});
    const operator = createAsk(world.hub, await createTestToken(world.hub, { scopes: ["admin", "operator"] }));
    const other = { slug: "other", name: "Other", timezone: "UTC" };
    assert.equal((await operator("/v1/organizations", { json: other })).status, 201);
    const stranger = createAsk(world.hub, await createTestToken(world.hub, { organization: "other" }));
    assert.equal((await stranger(path)).status, 404);
    assert.equal((await stranger(path, { json: {} })).status, 404);
    assert.equal((await stranger(`${path}/${body.id}`, { method: "DELETE" })).status, 404);
  }));
