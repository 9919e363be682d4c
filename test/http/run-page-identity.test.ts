/** The run's page where a row would make somebody somebody else: who is there, who comes, two ways out, and the way back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { mintLinks } from "../../src/notify/links.ts";
import type { Scope } from "../../src/model/scope.ts";
import { createAsk, createTestToken } from "../support/hub.ts";
import { csv, HEADER, type Importing, importing, type Outcome, said } from "../support/imports.ts";

const NAMES = ["Ana,Novak", "Bo,Lind", "Cy,Ora", "Di,Pek", "Ed,Quin", "Fi,Rask", "Gil,Sand", "Hal,Toft"];
const PEOPLE = NAMES.map((name, i) => `${1001 + i},p${i}@acme.test,${name},Clerk`);
const ZED = "1001,zed@acme.test,Zed,<b>Young</b>,Intern";

/** The people, with these rows in place of the first ones. */
const file = (...rows: string[]) => csv(`${HEADER},title`, ...rows, ...PEOPLE.slice(rows.length));

interface Page {
  readonly status: number;
  readonly text: string;
  readonly location: string | null;
}

interface Visit {
  readonly world: Importing;
  readonly run: Outcome;
  /** Opens the page, or what is below it. */
  get(more?: string): Promise<Page>;
  post(form: Record<string, string>): Promise<Page>;
  /** Presses a button of the page's first row that has it, then the one that confirms. */
  decide(answer: "accept" | "release" | "undo"): Promise<Page>;
}

/** `link`: instead of the one from a mail. */
async function visit(world: Importing, run: Outcome, link?: string): Promise<Visit> {
  const { hub } = world, subject = { id: world.number("run", run.id), organizationId: hub.organization.id };
  const path = (link ?? (await mintLinks(hub, subject)).page).slice(hub.publicUrl.length);
  const stranger = createAsk(hub, null);
  const read = async (answer: Response): Promise<Page> => ({
    status: answer.status,
    text: await answer.text(),
    location: answer.headers.get("location"),
  });
  const get = async (more = "") => read(await stranger(path + more));
  const post = async (form: Record<string, string>) =>
    read(
      await stranger(`${path}/identity`, {
        body: new URLSearchParams(form).toString(),
        headers: { "content-type": "application/x-www-form-urlencoded" },
      }),
    );
  return {
    world,
    run,
    get,
    post,
    async decide(answer) {
      const asked = await post({ ...hidden((await get()).text), answer });
      assert.equal(asked.status, 200, asked.text);
      return await post(hidden(asked.text));
    },
  };
}

/** The hidden fields of the first form about a row. */
function hidden(text: string): Record<string, string> {
  const form = /<form[^>]*action="[^"]*\/identity.*?<\/form>/s.exec(text)?.[0] ?? "";
  const fields = form.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g);
  return Object.fromEntries([...fields].map(([, name, value]) => [name!, value!]));
}

/** The page of a run that refused Zed under Ana's number. */
async function refused(world: Importing): Promise<Visit> {
  await world.import(file());
  const run = await world.import(file(ZED));
  assert.deepEqual(said(run), ["2 identity_conflict"]);
  return await visit(world, run);
}

test("the page names who was there and who comes, as text, with a button for each way out", () =>
  importing(async (world) => {
    const { get } = await refused(world);
    const { text } = await get();
    const who = /<dl class="versus">.*?<\/dl>/s.exec(text)![0];
    assert.match(who, /Known until now.*Ana Novak.*p0@acme\.test.*1001.*In this row.*zed@acme\.test.*1001/s);
    assert.match(who, /Zed &lt;b&gt;Young&lt;\/b&gt;/);
    assert.match(text, /<button name="answer" value="accept">The same person…<\/button>/);
    assert.match(text, /<button name="answer" value="release">Somebody new…<\/button>/);
    assert.doesNotMatch(text, /<script/);
    assert.match(text, /Report as CSV/);
    assert.equal(text.match(/About identity_conflict/g), null, "it is asked once, and not listed beside that");
  }));

