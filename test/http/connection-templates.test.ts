/** Templates of connections: previewed, applied to many organizations, and what customers have changed is kept. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "drizzle-orm";
import type { Connector } from "../../src/connector.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { runs } from "../../src/store/runs/schema.ts";
import type { Scope } from "../../src/model/scope.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { onlyInCheck } from "../support/rounds.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

interface World {
  readonly hub: TestHub;
  readonly registry: Map<string, Connector<never>>;
  readonly operator: Ask;
  /** Asks as the operator, in an organization; fails unless it is granted. */
  inside(slug: string, path: string, options?: Parameters<Ask>[1]): Promise<Json>;
  /** Makes an organization with this slug. */
  organization(slug: string): Promise<string>;
  template(input?: object): Promise<Json>;
  change(id: string, json: object): Promise<Json>;
  /** The answer to applying, by the organizations' slugs. */
  apply(id: string, organizations: string[], more?: object): Promise<Record<string, Json>>;
  plan(id: string, organizations: string[], more?: object): Promise<Record<string, Json>>;
  connection(organization: string, slug?: string): Promise<Json>;
  /** Actions in an organization's audit about a thing, the oldest first. */
  audit(organization: string, subject: string): Promise<string[]>;
}

const TEMPLATE = {
  name: "Nightly file",
  slug: "nightly",
  connector: "csv-upload",
  settings: { delimiter: ";" },
  mapping: { Surname: "last_name", Notes: null },
  policy: { missing: "deactivate", missing_after_runs: 3 },
  limits: { deactivate: { percent: 3 } },
};

async function templating(work: (world: World) => Promise<void>, scopes: Scope[] = ["admin", "operator"]) {
  const registry = createRegistry();
  const hub = await createTestHub({ registry });
  const operator = createAsk(hub, await createTestToken(hub, { scopes }));
  const all = createAsk(hub, await createTestToken(hub, { scopes: ["admin", "operator"] }));
  const read = async (answer: Response, status: number) => {
    assert.equal(answer.status, status, await answer.clone().text());
    return await answer.json();
  };
  const inside: World["inside"] = async (slug, path, { headers, ...options } = {}) => {
    const answer = await all(path, { ...options, headers: { ...headers, "muster-organization": slug } });
    assert.ok(answer.ok, await answer.clone().text());
    return await answer.json();
  };
  const applying = (mode: string) => async (id: string, organizations: string[], more = {}) => {
    const json = { organizations, mode, ...more };
    const { data } = await read(await operator(`/v1/connection-templates/${id}/apply`, { json }), 200);
    assert.equal(data.length, organizations.length);
    return Object.fromEntries(data.map((each: Json, i: number) => [organizations[i]!, each]));
  };
  try {
    await work({
      hub,
      registry,
      operator,
      inside,
      organization: async (slug) =>
        (await read(await operator("/v1/organizations", { json: { slug, name: `The name of ${slug}` } }), 201)).id,
      template: async (input = {}) =>
        await read(await operator("/v1/connection-templates", { json: { ...TEMPLATE, ...input } }), 201),
      change: async (id, json) =>
        await read(await operator(`/v1/connection-templates/${id}`, { method: "PATCH", json }), 200),
      apply: applying("apply"),
      plan: applying("plan"),
      connection: (organization, slug = "nightly") => inside(organization, `/v1/connections/${slug}`),
      audit: async (organization, subject) =>
        (await inside(organization, `/v1/audit?subject=${subject}`)).data.map(({ action }: Json) => action).reverse(),
    });
  } finally {
    hub.close();
  }
}

/** The changes of a result by field, as `before → after`. */
const changed = ({ changes }: Json) =>
  Object.fromEntries(
    changes.map(({ field, before, after }: Json) => [field, `${JSON.stringify(before)} → ${JSON.stringify(after)}`]),
  );
const outcomes = (results: Record<string, Json>) =>
  Object.fromEntries(Object.entries(results).map(([name, { outcome }]) => [name, outcome]));

