/** The page for people without a browser: what it says, whom it lists, and what it refuses to do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "../../src/model/errors.ts";
import { mintLinks } from "../../src/notify/links.ts";
import { createRates } from "../../src/security/rates.ts";
import { createAsk, type TestHub } from "../support/hub.ts";
import { crowd, csv, HEADER, HOUR_MS, type Importing, importing, type Outcome } from "../support/imports.ts";

const COLUMNS = `${HEADER},is_active,title`;

interface Visit {
  readonly run: Outcome;
  readonly path: string;
  get(more?: string, method?: string): Promise<{ status: number; text: string; headers: Headers }>;
  post(decision: string, form: Record<string, string>): Promise<{ status: number; text: string; headers: Headers }>;
}

/** The page of a run, as somebody without a token meets it. */
async function visit(world: Importing, run: Outcome): Promise<Visit> {
  const { hub } = world;
  const { page } = await mintLinks(hub, { id: world.number("run", run.id), organizationId: hub.organization.id });
  const path = page.slice(hub.publicUrl.length);
  const ask = createAsk(hub, null);
  const read = async (answer: Response) => ({
    status: answer.status,
    text: await answer.text(),
    headers: answer.headers,
  });
  return {
    run,
    path,
    get: async (more = "", method = "GET") => read(await ask(path + more, { method })),
    post: async (decision, form) =>
      read(
        await ask(`${path}/${decision}`, {
          body: new URLSearchParams(form).toString(),
          headers: { "content-type": "application/x-www-form-urlencoded" },
        }),
      ),
  };
}

/** Forty people of whom the second input deactivates twelve, promotes one and brings a new one with a bold name. */
async function held(world: Importing): Promise<Visit> {
  await world.import(csv(COLUMNS, ...crowd(40, 1, () => ",yes,Engineer")));
  const rows = crowd(41, 1, (i) => i <= 12 ? ",no,Engineer" : i === 20 ? ",yes,Lead" : ",yes,Engineer")
    .map((row) => row.replace("First0041,Last0041", "<b>Zoë</b>,O'Neil").replace("p0030@acme.test", "p0030@"));
  const run = await world.import(csv(COLUMNS, ...rows), { name: "<i>march.csv" });
  assert.equal(run.status, "held");
  return await visit(world, run);
}

const decisions = (hub: TestHub) => hub.woken.count;

