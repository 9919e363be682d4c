/** The console's pages: what somebody who is signed in sees and does, from a file to the people it changed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createApp } from "../../src/http/app.ts";
import { formIn, signIn, type Visited, type Visitor } from "../support/console.ts";
import { consoleRoutesOf } from "../support/console-routes.ts";
import { createTestToken } from "../support/hub.ts";
import { crowd, csv, HEADER, type Importing, importing } from "../support/imports.ts";

const COLUMNS = `${HEADER},is_active,title`;
const MARKUP = "<img src=x onerror=alert(1)>";

/** Sends the file with the page's form, and gives the page that follows. */
async function upload(visitor: Visitor, page: Visited, connection: string, content: string): Promise<string> {
  const { action } = formIn(page.text, `/import/${connection}`);
  const body = new FormData();
  body.set("file", new File([content], "people.csv", { type: "text/csv" }));
  const answer = await visitor.ask(action, { method: "POST", headers: { "sec-fetch-site": "same-origin" }, body });
  assert.equal(answer.status, 303, await answer.clone().text());
  return answer.headers.get("location")!;
}

async function signedIn(world: Importing, scopes: Parameters<typeof createTestToken>[1] = {}): Promise<Visitor> {
  return await signIn(world.hub, await createTestToken(world.hub, scopes));
}

test("a file is uploaded, its plan is looked at, approved, and its people are there with where each value came from", async () => {
  await importing(async (world) => {
    const visitor = await signedIn(world);
    const content = csv(COLUMNS, ...crowd(3, 1, () => ",yes,Engineer")) as string;
    const sent = upload(visitor, await visitor.open("/o/default/import"), "csv", content);
    while ((await world.runs()).length === 0) await new Promise((then) => setTimeout(then, 10));
    await world.carry();
    const run = await visitor.open(await sent);
    const planned = await visitor.open(run.path);
    assert.match(planned.text, /people would be created/);
    assert.equal((await world.people()).length, 0, "nothing is changed before it is approved");
    const question = await visitor.send(planned, "/approve");
    assert.match(question.text, /Approve people.csv\?/);
    await visitor.send(question, "/approve");
    await world.carry();
    const done = await visitor.open(run.path);
    assert.match(done.text, /Approved on .*, by API with the token/);
    const [first] = await world.people();
    const people = await visitor.open("/o/default/people?q=" + encodeURIComponent(first!.email!));
    assert.match(people.text, new RegExp(first!.email!.replace(".", "\\.")));
    const person = await visitor.open(`/o/default/people/${first!.id}`);
    assert.match(person.text, /people\.csv, line 2/);
    assert.match(person.text, /Engineer/);
    const home = await visitor.open("/o/default");
    assert.match(home.text, /Nothing waits for you/);
    assert.match(home.text, /3 people were created/);
    assert.match(home.text, /aria-label="Added or active again: 3, most on 2 March: 3"/);
    assert.match(home.text, /<th scope="row">2 March<\/th>\s*<td>1<\/td>\s*<td>3<\/td>/);
    const file = await visitor.ask("/o/default/people/people.csv");
    assert.equal((await file.text()).trim().split("\n").length, 4);
    const { data } = await (await world.ask("/v1/audit")).json();
    assert.ok(data.some((entry: { action: string }) => entry.action === "user.exported"));
  });
});

test("where nothing has come yet, the first page takes the first file from who may send one", async () => {
  await importing(async (world) => {
    const admin = await signedIn(world),
      viewer = await signedIn(world, {
        scopes: ["users:read", "runs:read", "connections:read"],
      });
    const home = await admin.open("/o/default");
    assert.match(home.text, /Begin with a file/);
    assert.ok(!(await viewer.open("/o/default")).text.includes("Begin with a file"));
    const sent = upload(admin, home, "csv", csv(COLUMNS, ...crowd(1, 1, () => ",yes,")) as string);
    while ((await world.runs()).length === 0) await new Promise((then) => setTimeout(then, 10));
    await world.carry();
    assert.match((await admin.open(await sent)).text, /would be created/);
    assert.ok(!(await admin.open("/o/default")).text.includes("Begin with a file"));
  });
});