test("a template is previewed, applied to many organizations, and applied again changes nothing", () =>
  templating(async ({ organization, template, plan, apply, connection, audit, inside, hub }) => {
    const ids = [await organization("acme"), await organization("beta")];
    const { id } = await template();
    const rows = () => hub.db.rows(sql`select * from connections order by id`);
    const before = await rows();
    const planned = await plan(id, ["acme", "beta"]);
    assert.deepEqual(await rows(), before, "a plan writes nothing");
    assert.deepEqual(await audit("acme", id), []);
    assert.deepEqual(outcomes(planned), { acme: "created", beta: "created" });
    assert.deepEqual(planned.acme.connection, { id: null, slug: "nightly" });
    assert.deepEqual(changed(planned.acme), {
      "/settings/delimiter": 'undefined → ";"',
      "/mapping/Surname": 'undefined → "last_name"',
      "/mapping/Notes": "undefined → null",
      "/policy/missing": 'undefined → "deactivate"',
      "/policy/missing_after_runs": "undefined → 3",
      "/limits/deactivate/percent": "undefined → 3",
    });

    const applied = await apply(id, ["acme", ids[1]!]);
    assert.deepEqual(applied.acme.changes, planned.acme.changes);
    const made = await connection("acme");
    assert.equal(made.id, applied.acme.connection.id);
    assert.deepEqual(made.template, { id, name: "Nightly file", version: 1 });
    const { name, connector, settings, mapping, policy, limits } = made;
    assert.deepEqual({ name, slug: made.slug, connector, settings, mapping, policy, limits }, TEMPLATE);
    assert.deepEqual(await audit("acme", made.id), ["connection.created", "connection_template.applied"]);
    assert.deepEqual(await audit("default", id), [
      "connection_template.created",
      "connection_template.applied",
      "connection_template.applied",
    ]);
    assert.deepEqual(await audit("default", ids[1]!), ["organization.created", "connection_template.applied"]);

    const after = await rows();
    const entries = async () => (await inside("acme", "/v1/audit")).data.length;
    const written = await entries();
    assert.deepEqual(outcomes(await apply(id, ["acme", "beta"])), { acme: "unchanged", beta: "unchanged" });
    assert.deepEqual(await rows(), after);
    assert.equal(await entries(), written, "nothing was done, so nothing is recorded");
  }));

test("a changed template changes no connection until it is applied, and then only what the customer has left to it", () =>
  templating(async ({ organization, template, change, plan, apply, connection, inside }) => {
    for (const slug of ["acme", "beta"]) await organization(slug);
    const { id } = await template();
    await apply(id, ["acme", "beta"]);
    await inside("beta", "/v1/connections/nightly", {
      method: "PATCH",
      json: {
        policy: { missing_after_runs: 5, create: false },
        mapping: { Surname: "preferred_name", Notes: null, Site: "location" },
      },
    });
    await change(id, {
      settings: { delimiter: ",", phone_country: "DE" },
      mapping: { Surname: "last_name", Given: "first_name" },
      policy: { missing: null, missing_after_runs: 4 },
      limits: { deactivate: { percent: 2, floor: 1 } },
    });
    const unchanged = await connection("acme");
    assert.deepEqual([unchanged.settings, unchanged.template.version], [{ delimiter: ";" }, 1]);

    const planned = await plan(id, ["acme", "beta"]);
    assert.deepEqual(outcomes(planned), { acme: "updated", beta: "updated" });
    const shared = {
      "/settings/delimiter": '";" → ","',
      "/settings/phone_country": 'undefined → "DE"',
      "/mapping/Notes": "null → undefined",
      "/mapping/Given": 'undefined → "first_name"',
      "/policy/missing": '"deactivate" → undefined',
      "/limits/deactivate/percent": "3 → 2",
      "/limits/deactivate/floor": "undefined → 1",
    };
    assert.deepEqual(changed(planned.acme), { ...shared, "/policy/missing_after_runs": "3 → 4" });
    assert.deepEqual(planned.acme.kept, []);
    assert.deepEqual(changed(planned.beta), shared);
    assert.deepEqual(planned.beta.kept, [
      { field: "/mapping/Surname", own: "preferred_name", template: "last_name", before: "last_name" },
      { field: "/policy/missing_after_runs", own: 5, template: 4, before: 3 },
    ]);

    assert.deepEqual((await apply(id, ["acme", "beta"])).beta, planned.beta);
    const beta = await connection("beta");
    assert.deepEqual(beta.mapping, { Surname: "preferred_name", Site: "location", Given: "first_name" });
    assert.deepEqual(beta.policy, { missing_after_runs: 5, create: false });
    assert.equal(beta.template.version, 2);
    const again = (await apply(id, ["beta"])).beta;
    assert.deepEqual([again.outcome, again.kept.map(({ own }: Json) => own)], ["unchanged", ["preferred_name", 5]]);
  }));

