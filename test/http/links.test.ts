import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { SignJWT } from "jose";
import { createRegistry } from "../../src/runtime/registry.ts";
import { decodeId, encodeId } from "../../src/model/id.ts";
import { type Links, mintLink, mintLinks } from "../../src/notify/links.ts";
import { runNext } from "../../src/runs/next.ts";
import { mails } from "../../src/store/notify/schema-mails.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { tick } from "../../src/upkeep/tick.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";

const HOUR_MS = 3_600_000;
let hub: TestHub;
let ask: Ask;
let open: (link: string, method?: string) => Promise<Response>;
let run: { id: number; organizationId: number };
let links: Links;

before(async () => {
  hub = await createTestHub({ registry: createRegistry() });
  ask = createAsk(hub, await createTestToken(hub));
  const stranger = createAsk(hub, null);
  open = (link, method) => stranger(link.slice(hub.publicUrl.length), { method });
  const answer = await ask(
    `/v1/connections/csv/drops?name=${encodeURIComponent('söme "people".csv')}`,
    {
      body: "employee_id,email,first_name,last_name\n1,ana@,Ana,Lopez\n2,tom@acme.test,Tom,Marsh\n",
      headers: { "content-type": "text/csv" },
    },
  );
  run = { id: decodeId("run", (await answer.json()).run.id)!, organizationId: hub.organization.id };
  const signal = new AbortController().signal;
  while (await runNext(hub, { signal, owner: "test", rethrow: true }) !== null);
});
after(() => hub.close());
beforeEach(async () => {
  hub.clock.ms += 1000;
  links = await mintLinks(hub, run);
});

test("a report's link opens without a token, and gives the very report under the name of its input", async () => {
  const own = await ask(`/v1/runs/${encodeId("run", run.id)}/failures.csv`);
  const linked = await open(links.csv);
  assert.equal(linked.status, 200);
  assert.deepEqual(new Uint8Array(await linked.arrayBuffer()), new Uint8Array(await own.arrayBuffer()));
  assert.equal(linked.headers.get("content-type"), "text/csv; charset=utf-8");
  assert.equal(
    linked.headers.get("content-disposition"),
    "attachment; filename*=UTF-8''s%C3%B6me%20%22people%22.failures.csv",
  );
  const book = await open(links.xlsx);
  assert.equal(
    book.headers.get("content-disposition"),
    "attachment; filename*=UTF-8''s%C3%B6me%20%22people%22.failures.xlsx",
  );
  const ownBook = await ask(`/v1/runs/${encodeId("run", run.id)}/failures.xlsx`);
  assert.deepEqual(new Uint8Array(await book.arrayBuffer()), new Uint8Array(await ownBook.arrayBuffer()));
  const json = await open(links.json);
  assert.equal(json.headers.get("content-type"), "application/json");
  assert.equal((await json.json())[0].code, "email_invalid");
});

test("what is behind a link is kept by nobody and its address is handed on to nobody", async () => {
  for (const link of [links.csv, links.xlsx, links.json, links.page]) {
    const { headers } = await open(link);
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal(headers.get("referrer-policy"), "no-referrer");
  }
  assert.ok(!JSON.stringify(hub.lines).includes(links.csv.split("/").at(-1)!), "the log names the route alone");
});

test("links to a report work for seven days, those to the page for 72 hours, and then say that they have expired", async () => {
  hub.clock.ms += 72 * HOUR_MS - 2000;
  assert.equal((await open(links.page)).status, 200);
  hub.clock.ms += 2000;
  const page = await open(links.page);
  assert.equal(page.status, 410);
  assert.match(page.headers.get("content-type")!, /^text\/html/);
  assert.match(await page.text(), /This link has expired/);
  hub.clock.ms += 96 * HOUR_MS - 2000;
  assert.equal((await open(links.csv)).status, 200);
  hub.clock.ms += 2000;
  assert.equal((await open(links.csv)).status, 410);
  assert.equal((await open(links.json)).status, 410);
});

test("a link with any character changed, or cut off, opens nothing and says what may have happened", async () => {
  const signed = links.csv.split("/").at(-1)!;
  const changed = [...signed].map((char, at) =>
    signed.slice(0, at) + (char === "A" ? "B" : "A") + signed.slice(at + 1)
  );
  // The last digit of a signature carries bits of nothing, so some others say the same.
  for (const each of [...changed.slice(0, -1), signed.slice(0, -4), signed.slice(5), "x", `${signed}.${signed}`]) {
    const answer = await open(`${hub.publicUrl}/reports/${each}`);
    assert.equal(answer.status, 404, each);
    assert.match(await answer.text(), /This link is invalid/);
  }
});

test("a link opens what it was made for and nothing else", async () => {
  const signed = (link: string) => link.split("/").at(-1)!;
  assert.equal((await open(`${hub.publicUrl}/r/${signed(links.csv)}`)).status, 404);
  assert.equal((await open(`${hub.publicUrl}/reports/${signed(links.page)}`)).status, 404);
  const json = await open(`${hub.publicUrl}/reports/${signed(links.json)}?format=csv`);
  assert.equal(json.headers.get("content-type"), "application/json");
});