test("several files are sent together, each with a run of its own, and one that is refused holds up no other", async () => {
  await importing(async (world) => {
    const visitor = await signedIn(world), page = await visitor.open("/o/default/import");
    const { action } = formIn(page.text, "/import/csv"),
      post = { method: "POST", headers: { "sec-fetch-site": "same-origin" } };
    const headers = { ...post.headers, "content-type": "multipart/form-data; boundary=b" };
    // As browsers write it, which name a file that was not chosen with an empty name.
    const part = ([name, text]: readonly [string, string]) =>
      `--b\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: text/csv\r\n\r\n${text}\r\n`;
    const send = (...files: readonly (readonly [string, string])[]) =>
      visitor.ask(action, { ...post, headers, body: `${files.map(part).join("")}--b--\r\n` });
    const people = (from: number, name: string) =>
      [name, csv(COLUMNS, ...crowd(2000, from, () => ",yes,Lead"))] as const;
    const sent = await send(people(1, "north.csv"), people(3001, "south.csv"));
    assert.equal(sent.status, 303);
    const waiting = await visitor.open(sent.headers.get("location")!);
    assert.match(waiting.text, /2 files were sent[\s\S]*data-live[\s\S]*north\.csv[\s\S]*south\.csv/);
    await world.carry();
    const done = await visitor.open(waiting.path);
    assert.equal(done.text.split("2,000 people would be created").length, 3);
    const mixed = await send(people(1, "<b>north.csv"), ["", ""], people(1, "west.csv"));
    assert.equal(mixed.status, 400);
    const text = await mixed.text();
    assert.match(text, /1 file was not taken[\s\S]*No file was chosen[\s\S]*&lt;b&gt;north\.csv[\s\S]*west\.csv/);
    assert.equal((await world.runs()).length, 4);
    assert.equal((await world.people()).length, 0);
    const broken = `--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nemail\r\n`;
    assert.equal((await visitor.ask(action, { ...post, headers, body: broken })).status, 422);
    assert.equal((await world.runs()).length, 4);
  });
});

test("a held run is found on the first page and in the list, and is cancelled there", async () => {
  await importing(async (world) => {
    await world.import(csv(COLUMNS, ...crowd(40, 1, () => ",yes,")));
    const held = await world.import(csv(COLUMNS, ...crowd(40, 1, (i) => i <= 12 ? ",no," : ",yes,")));
    assert.equal(held.status, "held");
    const visitor = await signedIn(world);
    assert.match((await visitor.open("/o/default")).text, new RegExp(`runs/${held.id}`));
    assert.match((await visitor.open("/o/default/runs?status=held")).text, new RegExp(held.id));
    assert.ok(!(await visitor.open("/o/default/runs?status=failed")).text.includes(held.id));
    const page = await visitor.open(`/o/default/runs/${held.id}`);
    await visitor.send(await visitor.send(page, "/cancel"), "/cancel");
    await world.carry();
    assert.equal((await world.run(held.id)).status, "cancelled");
    assert.match((await visitor.open(`/o/default/runs/${held.id}`)).text, /Cancelled/);
  });
});

test("why somebody is not there is explained, with the row that was refused and its run", async () => {
  await importing(async (world) => {
    const run = await world.import(csv(COLUMNS, ...crowd(2, 1, () => ",yes,"), "X9,x9@,Xenia,Example,yes,"));
    const visitor = await signedIn(world);
    const people = await visitor.open("/o/default/people?q=X9");
    assert.match(people.text, /What became of “X9”/);
    const page = await visitor.open("/o/default/explain?q=X9");
    assert.match(page.text, /Nobody in Muster/);
    assert.match(page.text, /was refused/);
    assert.match(page.text, new RegExp(`/o/default/runs/${run.id}`));
  });
});

test("an address without a page is a page for a browser, and a problem for a program", async () => {
  await importing(async (world) => {
    const visitor = await signedIn(world);
    const shown = await visitor.ask("/o/default/nowhere", { headers: { accept: "text/html,*/*;q=0.8" } });
    assert.equal(shown.status, 404);
    assert.match(await shown.text(), /<h1>There is nothing here<\/h1>[\s\S]*nowhere/);
    const asked = await visitor.ask("/nowhere");
    assert.equal(((await asked.json()) as { code: string }).code, "not_found");
    const api = await createApp(world.hub).fetch(
      new Request("http://hub.example.com/v1/nowhere", { headers: { accept: "text/html" } }),
    );
    assert.match(api.headers.get("content-type")!, /json/);
  });
});