test("a held run's page says which guard holds it, with its numbers, and what would change", () =>
  importing(async (world) => {
    const { get } = await held(world);
    const { status, text, headers } = await get();
    assert.equal(status, 200);
    assert.match(text, /12 of the 41 people from this connection would lose access/);
    assert.match(text, /at most 5 may/);
    assert.match(text, /<b>12<\/b> <span>people would be deactivated/);
    assert.match(text, /<b>1<\/b> <span>person would be created/);
    assert.match(text, /<del>Engineer<\/del>.*<ins>Lead<\/ins>/s);
    assert.match(text, /Cannot use &quot;p0030@&quot; as email/);
    assert.match(text, /\/errors\/email_invalid"/);
    assert.match(text, /2 March 2026 at 08:00 \(UTC\)/);
    assert.match(text, /<html lang="en">/);
    assert.match(
      headers.get("content-security-policy")!,
      /^default-src 'none'; style-src 'sha256-[\w+/=]+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
    );
  }));

test("names of files and people stay text, and there is no script on the page", () =>
  importing(async (world) => {
    const { get } = await held(world);
    for (const more of ["", "?show=create", `?q=${encodeURIComponent('"><script>alert(1)</script>')}`]) {
      const { text } = await get(more);
      assert.doesNotMatch(text, /<script|<b>Zoë|<i>march/);
      assert.match(text, /&lt;i&gt;march\.csv/);
    }
    assert.match((await get("?show=create")).text, /&lt;b&gt;Zoë&lt;\/b&gt; O&#39;Neil/);
  }));

test("who is affected can be searched by name without its accents, by address, by id and by kind, page by page", () =>
  importing(async (world) => {
    const { get } = await held(world);
    const listed = (text: string) => [...text.matchAll(/ · (E\d{4})</g)].map(([, id]) => id);
    assert.deepEqual(listed((await get("?q=zoe")).text), ["E0041"]);
    assert.deepEqual(listed((await get("?q=P0003@ACME")).text), ["E0003"]);
    assert.deepEqual(listed((await get("?q=e0020")).text), ["E0020"]);
    assert.deepEqual(listed((await get("?q=first0003+last0003")).text), ["E0003"]);
    assert.deepEqual(listed((await get("?q=first0003+last0004")).text), []);
    assert.equal(listed((await get("?show=deactivate")).text).length, 12);
    assert.equal(listed((await get("?show=nonsense&after=x")).text).length, 14);
    assert.match((await get("?q=nobody")).text, /No matches/);
  }));

test("a list that is longer than a page goes on where it ended, each person once", () =>
  importing(async (world) => {
    const run = await world.import(csv(HEADER, ...crowd(60)), { mode: "plan" });
    const { get, path } = await visit(world, run);
    for (const search of ["", "?q=acme"]) {
      const seen: string[] = [];
      for (let more = search, pages = 0;; pages++) {
        const { text } = await get(more);
        seen.push(...[...text.matchAll(/ · (E\d{4})</g)].map(([, id]) => id!));
        const next = /rel="next" href="([^"#]+)/.exec(text)?.[1];
        if (next === undefined) {
          assert.equal(pages, 2);
          break;
        }
        more = next.replaceAll("&amp;", "&").slice(path.length);
      }
      assert.deepEqual(seen, crowd(60).map((row) => row.slice(0, 5)));
    }
  }));

test("who is affected comes as CSV too, all or those who fit, and no cell is a formula", () =>
  importing(async (world) => {
    await world.import(csv(COLUMNS, ...crowd(40, 1, () => ",yes,Engineer")));
    const run = await world.import(
      csv(
        COLUMNS,
        ...crowd(40, 1, (i) => i <= 12 ? ",no,Engineer" : i === 20 ? ',yes,"=HYPERLINK(""x"")"' : ",yes,Engineer"),
      ),
    );
    const { get } = await visit(world, run);
    const all = await get("/people.csv");
    assert.equal(all.headers.get("content-disposition"), "attachment; filename*=UTF-8''people.people.csv");
    const lines = all.text.trimEnd().split("\r\n");
    assert.equal(lines.length, 1 + 13);
    assert.equal(
      lines.at(-1),
      `First0020 Last0020,p0020@acme.test,E0020,update,planned,,21,title,Engineer,"'=HYPERLINK(""x"")"`,
    );
    assert.equal((await get("/people.csv?show=update")).text.trimEnd().split("\r\n").length, 2);
  }));

test("the page's own report is the run's", () =>
  importing(async (world) => {
    const { get, run } = await held(world);
    assert.equal((await get("/failures.csv")).text, await world.failures(run));
    assert.equal(JSON.parse((await get("/failures.json")).text)[0].code, "email_invalid");
    const book = await get("/failures.xlsx");
    assert.equal(book.status, 200);
    assert.match(book.headers.get("content-disposition")!, /\.failures\.xlsx$/);
    assert.match((await get()).text, /Report as a workbook/);
  }));

test("reading decides nothing: not with GET, not with HEAD, not where decisions are made", () =>
  importing(async (world) => {
    const { get, run } = await held(world);
    const before = decisions(world.hub);
    for (const more of ["", "/approve", "/cancel", `/approve?plan_hash=${run.plan_hash}&confirmed=yes`]) {
      for (const method of ["GET", "HEAD"]) {
        assert.ok([200, 303].includes((await get(more, method)).status));
      }
      assert.match((await get(more)).text, /Approve/, "a visitor who comes back to the question sees the page");
    }
    const ask = createAsk(world.hub, null);
    for (const decision of ["approve", "cancel"]) assert.equal((await ask(`/r/none/${decision}`)).status, 404);
    assert.equal((await world.run(run.id)).status, "held");
    assert.equal(decisions(world.hub), before);
  }));

test("the first POST asks, the second approves, and then the page says so", () =>
  importing(async (world) => {
    const { get, post, run, path } = await held(world);
    const asked = await post("approve", { plan_hash: run.plan_hash! });
    assert.equal(asked.status, 200);
    assert.match(asked.text, /Approve &lt;i&gt;march\.csv\?/);
    assert.equal((await world.run(run.id)).status, "held");
    const done = await post("approve", { plan_hash: run.plan_hash!, confirmed: "yes" });
    assert.deepEqual([done.status, done.headers.get("location")], [303, path]);
    assert.match((await get()).text, /It was approved, and the changes are being made now/);
    const { data } = await (await world.ask("/v1/audit?action=run.approved")).json();
    assert.equal(data[0].actor.kind, "link");
    await world.carry();
    assert.equal((await world.run(run.id)).status, "partial");
    const { text } = await get();
    assert.match(text, /It was approved, and everything was applied but the rows with errors/);
    assert.match(text, /people were deactivated/);
    assert.match(text, /Approved on 2 March 2026 at 08:00 \(UTC\), with a link to this page\./);
    assert.doesNotMatch(text, /<button class="(go|stop)"/);
  }));

test("the page says who decided and when: a token by its id for who may decide too, and never its name", () =>
  importing(async (world) => {
    const { run } = await held(world);
    const viewer = async () => {
      const { body } = await world.post(`/v1/runs/${run.id}/links`, { expires_in: 3600 });
      return await (await createAsk(world.hub, null)(body.url.slice(world.hub.publicUrl.length))).text();
    };
    assert.doesNotMatch(await viewer(), /Approved on|Cancelled on/);
    world.later(HOUR_MS);
    await world.post(`/v1/runs/${run.id}/cancel`);
    const decided = /Cancelled on 2 March 2026 at 09:00 \(UTC\), by API with (.*?)\./;
    assert.equal(decided.exec(await viewer())![1], "a token");
    const { data: [{ actor }] } = await (await world.ask("/v1/audit?action=run.cancelled")).json();
    assert.equal(decided.exec((await (await visit(world, run)).get()).text)![1], `the token ${actor.id}`);
    world.later(1000);
    await world.post(`/v1/runs/${run.id}/cancel`);
    assert.equal((await viewer()).match(/Cancelled on/g)!.length, 1);
  }));

test("cancelling is asked and done the same way", () =>
  importing(async (world) => {
    const { get, post, run } = await held(world);
    assert.match((await post("cancel", { plan_hash: run.plan_hash! })).text, /Nothing is applied/);
    assert.equal((await world.run(run.id)).status, "held");
    assert.equal((await post("cancel", { plan_hash: run.plan_hash!, confirmed: "yes" })).status, 303);
    assert.equal((await world.run(run.id)).status, "cancelled");
    assert.match((await get()).text, /Somebody cancelled it/);
    const again = await post("cancel", { confirmed: "yes" });
    assert.equal(again.status, 409);
    assert.match(again.text, /It can no longer be cancelled/);
  }));

test("a plan that is not the one seen is not approved, asked or confirmed; the page shows the one there is", () =>
  importing(async (world) => {
    const { post, run } = await held(world);
    for (const confirmed of ["", "yes"]) {
      const answer = await post("approve", { plan_hash: "0".repeat(64), confirmed });
      assert.equal(answer.status, 409);
      assert.match(answer.text, /The plan has changed/);
      assert.match(answer.text, new RegExp(`name="plan_hash" value="${run.plan_hash}"`));
    }
    assert.equal((await world.run(run.id)).status, "held");
  }));

test("when people have changed since, the fresh plan is made, shown, and can be approved", () =>
  importing(async (world) => {
    const { post, run } = await held(world);
    await world.edit(await world.person("E0001"), { status: "inactive" });
    const waiting = post("approve", { plan_hash: run.plan_hash!, confirmed: "yes" });
    while ((await world.run(run.id)).status === "held") await new Promise((resolve) => setTimeout(resolve, 5));
    await world.carry();
    const answer = await waiting;
    assert.equal(answer.status, 409);
    assert.match(answer.text, /The plan has changed/);
    assert.match(answer.text, /11 of the 40 people|11 of the 41 people/);
    const fresh = /name="plan_hash" value="(\w+)"/.exec(answer.text)![1]!;
    assert.notEqual(fresh, run.plan_hash);
    assert.equal((await post("approve", { plan_hash: fresh, confirmed: "yes" })).status, 303);
    await world.carry();
    assert.equal((await world.run(run.id)).status, "partial");
  }));

test("a run that has moved on is not approved, and the page says where it is", () =>
  importing(async (world) => {
    const { post, run } = await held(world);
    await world.post(`/v1/runs/${run.id}/approve`, { plan_hash: run.plan_hash });
    const answer = await post("approve", { plan_hash: run.plan_hash!, confirmed: "yes" });
    assert.equal(answer.status, 409);
    assert.match(answer.text, /There is nothing to approve/);
    assert.match(answer.text, /the changes are being made now/);
  }));

test("a run that another took the place of leads to that one, while it is held", () =>
  importing(async (world) => {
    const first = await held(world);
    const rows = crowd(40, 1, (i) => i <= 13 ? ",no,Engineer" : ",yes,Engineer");
    const second = await world.import(csv(COLUMNS, ...rows), { name: "<i>april.csv" });
    assert.equal(second.status, "held");
    const { text } = await first.get();
    assert.match(text, /A newer input took its place/);
    const link = /<a href="([^"]+)">See the run that replaced it/.exec(text)![1]!;
    const answer = await createAsk(world.hub, null)(link.slice(world.hub.publicUrl.length));
    assert.match(await answer.text(), /13 of the 40 people/);
    await world.post(`/v1/runs/${second.id}/cancel`);
    assert.doesNotMatch((await first.get()).text, /took its place<\/a>/);
  }));