test("the same person: the first POST asks, the second decides; the page says so, and the row is applied the next time", () =>
  importing(async (world) => {
    const { get, post, decide } = await refused(world);
    const ana = await world.person("1001");
    const asked = await post({ ...hidden((await get()).text), answer: "accept" });
    assert.match(asked.text, /Is it the same person\?.*Ana Novak.*Zed &lt;b&gt;Young.*Yes, the same person/s);
    assert.match((await get()).text, /The same person…/, "asking decides nothing");
    const done = await post(hidden(asked.text));
    assert.deepEqual([done.status, done.location?.split("#")[1]], [303, "row-0"]);
    const after = (await get()).text;
    assert.match(after, /The same person\..*Decided on 2 March 2026 [^<]*, with a link to this page\. .*Undo this…/s);
    assert.doesNotMatch(after, /Somebody new…/);
    const { data } = await (await world.ask("/v1/audit?action=user.accepted")).json();
    assert.deepEqual([data.length, data[0].actor.kind, data[0].subjects[0]], [1, "link", ana.id]);

    assert.equal((await decide("undo")).status, 303);
    assert.match((await get()).text, /The same person…/);
    assert.deepEqual(said(await world.import(file(ZED), { name: "again.csv" })), ["2 identity_conflict"]);
    assert.equal((await world.ask("/v1/audit?action=user.acceptance_undone")).status, 200);

    await decide("accept");
    assert.deepEqual(said(await world.import(file(ZED), { name: "third.csv" })), []);
    const now = await world.person("1001");
    assert.deepEqual([now.id, now.first_name], [ana.id, "Zed"]);
    assert.match((await get()).text, /it belongs to Ana Novak/, "the old page still says who was there");
  }));

test("somebody new: the old record stays and can be given back, until somebody new has been made", () =>
  importing(async (world) => {
    const { get, decide } = await refused(world);
    const ana = await world.person("1001");
    const read = async () => await (await world.ask(`/v1/users/${ana.id}`)).json();
    assert.equal((await decide("release")).status, 303);
    assert.deepEqual([(await read()).status, (await read()).employee_id], ["inactive", null]);
    assert.match((await get()).text, /Ana Novak.*Somebody new\..*Decided on.*Undo this…/s);
    await decide("undo");
    assert.deepEqual([(await read()).status, (await read()).employee_id], ["active", "1001"]);

    await decide("release");
    assert.deepEqual(said(await world.import(file(ZED), { name: "again.csv" })), []);
    assert.notEqual((await world.person("1001")).id, ana.id);
    const late = await decide("undo");
    assert.equal(late.status, 409);
    assert.match(late.text, /It cannot be undone any more/);
    const { data } = await (await world.ask("/v1/audit?action=user.released")).json();
    assert.deepEqual([data.length, data[0].actor.kind], [2, "link"]);
  }));

test("nothing is decided twice, about a person who has changed since, or about a row that nobody asks about", () =>
  importing(async (world) => {
    const { get, post } = await refused(world);
    const seen = { ...hidden((await get()).text), confirmed: "yes" };
    for (const form of [{ ...seen, row: "1" }, { ...seen, row: "x" }, { ...seen, row: "" }, seen]) {
      const answer = await post({ ...form, answer: form === seen ? "nonsense" : "release" });
      assert.equal(answer.status, 409);
      assert.match(answer.text, /There is nothing to decide/);
    }
    assert.match((await post({ ...seen, answer: "undo" })).text, /There is nothing to undo/);
    await world.edit(await world.person("1001"), { title: "Lead" });
    const stale = await post({ ...seen, answer: "release" });
    assert.equal(stale.status, 409);
    assert.match(stale.text, /The person has changed/);
    assert.equal((await world.person("1001")).status, "active");
    const again = { ...hidden(stale.text), answer: "accept", confirmed: "yes" };
    assert.equal((await post(again)).status, 303);
    for (const answer of ["accept", "release"]) {
      const { status, text } = await post({ ...again, answer });
      assert.equal(status, 409);
      assert.match(text, /It is decided already/);
    }
    assert.equal((await world.person("1001")).status, "active");
  }));