test("another organization's run, and one that is gone, are behind no link", async () => {
  const other = await createOrganization(hub.db, { slug: "other", name: "Other", timezone: "UTC" }, hub.clock.ms);
  const crossed = await mintLink(hub, { ...run, organizationId: other.id }, "csv", hub.clock.ms + HOUR_MS);
  const gone = await mintLink(hub, { ...run, id: 999 }, "page", hub.clock.ms + HOUR_MS);
  for (const link of [crossed, gone]) {
    const answer = await open(link);
    assert.equal(answer.status, 404);
    assert.match(await answer.text(), /The run of this link is deleted/);
  }
});

test("a link signed with another key, without one, or by another rule opens nothing", async () => {
  const claims = { org: encodeId("org", run.organizationId), made: hub.clock.ms };
  const jwt = (alg: string) =>
    new SignJWT(claims).setProtectedHeader({ alg }).setAudience("csv").setSubject(encodeId("run", run.id))
      .setExpirationTime(Math.floor(hub.clock.ms / 1000) + 3600);
  const key = await hub.secrets.derive("links");
  const unsigned = [{ alg: "none" }, { ...claims, aud: "csv", sub: encodeId("run", run.id), exp: 9e9 }]
    .map((part) => btoa(JSON.stringify(part)).replaceAll("=", "")).join(".") + ".";
  for (
    const signed of [
      await jwt("HS256").sign(await hub.secrets.derive("cursors")),
      await jwt("HS512").sign(new Uint8Array([...key, ...key])),
      unsigned,
    ]
  ) assert.equal((await open(`${hub.publicUrl}/reports/${signed}`)).status, 404);
  assert.equal((await open(`${hub.publicUrl}/reports/${await jwt("HS256").sign(key)}`)).status, 200);
});

test("every opening is in the audit, once a minute for each kind of link, and so is taking links back", async () => {
  hub.clock.ms += 60_000;
  const since = new Date(hub.clock.ms).toISOString();
  for (const link of [links.csv, links.csv, links.page, links.page]) await open(link);
  await open(links.csv.slice(0, -4));
  hub.clock.ms += 60_000;
  await open(links.csv);
  await ask(`/v1/runs/${encodeId("run", run.id)}/links`, { method: "DELETE" });
  await open(links.csv);
  const { data } = await (await ask(`/v1/audit?since=${since}`)).json();
  assert.deepEqual(
    // deno-lint-ignore no-explicit-any
    data.map((entry: any) => [entry.action, entry.actor.kind, ...entry.subjects]).reverse(),
    [
      ["link.opened", "link", encodeId("run", run.id)],
      ["link.opened", "link", encodeId("run", run.id)],
      ["link.opened", "link", encodeId("run", run.id)],
      ["link.revoked", "token", encodeId("run", run.id)],
    ],
  );
});

test("links of a run can be taken back; later ones open again, other runs' were never touched", async () => {
  const other = await mintLink(hub, { ...run, id: run.id + 1 }, "page", hub.clock.ms + HOUR_MS);
  assert.equal((await ask(`/v1/runs/${encodeId("run", run.id)}/links`, { method: "DELETE" })).status, 204);
  for (const link of [links.csv, links.xlsx, links.json, links.page]) {
    const answer = await open(link);
    assert.equal(answer.status, 410);
    assert.match(await answer.text(), /This link was revoked/);
  }
  assert.match(await (await open(other)).text(), /is deleted/);
  hub.clock.ms += 1;
  assert.equal((await open((await mintLinks(hub, run)).csv)).status, 200);
});

test("links are taken back, too, whose message another hub made by a clock that is ahead", async () => {
  const at = hub.clock.ms + HOUR_MS;
  const { id, organizationId } = run;
  await hub.db.write([
    hub.db.orm.insert(mails).values({
      id: 999,
      organizationId,
      runId: id,
      type: "run.failures",
      facts: {} as never,
      dueAt: at,
      createdAt: at,
    }),
  ]);
  const sent = await mintLinks(hub, run, at);
  assert.equal((await open(sent.csv)).status, 200);
  assert.equal((await ask(`/v1/runs/${encodeId("run", id)}/links`, { method: "DELETE" })).status, 204);
  assert.equal((await open(sent.csv)).status, 410);
  hub.clock.ms += 2 * HOUR_MS;
  await tick(hub);
  assert.equal((await open(sent.csv)).status, 410);
});

test("all links of an organization can be taken back at once, by its admin", async () => {
  const reader = createAsk(hub, await createTestToken(hub, { scopes: ["runs:read"] }));
  assert.equal((await reader("/v1/organization/links", { method: "DELETE" })).status, 403);
  assert.equal((await open(links.page)).status, 200);
  assert.equal((await ask("/v1/organization/links", { method: "DELETE" })).status, 204);
  assert.equal((await open(links.page)).status, 410);
  assert.equal((await open(links.csv)).status, 410);
});