test("a file that waits behind a held one names it", () =>
  importing(async (world) => {
    await held(world);
    const other = await world.import(csv(COLUMNS, ...crowd(5, 101, () => ",yes,Clerk")), { name: "other.csv" });
    assert.equal(other.status, "queued");
    const { text } = await (await visit(world, other)).get();
    assert.match(text, /An earlier file, &lt;i&gt;march\.csv, is held, and has to be approved or cancelled first/);
    assert.match(text, /This run waits/);
  }));

test("a file that is held because others came with it names them, and looks like no accident", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { missing: "deactivate" } });
    const id = await world.handIn(csv(COLUMNS, ...crowd(5, 1, () => ",yes,Clerk")), { name: "Europe.csv" });
    await world.handIn(csv(COLUMNS, ...crowd(5, 101, () => ",yes,Clerk")), { name: "Asia.csv" });
    await world.carry();
    const { text } = await (await visit(world, await world.run(id))).get();
    assert.match(
      text,
      /2 files with different people came together\. Approving says that together they hold everybody/,
    );
    assert.match(text, /Europe\.csv came with Asia\.csv\./);
    assert.doesNotMatch(text, /accident/);
  }));

test("a run that failed as a whole says why, and links to its report", () =>
  importing(async (world) => {
    const run = await world.import("first_name,last_name\nAna,Lopez\n");
    assert.equal(run.status, "failed");
    const { get } = await visit(world, run);
    const { text } = await get();
    assert.equal(text.split(run.error!.message.replaceAll('"', "&quot;")).length - 1, 1, "it says so once");
    assert.match(text, /Report as JSON/);
    assert.doesNotMatch(text, /Report as CSV|Report as a workbook/, "no row would be in it");
  }));