test("a connection shows which of its values are the template's", () =>
  templating(async ({ organization, template, apply, connection, inside }) => {
    await organization("acme");
    const { id } = await template({ preset: "connecteam", key: "email" });
    await apply(id, ["acme"]);
    await inside("acme", "/v1/connections/nightly", { method: "PATCH", json: { policy: { missing_after_runs: 4 } } });
    const { in_force } = await connection("acme");
    assert.deepEqual(in_force.settings.delimiter, { value: ";", from: "template" });
    assert.deepEqual(in_force.key, { value: "email", from: "template" });
    assert.deepEqual(in_force.policy.missing, { value: "deactivate", from: "template" });
    assert.deepEqual(in_force.policy.missing_after_runs, { value: 4, from: "connection" });
    assert.deepEqual(in_force.policy.empty_cells, { value: "keep", from: "preset" });
    assert.deepEqual(in_force.limits.deactivate.percent, { value: 3, from: "template" });
    assert.deepEqual(in_force.limits.deactivate.floor, { value: 5, from: "default" });
    assert.equal((await connection("acme", "csv")).template, null);
  }));

test("a connection that is there is adopted with its own values, unless it is another connector's or another template's", () =>
  templating(async ({ organization, template, plan, apply, connection, inside }) => {
    for (const slug of ["acme", "beta", "gone"]) await organization(slug);
    await inside("acme", "/v1/connections/csv", { method: "PATCH", json: { policy: { missing_after_runs: 9 } } });
    const { id } = await template({ slug: "csv" });
    const planned = await plan(id, ["acme"]);
    const applied = await apply(id, ["acme"]);
    assert.deepEqual(applied, planned);
    assert.equal(applied.acme.outcome, "adopted");
    assert.deepEqual(applied.acme.kept, [{ field: "/policy/missing_after_runs", own: 9, template: 3 }]);
    const adopted = await connection("acme", "csv");
    assert.deepEqual([adopted.name, adopted.settings], ["CSV upload", { delimiter: ";" }]);
    assert.equal((await apply(id, ["acme"])).acme.outcome, "unchanged");

    const other = await template({ name: "Other", slug: "csv" });
    const taken = (await apply(other.id, ["acme"])).acme;
    assert.deepEqual([taken.outcome, taken.refused.code], ["refused", "conflict"]);
    assert.match(taken.refused.detail, /"csv" follows another template/);
    const api = await template({ name: "Third", slug: "api" });
    const wrong = (await apply(api.id, ["beta"])).beta;
    assert.match(wrong.refused.detail, /a connection "api" of the connector "rest-import"/);
  }));