test("names, files and cells that are markup stay text", async () => {
  await importing(async (world) => {
    const run = await world.import(csv(COLUMNS, `M1,m1@acme.test,"${MARKUP}","${MARKUP}",yes,"${MARKUP}"`));
    const visitor = await signedIn(world);
    const [person] = await world.people();
    for (
      const path of [
        "",
        "/runs",
        `/runs/${run.id}`,
        "/people",
        "/explain?q=M1",
        `/people/${person!.id}`,
        "/import",
        "/account",
      ]
    ) {
      const page = await visitor.open(`/o/default${path}`);
      assert.equal(page.status, 200, `${path}: ${page.text}`);
      assert.ok(!page.text.includes(MARKUP), path);
      assert.match(page.headers.get("content-security-policy")!, /default-src 'none'/);
    }
  });
});

test("each page and form asks for a session, and gives nothing away of another organization", async () => {
  await importing(async (world) => {
    const run = await world.import(csv(COLUMNS, ...crowd(2, 1, () => ",yes,")));
    const [person] = await world.people();
    const stranger = await signedIn(world, { organization: await other(world) });
    const routes = consoleRoutesOf(world.hub, {
      "runs/:id": run.id,
      "people/:id": person!.id,
    }).filter(({ path }) => path !== "/o");
    assert.ok(routes.length >= 15, String(routes.length));
    for (const { method, path, address } of routes) {
      const init = method === "POST"
        ? { method, headers: { "sec-fetch-site": "same-origin" }, body: new URLSearchParams({ form: "0" }) }
        : { method };
      const unknown = await createApp(world.hub).fetch(new Request(`http://hub.example.com${address}`, init));
      assert.equal(unknown.status, 303, `${method} ${path}`);
      assert.match(unknown.headers.get("location")!, /\/sign-in/);
      const foreign = await stranger.ask(address, init);
      assert.equal(foreign.status, path.startsWith("/o/") ? 404 : 403, `${method} ${path}`);
      if (method === "GET") continue;
      const own = await signedIn(world);
      assert.equal((await own.ask(address, init)).status, 403, `${method} ${path} without the session's own form`);
    }
  });
});

test("who may only look sees no way to change anything, and a form that is made up is refused", async () => {
  await importing(async (world) => {
    await world.import(csv(COLUMNS, ...crowd(40, 1, () => ",yes,")));
    const held = await world.import(csv(COLUMNS, ...crowd(40, 1, (i) => i <= 12 ? ",no," : ",yes,")));
    const visitor = await signedIn(world, { scopes: ["users:read", "runs:read", "connections:read"] });
    const page = await visitor.open(`/o/default/runs/${held.id}`);
    assert.ok(!page.text.includes("Approve…"));
    assert.ok(!page.text.includes(">Import<"));
    const { fields } = formIn((await visitor.open("/o/default/account")).text, "/sign-out");
    const body = new URLSearchParams({ ...fields, plan_hash: held.plan_hash!, confirmed: "yes" });
    const answer = await visitor.ask(`/o/default/runs/${held.id}/approve`, { method: "POST", body });
    assert.equal(answer.status, 403);
    assert.equal((await visitor.open("/o/default/import")).status, 200);
    assert.equal((await world.run(held.id)).status, "held");
    const file = new FormData();
    file.set("file", new File(["email\n"], "people.csv"));
    const sent = await visitor.ask(`/o/default/import/csv?form=${fields.form}`, { method: "POST", body: file });
    assert.equal(sent.status, 403);
  });
});

async function other(world: Importing): Promise<string> {
  const operator = await createTestToken(world.hub, { scopes: ["admin", "operator"] });
  const answer = await createApp(world.hub).fetch(
    new Request("http://hub.example.com/v1/organizations", {
      method: "POST",
      headers: { authorization: `Bearer ${operator}`, "content-type": "application/json" },
      body: JSON.stringify({ slug: "other", name: "Other" }),
    }),
  );
  assert.equal(answer.status, 201);
  return "other";
}