test("a revoked link opens nothing of the page, and decides nothing", () =>
  importing(async (world) => {
    const { run, get, post } = await held(world);
    assert.equal((await world.ask(`/v1/runs/${run.id}/links`, { method: "DELETE" })).status, 204);
    for (
      const more of ["", "/people.csv", "/failures.csv", "/failures.xlsx", "/failures.json", "/approve", "/cancel"]
    ) {
      assert.equal((await get(more)).status, 410, more);
    }
    for (const decision of ["approve", "cancel"]) {
      const { status, text } = await post(decision, { plan_hash: run.plan_hash!, confirmed: "yes" });
      assert.equal(status, 410, decision);
      assert.match(text, /was revoked/);
    }
    assert.equal((await world.run(run.id)).status, "held");
  }));

test("a run that is not planned yet has no report behind its links, and says so", () =>
  importing(async (world) => {
    const id = world.number("run", await world.handIn(csv(HEADER)));
    const links = await mintLinks(world.hub, { id, organizationId: world.hub.organization.id });
    const ask = createAsk(world.hub, null);
    const at = (link: string) => link.slice(world.hub.publicUrl.length);
    for (
      const path of [
        ...[links.csv, links.xlsx, links.json].map(at),
        ...["csv", "xlsx", "json"].map((format) => `${at(links.page)}/failures.${format}`),
      ]
    ) {
      const answer = await ask(path);
      assert.equal(answer.status, 409, path);
      assert.match(await answer.text(), /its report is available once it is planned/);
    }
  }));