test("what is wrong in one organization is its own refusal, and the others are done", () =>
  templating(async ({ organization, template, apply, connection, inside, hub }) => {
    for (const slug of ["acme", "field", "full"]) await organization(slug);
    await inside("field", "/v1/custom-fields/floor", { method: "PUT", json: { type: "number" } });
    await hub.db.write([
      hub.db.run(sql`with recursive n(i) as (select 1 union all select i + 1 from n where i < 198)
        insert into connections (id, organization_id, slug, name, connector, salt, created_at, updated_at)
        select 1000 + i, (select id from organizations where slug = 'full'), 'c' || i, 'c', 'csv-upload', 's', 0, 0 from n`),
    ]);
    const { id } = await template({ mapping: { Floor: "floor" } });
    const results = await apply(id, ["acme", "nobody", "field", "full"]);
    assert.deepEqual(outcomes(results), { acme: "refused", nobody: "refused", field: "created", full: "refused" });
    assert.deepEqual(results.acme.refused.errors, [{ pointer: "/mapping/Floor", detail: 'Unknown field "floor"' }]);
    assert.deepEqual([results.nobody.organization, results.nobody.refused.code], [null, "not_found"]);
    assert.deepEqual((await connection("field")).mapping, { Floor: "floor" });
    assert.equal((await inside("acme", "/v1/connections")).data.length, 2);
  }));

test("settings that each organization has for itself are given by name, and secrets that are still to be set are named", () =>
  templating(async ({ organization, template, operator, plan, apply, connection, inside, change }) => {
    for (const slug of ["acme", "beta"]) await organization(slug);
    const { id } = await template({
      connector: "bamboohr",
      settings: {},
      mapping: {},
      schedule: { every_minutes: 60 },
    });
    const without = (await plan(id, ["acme"])).acme;
    assert.deepEqual([without.outcome, without.refused.errors[0].pointer], ["refused", "/settings/subdomain"]);
    const settings = { acme: { subdomain: "acme" }, beta: { subdomain: "beta" } };
    const applied = await apply(id, ["acme", "beta"], { settings });
    assert.deepEqual(outcomes(applied), { acme: "created", beta: "created" });
    assert.deepEqual(applied.acme.secrets_required, ["api_key"]);
    const made = await connection("acme");
    assert.deepEqual([made.settings, made.schedule], [{ subdomain: "acme" }, { every_minutes: 60 }]);
    assert.deepEqual(made.secrets_required, ["api_key"]);

    await inside("acme", "/v1/connections/nightly", { method: "PATCH", json: { secrets: { api_key: "k" } } });
    assert.deepEqual((await plan(id, ["acme"])).acme.secrets_required, [], "its own settings are known");
    const moved = await apply(id, ["acme"], { settings: { acme: { subdomain: "elsewhere" } } });
    assert.deepEqual(changed(moved.acme), { "/settings/subdomain": '"acme" → "elsewhere"' });
    assert.deepEqual([moved.acme.secrets_cleared, moved.acme.secrets_required], [true, ["api_key"]]);
    assert.deepEqual((await connection("acme")).secrets_required, ["api_key"]);

    await change(id, { schedule: null });
    assert.deepEqual(Object.keys(changed((await apply(id, ["beta"])).beta)), ["/schedule"]);
    const json = { organizations: ["acme"], mode: "plan", settings: { beta: {} } };
    const unnamed = await operator(`/v1/connection-templates/${id}/apply`, { json });
    assert.equal(unnamed.status, 400);
    assert.equal((await unnamed.json()).errors[0].pointer, "/settings/beta");
  }));