test("released is what the row has, not the id that the person was given by hand since", () =>
  importing(async (world) => {
    const { get, post, decide } = await refused(world);
    const ana = await world.person("1001");
    await world.edit(ana, { employee_id: "1009" });
    const read = async () => {
      const { status, employee_id, sources } = await (await world.ask(`/v1/users/${ana.id}`)).json();
      return [status, employee_id, sources.length];
    };
    const asked = await post({ ...hidden((await get()).text), answer: "release" });
    assert.match(asked.text, /becomes inactive at once\. The next time/);
    await decide("release");
    assert.deepEqual(await read(), ["inactive", "1009", 0]);
    await decide("undo");
    assert.deepEqual(await read(), ["active", "1009", 1]);
    await decide("release");
    assert.deepEqual(said(await world.import(file(ZED), { name: "again.csv" })), []);
    assert.notEqual((await world.person("1001")).id, ana.id);
  }));

test("once the row would no longer find the person, there is nothing to decide", () =>
  importing(async (world) => {
    await world.import(file());
    await world.connect("badges", { connector: "csv-upload", key: "email" });
    const rows = csv("email,first_name,last_name", "p0@acme.test,Zed,Young", "q@acme.test,Quo,Vadis");
    const run = await world.import(rows, { connection: "badges" });
    const { body } = await world.post(`/v1/runs/${run.id}/links`, { role: "approver" });
    const { get, post } = await visit(world, run, body.url);
    assert.match((await get()).text, /The same person…/);
    const { version } = await world.edit(await world.person("1001"), { email: "ana@acme.test" });
    const { text } = await get();
    assert.match(text, /Ana Novak.*no longer has the id or address of the row/s);
    assert.doesNotMatch(text, /\/identity"/);
    const answer = await post({ row: "0", version: String(version), answer: "release", confirmed: "yes" });
    assert.equal(answer.status, 409);
    assert.match(answer.text, /There is nothing to decide/);
    assert.equal((await world.person("1001")).status, "active");
  }));

test("a link decides only if it may approve and shows people; others show what there is to decide, or not even that", () =>
  importing(async (world) => {
    const { run, get } = await refused(world);
    const form = { ...hidden((await get()).text), answer: "release", confirmed: "yes" };
    const linkBy = async (scopes: Scope[], role: string) => {
      const ask = createAsk(world.hub, await createTestToken(world.hub, { scopes }));
      return (await (await ask(`/v1/runs/${run.id}/links`, { json: { role } })).json()).url as string;
    };
    const viewer = await visit(world, run, await linkBy(["runs:read", "users:read", "runs:approve"], "viewer"));
    const blind = await visit(world, run, await linkBy(["runs:read", "runs:approve"], "approver"));
    for (const { post } of [viewer, blind]) {
      const { status, text } = await post(form);
      assert.equal(status, 403);
      assert.match(text, /cannot decide who a row is about/);
    }
    const shown = (await viewer.get()).text;
    assert.match(shown, /Ana Novak.*zed@acme\.test/s);
    assert.doesNotMatch(shown, /\/identity"/);
    assert.doesNotMatch((await blind.get()).text, /\bAna\b|zed@|\/identity"/);
    assert.equal((await world.person("1001")).status, "active");
    const approver = await visit(
      world,
      run,
      await linkBy(["runs:read", "users:read", "runs:approve"], "approver"),
    );
    assert.equal((await approver.decide("accept")).status, 303);
  }));

test("somebody from another source is not shown behind a mail's link, and not decided about", () =>
  importing(async (world) => {
    await world.import(file());
    await world.connect("badges", { connector: "csv-upload", key: "email" });
    const header = "email,first_name,last_name";
    const run = await world.import(csv(header, "p0@acme.test,Zed,Young", "q@acme.test,Quo,Vadis"), {
      connection: "badges",
    });
    assert.deepEqual(said(run), ["2 identity_conflict"]);
    const mailed = await visit(world, run);
    const { text } = await mailed.get();
    assert.match(text, /somebody who is known by other names.*Your Muster administrator\s+decides/s);
    assert.doesNotMatch(text, /\bAna\b|Novak|\/identity"/);
    const form = { row: "0", version: "1", answer: "release", confirmed: "yes" };
    assert.equal((await mailed.post(form)).status, 403);
    const { body } = await world.post(`/v1/runs/${run.id}/links`, { role: "approver" });
    const made = await visit(world, run, body.url);
    assert.match((await made.get()).text, /Ana Novak/);
    assert.equal((await made.decide("accept")).status, 303);
  }));

test("a row accepted on a held run's page is in the plan that is then approved", () =>
  importing(async (world) => {
    await world.import(file());
    const run = await world.import(file(ZED, "1002,p1@acme.test,Bo,Lind,Lead"), { mode: "plan" });
    assert.equal(run.status, "planned");
    const { decide } = await visit(world, run);
    await decide("accept");
    assert.equal((await world.post(`/v1/runs/${run.id}/approve`, { plan_hash: run.plan_hash })).status, 409);
    await world.carry();
    const fresh = await world.run(run.id);
    assert.deepEqual([fresh.counts.updated, fresh.counts.failed], [2, 0]);
  }));

test("more rows than fit are on the next pages, each once, and a decision leads back to its row", () =>
  importing(async (world) => {
    await world.set("csv", { limits: { contradictions: { enabled: false } } });
    const many = Array.from({ length: 24 }, (_, i) => `${2000 + i},m${i}@acme.test,First${i},Last${i},Clerk`);
    await world.import(csv(`${HEADER},title`, ...many));
    const others = many.map((_, i) => `${2000 + i},n${i}@acme.test,Other${i},Name${i},Clerk`);
    const run = await world.import(csv(`${HEADER},title`, ...others), { name: "others.csv" });
    const { get, post } = await visit(world, run);
    const seen: string[] = [];
    for (let more = "";;) {
      const { text } = await get(more);
      seen.push(...[...text.matchAll(/<li id="row-(\d+)"/g)].map(([, n]) => n!));
      const next = /href="[^"]*(\?rows=\d+)#who"/.exec(text)?.[1];
      if (next === undefined) break;
      more = next;
    }
    assert.deepEqual(seen, many.map((_, i) => String(i)));
    assert.match((await get("?rows=19")).text, /Back to the first rows/);
    const form = { ...hidden((await get("?rows=19")).text), answer: "accept", confirmed: "yes" };
    assert.equal((await post(form)).status, 303);
  }));

test("where no row can be decided about, the address of the form shows the page, refuses what is no form, and ends with the link", () =>
  importing(async (world) => {
    const { run, get, post } = await refused(world);
    assert.match((await get("/identity")).text, /The same person…/);
    assert.equal((await post({ row: "0".repeat(5000) })).status, 413);
    const { page } = await mintLinks(world.hub, {
      id: world.number("run", run.id),
      organizationId: world.hub.organization.id,
    });
    const path = page.slice(world.hub.publicUrl.length);
    const stranger = createAsk(world.hub, null);
    assert.equal((await stranger(`${path}/identity`, { json: { row: 0 } })).status, 415);
    assert.equal((await stranger("/r/none/identity")).status, 404);
    assert.equal((await stranger("/r/none/identity", { body: "row=0" })).status, 404);
    assert.equal((await world.ask(`/v1/runs/${run.id}/links`, { method: "DELETE" })).status, 204);
    assert.equal((await get("/identity")).status, 410);
    assert.equal((await post({ row: "0", answer: "accept" })).status, 410);
    assert.equal((await world.person("1001")).first_name, "Ana");
  }));