test("what is no form of the page, or too large for one, is refused in words", () =>
  importing(async (world) => {
    const { path, run, post } = await held(world);
    const ask = createAsk(world.hub, null);
    for (const decision of ["approve", "cancel"]) {
      const json = await ask(`${path}/${decision}`, { json: { plan_hash: run.plan_hash, confirmed: "yes" } });
      assert.equal(json.status, 415);
      assert.match(await json.text(), /<h1>This cannot be done<\/h1>/);
      assert.equal((await post(decision, { plan_hash: "x".repeat(5000) })).status, 413);
    }
    assert.equal((await world.run(run.id)).status, "held");
  }));

test("while nobody can be searched for, the page says so and when to come again", () =>
  importing(async (world) => {
    const { path } = await held(world);
    const reader = {
      read: () => Promise.reject(new Fault("unavailable", "Too much is searched for", { retryAfterS: 2 })),
    };
    const ask = createAsk({ ...world.hub, reader }, null);
    for (const place of ["", "/approve", "/cancel", "/identity"]) {
      const answer = await ask(path + place);
      assert.equal(answer.status, 503, place);
      assert.equal(answer.headers.get("retry-after"), "2");
      assert.match(await answer.text(), /Too much is searched for/);
    }
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    assert.equal((await ask(`${path}/approve`, { body: "plan_hash=another", headers })).status, 503);
    assert.equal((await ask(`${path}/identity`, { body: "row=0", headers })).status, 503);
    const done = await visit(world, (await world.runs())[0] as Outcome);
    assert.equal((await ask(`${done.path}/cancel`, { body: "confirmed=yes", headers })).status, 503);
  }));

test("a link to a run is opened so often a minute, by all visitors together", () =>
  importing(async (world) => {
    const { path, run } = await held(world);
    const rates = createRates({ requests: 0, logins: 0 }, world.hub.now);
    const ask = createAsk({ ...world.hub, rates }, null);
    for (let n = 0; n < rates.links.runs.quota - 1; n++) {
      rates.links.runs.take(String(world.number("run", run.id)), world.hub.now());
    }
    assert.equal((await ask(path)).status, 200);
    const refused = await ask(path);
    assert.equal(refused.status, 429);
    assert.match(refused.headers.get("retry-after")!, /^[1-9]\d*$/);
    assert.match(await refused.text(), /too many visits to this run/);
  }));