test("a preset brings its key and custom fields, and is refused where people are linked by another key", () =>
  templating(async ({ organization, template, change, plan, apply, connection, inside, hub }) => {
    for (const slug of ["acme", "beta"]) await organization(slug);
    const { id } = await template({ policy: {}, limits: {} });
    await apply(id, ["acme", "beta"]);
    const { id: linked } = await connection("beta");
    await hub.db.write([
      hub.db.run(sql`insert into links (connection_id, source_key, user_id, active)
        select id, '1', 1, 1 from connections where slug = 'nightly'
          and organization_id = (select id from organizations where slug = 'beta')`),
    ]);
    await change(id, { preset: "ops-com" });
    const planned = await plan(id, ["acme", "beta"]);
    assert.deepEqual(changed(planned.acme), { "/preset": 'null → "ops-com"', "/key": 'undefined → "source_id"' });
    assert.ok(planned.acme.custom_fields.includes("street"));
    assert.deepEqual([planned.beta.outcome, planned.beta.connection.id], ["refused", linked]);
    assert.match(planned.beta.refused.detail, /are linked by employee_id or email/);
    await apply(id, ["acme", "beta"]);
    assert.equal((await connection("acme")).key, "source_id");
    assert.ok((await inside("acme", "/v1/custom-fields")).data.length > 10);
    assert.deepEqual([(await connection("beta")).preset, (await connection("beta")).template.version], [null, 1]);
  }));

test("looser guards and remote sources need runs:approve as well, which is said for each organization", () =>
  templating(async ({ organization, template, apply }) => {
    await organization("acme");
    const looser = await template({ limits: { deactivate: { percent: 50 } } });
    const refused = (await apply(looser.id, ["acme"])).acme.refused;
    assert.deepEqual([refused.code, /"runs:approve".*looser guard/.test(refused.detail)], ["forbidden", true]);
    const settings = { mode: "remote", host: "sftp.example.com", username: "hub" };
    const remote = await template({ name: "Remote", slug: "remote", connector: "sftp-drop", settings });
    assert.match((await apply(remote.id, ["acme"])).acme.refused.detail, /setting the source/);
    const tighter = await template({ name: "Tighter", limits: { deactivate: { percent: 1 } } });
    assert.equal((await apply(tighter.id, ["acme"])).acme.outcome, "created");
  }, ["operator"]));

test("a template is checked when it is made: connector, settings, schedule, name, and people cannot be in it", () =>
  templating(async ({ operator, template }) => {
    await template();
    const refusal = async (input: object) => {
      const answer = await operator("/v1/connection-templates", { json: { ...TEMPLATE, name: "Second", ...input } });
      const { code, errors } = await answer.json();
      return [answer.status, code, errors[0]?.pointer];
    };
    assert.deepEqual(await refusal({ connector: "nothing" }), [422, "unprocessable", undefined]);
    assert.deepEqual(await refusal({ settings: { delimiter: 5 } }), [400, "invalid_request", "/settings/delimiter"]);
    assert.deepEqual(await refusal({ settings: { colour: 5 } }), [400, "invalid_request", "/settings/colour"]);
    assert.deepEqual(await refusal({ schedule: { every_minutes: 5 } }), [422, "unprocessable", "/schedule"]);
    assert.deepEqual(await refusal({ name: TEMPLATE.name }), [409, "conflict", undefined]);
    assert.deepEqual(await refusal({ secrets: { api_key: "k" } }), [400, "invalid_request", "/secrets"]);
    const people = { policy: { protected: ["usr_00000000001"] } };
    assert.deepEqual(await refusal(people), [422, "unprocessable", "/policy/protected"]);
    const { id } = await template({ name: "Second" });
    const renamed = { method: "PATCH", json: { name: TEMPLATE.name } };
    assert.equal((await operator(`/v1/connection-templates/${id}`, renamed)).status, 409);
    const wrong = { method: "PATCH", json: { settings: { delimiter: 5 } } };
    assert.equal((await operator(`/v1/connection-templates/${id}`, wrong)).status, 400);
    const gone = { method: "PATCH", json: { schedule: { every_minutes: 5 } } };
    assert.equal((await operator(`/v1/connection-templates/${id}`, gone)).status, 422);
  }));

test("templates are the operator's: nobody else reads or applies them, and no customer sees another", () =>
  templating(async ({ hub, organization, template, apply, operator }) => {
    for (const slug of ["acme", "beta"]) await organization(slug);
    const { id } = await template();
    await apply(id, ["acme", "beta"]);
    const its = createAsk(hub, await createTestToken(hub, { organization: "acme" }));
    const paths = ["", `/${id}`, `/${id}/connections`].map((path) => `/v1/connection-templates${path}`);
    for (const path of paths) assert.equal((await its(path)).status, 403, path);
    const json = { organizations: ["acme"], mode: "apply" };
    assert.equal((await its(`/v1/connection-templates/${id}/apply`, { json })).status, 403);
    for (const path of ["/v1/connections/nightly", "/v1/connections", "/v1/audit"]) {
      assert.doesNotMatch(await (await its(path)).text(), /beta/, path);
    }

    const first = await (await operator(`/v1/connection-templates/${id}/connections?limit=1`)).json();
    assert.deepEqual([first.data[0].organization.slug, first.data[0].version], ["acme", 1]);
    const next = `/v1/connection-templates/${id}/connections?cursor=${first.next_cursor}`;
    assert.deepEqual((await (await operator(next)).json()).data.map((use: Json) => use.organization.slug), ["beta"]);
    assert.equal((await operator("/v1/connection-templates/tpl_00000000009/connections")).status, 404);
    assert.deepEqual((await (await operator("/v1/connection-templates")).json()).data.map((each: Json) => each.id), [
      id,
    ]);
  }));

test("a deleted template leaves its connections as they are, and a deleted connection is made anew", () =>
  templating(async ({ operator, organization, template, apply, connection, inside, audit, hub }) => {
    await organization("acme");
    const { id } = await template();
    await apply(id, ["acme"]);
    const path = "/v1/connections/nightly";
    const headers = { "muster-organization": "acme" };
    assert.equal((await operator(path, { method: "DELETE", headers })).status, 204);
    assert.equal((await apply(id, ["acme"])).acme.outcome, "created");
    const before = await connection("acme");
    assert.equal((await operator(`/v1/connection-templates/${id}`, { method: "DELETE" })).status, 204);
    const after = await connection("acme");
    assert.equal(after.template, null);
    assert.deepEqual(after.in_force.policy.missing, { value: "deactivate", from: "connection" });
    assert.deepEqual([after.policy, after.version], [before.policy, before.version]);
    assert.equal((await audit("default", id)).at(-1), "connection_template.deleted");
    assert.deepEqual(await hub.db.rows(sql`select * from template_uses`), []);
    await inside("acme", path, { method: "PATCH", json: { name: "Mine" } });
  }));

test("an existing connection keeps its version of the connector, and one whose version is gone is refused", () =>
  templating(async ({ registry, organization, template, change, apply, connection, hub }) => {
    await organization("acme");
    const { id } = await template();
    const old = { ...registry.get("csv-upload")!, version: "0.9.0" };
    const pinned = new Map([["d0", old]]);
    Object.assign(registry, { pinned });
    await apply(id, ["acme"]);
    await hub.db.write([
      hub.db.run(
        sql`update connections set connector_version = '0.9.0', connector_digest = 'd0' where slug = 'nightly'`,
      ),
    ]);
    await change(id, { policy: { missing: "keep" } });
    assert.equal((await apply(id, ["acme"])).acme.outcome, "updated");
    assert.equal((await connection("acme")).connector_version, "0.9.0");
    pinned.clear();
    const { outcome, refused } = (await apply(id, ["acme"])).acme;
    assert.equal(outcome, "refused");
    assert.match(refused.detail, /"csv-upload", version 0\.9\.0, is not installed/);

    registry.delete("csv-upload");
    await organization("beta");
    assert.match((await apply(id, ["beta"])).beta.refused.detail, /There is no connector "csv-upload"/);
  }));

test("a connection whose run is at work is changed for its next run", () =>
  templating(async ({ organization, template, change, apply, connection, inside, hub }) => {
    await organization("acme");
    const { id } = await template();
    await apply(id, ["acme"]);
    const csv = { body: "email\n", headers: { "content-type": "text/csv" } };
    await inside("acme", "/v1/connections/nightly/drops", csv);
    await hub.db.write([hub.db.orm.update(runs).set({ status: "planning" })]);
    await change(id, { policy: { missing: "keep" } });
    assert.equal((await apply(id, ["acme"])).acme.outcome, "updated");
    assert.equal((await connection("acme")).policy.missing, "keep");
  }));

test("a reviewed version is named with If-Match, and a repeated request with its key is answered alike", () =>
  templating(async ({ operator, organization, template, change, hub }) => {
    await organization("acme");
    const { id } = await template();
    const path = `/v1/connection-templates/${id}/apply`;
    const ask = (headers: Record<string, string>) =>
      operator(path, { json: { organizations: ["acme"], mode: "apply" }, headers });
    await change(id, { policy: { missing: "keep" } });
    assert.equal((await ask({ "if-match": '"1"' })).status, 412);
    const first = await ask({ "if-match": '"2"', "idempotency-key": "night" });
    const again = await ask({ "if-match": '"2"', "idempotency-key": "night" });
    assert.equal(again.headers.get("idempotency-replayed"), "true");
    assert.deepEqual(await again.json(), await first.json());
    const [count] = await hub.db.rows<[number]>(sql`select count(*) from connections where slug = 'nightly'`);
    assert.deepEqual(count, [1]);
  }));

test("of two that apply at the same time each organization is done once", () =>
  templating(async ({ organization, template, apply, hub }) => {
    const slugs = ["one", "two", "three", "four"];
    for (const slug of slugs) await organization(slug);
    const { id } = await template();
    const both = await Promise.all([apply(id, slugs), apply(id, [...slugs].reverse())]);
    for (const slug of slugs) {
      const found = both.map((results) => results[slug].outcome).sort();
      assert.deepEqual(found, ["created", "unchanged"], slug);
    }
    const [count] = await hub.db.rows<[number]>(sql`select count(*) from connections where slug = 'nightly'`);
    assert.deepEqual(count, [4]);
  }));

test("a template that is changed while it is applied is not applied any further, nor to an organization that is deleted", () =>
  templating(async ({ hub, organization, template, apply }) => {
    for (const slug of ["acme", "beta", "gone"]) await organization(slug);
    const { id } = await template();
    // The change comes right behind the first organization.
    await hub.db.write([
      hub.db.run(sql`create trigger meanwhile after insert on template_uses begin
        update connection_templates set version = version + 1; end`),
    ]);
    const results = await apply(id, ["acme", "beta"]);
    assert.deepEqual(outcomes(results), { acme: "created", beta: "refused" });
    assert.equal(results.beta.refused.code, "stale");
    await hub.db.write([
      hub.db.run(sql`drop trigger meanwhile`),
      hub.db.run(sql`create trigger meanwhile after insert on connections begin
        delete from organizations where slug = 'gone'; end`),
    ]);
    assert.deepEqual(outcomes(await apply(id, ["beta", "gone"])), { beta: "created", gone: "refused" });
    assert.deepEqual(
      await hub.db.rows(sql`select 1 from connections where slug = 'nightly' and organization_id not in
      (select id from organizations)`),
      [],
    );
  }));

test(
  "two hundred organizations are done in one call, and more are refused",
  { skip: onlyInCheck },
  () =>
    templating(async ({ operator, organization, template, apply }) => {
      const slugs = Array.from({ length: 200 }, (_, i) => `customer-${i}`);
      for (const slug of slugs) await organization(slug);
      const { id } = await template();
      assert.ok(Object.values(await apply(id, slugs)).every(({ outcome }) => outcome === "created"));
      assert.ok(Object.values(await apply(id, slugs)).every(({ outcome }) => outcome === "unchanged"));
      const json = { organizations: [...slugs, "one-more"], mode: "plan" };
      assert.equal((await operator(`/v1/connection-templates/${id}/apply`, { json })).status, 400);
    }),
);
