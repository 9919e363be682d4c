/** Correcting the failed rows of a file on its run's page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { XLSX } from "../../src/report/workbook.ts";
import { bodyOf, createAskAs, formIn, signIn, signInMember, type Visited, type Visitor } from "../support/console.ts";
import { createTestToken } from "../support/hub.ts";
import { textRow, workbookOf } from "../support/workbook-parts.ts";
import { crowd, csv, HEADER, type Importing, importing, said } from "../support/imports.ts";

const COLUMNS = `${HEADER},title`;
const GOOD = "E0001,p0001@acme.test,Ana,Example,Lead";
const BAD = 'E0002,p0002 at acme.test,Ben,"=1+1",Lead';

async function signedIn(world: Importing, scopes: Parameters<typeof createTestToken>[1] = {}): Promise<Visitor> {
  return await signIn(world.hub, await createTestToken(world.hub, scopes));
}

/** What the page's fields are filled with, as a browser would send them. */
function filled({ text }: Visited): Record<string, string> {
  const plain = (part: string) =>
    part.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&lt;", "<").replaceAll("&amp;", "&");
  const inputs = [...text.matchAll(/name="(cell-[\d-]+)"[^>]*value="([^"]*)"/g)];
  const areas = [...text.matchAll(/name="(cell-[\d-]+)"[^>]*>\n([^<]*)<\/textarea>/g)];
  return Object.fromEntries([...inputs, ...areas].map(([, name, value]) => [name!, plain(value!)]));
}

/** Sends the page's rows with these changes, carries their run, and gives the page that follows. */
async function correct(world: Importing, visitor: Visitor, page: Visited, changes: Record<string, string>) {
  const before = (await world.runs()).length;
  const sent = visitor.send(page, "/rows", { ...filled(page), ...changes, to: "send" });
  while ((await world.runs()).length === before) await new Promise((then) => setTimeout(then, 10));
  await world.carry();
  const { path } = await sent;
  return await visitor.open(path);
}

test("failed rows are corrected on the run's page, and those alone are sent again", async () => {
  await importing(async (world) => {
    const run = await world.import(csv(COLUMNS, GOOD, BAD, "E0003,p0003 at acme.test,Cem,Example,Lead"));
    assert.deepEqual(said(run), ["3 email_invalid", "4 email_invalid"]);
    const visitor = await signedIn(world);
    const shown = await visitor.open(`/o/default/runs/${run.id}`);
    assert.match(shown.text, new RegExp(`/runs/${run.id}/rows"`));
    const page = await visitor.open(`/o/default/runs/${run.id}/rows`);
    assert.match(page.text, /Line 3, Ben =1\+1 \(E0002\)/);
    assert.match(page.text, /name="cell-1-1"[^>]*aria-invalid="true"[^>]*value="p0002 at acme.test"/);
    assert.ok(!page.text.includes("p0001@acme.test"), "rows that were used are not there");
    const next = await correct(world, visitor, page, { "cell-1-1": "p0002@acme.test" });
    assert.match(next.text, /people\.failures\.csv/);
    assert.equal((await world.people()).length, 1, "nothing is changed before it is approved");
    await visitor.send(await visitor.send(next, "/approve"), "/approve");
    await world.carry();
    const [second] = (await world.runs()).slice(-1);
    assert.deepEqual([second!.status, second!.coverage, second!.counts.created], ["succeeded", "diff", 1]);
    const ben = await world.person("E0002");
    assert.deepEqual([ben.email, ben.last_name], ["p0002@acme.test", "=1+1"]);
    assert.equal((await world.person("E0001")).status, "active");
  });
});

test("what is typed is kept from page to page, and when it is refused", async () => {
  await importing(async (world) => {
    const run = await world.import(
      csv(COLUMNS, ...crowd(12, 1, () => ",").map((line) => line.replace("@", " at ")), ...crowd(30, 50, () => ",")),
    );
    const visitor = await signedIn(world), first = await visitor.open(`/o/default/runs/${run.id}/rows`);
    assert.match(first.text, /Page 1 of 2/);
    const none = await visitor.send(first, "/rows", { ...filled(first), to: "send" });
    assert.equal(none.status, 400);
    assert.match(none.text, /No cell is other than in the file/);
    const typed = { ...filled(none), "cell-0-1": "p0001@acme.test", to: "1" };
    const second = await visitor.send(none, "/rows", typed);
    assert.match(second.text, /Page 2 of 2/);
    assert.match(second.text, /type="hidden" name="cell-0-1" value="p0001@acme.test"/);
    const back = await visitor.send(second, "/rows", { ...filled(second), "cell-11-1": "p0012@acme.test", to: "0" });
    assert.match(back.text, /name="cell-0-1"[^>]*value="p0001@acme.test"/);
    const stale = await visitor.send(back, "/rows", { ...filled(back), plan: "another", to: "send" });
    assert.equal(stale.status, 409);
    assert.match(stale.text, /was read again since/);
    assert.match(stale.text, /name="cell-0-1"[^>]*value="p0001@acme.test"/);
    await correct(world, visitor, stale, {});
    const [sent] = (await world.runs()).slice(-1);
    assert.equal(sent!.counts.created, 2);
  });
});

test("rows of a file that waits for a decision are corrected, too, and both are approved one after the other", async () => {
  await importing(async (world) => {
    const run = await world.import(csv(COLUMNS, GOOD, BAD), { mode: "plan" });
    assert.equal(run.status, "planned");
    const visitor = await signedIn(world), page = await visitor.open(`/o/default/runs/${run.id}/rows`);
    const next = await correct(world, visitor, page, { "cell-1-1": "p0002@acme.test" });
    // The plan of the second is made anew once the first has changed people.
    for (const path of [`/o/default/runs/${run.id}`, next.path, next.path]) {
      await visitor.send(await visitor.send(await visitor.open(path), "/approve"), "/approve");
      await world.carry();
    }
    assert.deepEqual((await world.people()).map(({ employee_id }) => employee_id).sort(), ["E0001", "E0002"]);
  });
});

test("a form that is sent twice makes one run", async () => {
  await importing(async (world) => {
    const run = await world.import(csv(COLUMNS, GOOD, BAD));
    const visitor = await signedIn(world), page = await visitor.open(`/o/default/runs/${run.id}/rows`);
    const change = { "cell-1-1": "p0002@acme.test" };
    const { path } = await correct(world, visitor, page, change);
    const again = await visitor.send(page, "/rows", { ...filled(page), ...change, to: "send" });
    assert.equal(again.path, path);
    assert.equal((await world.runs()).length, 2);
  });
});

test("cells beyond the last column, line breaks and absent cells are corrected as they are", async () => {
  await importing(async (world) => {
    const run = await world.import(
      csv(COLUMNS, GOOD, 'E0002,p0002@acme.test,"Ben\nOtto",Example,Lead,More', "E0003,x,Cem"),
    );
    const visitor = await signedIn(world), page = await visitor.open(`/o/default/runs/${run.id}/rows`);
    assert.match(page.text, /Leave out what is beyond the last column: More/);
    const next = await correct(world, visitor, page, { "extra-1": "yes", "cell-1-4": "Head" });
    const { changes } = await world.run((await world.runs()).at(-1)!.id);
    assert.deepEqual(changes.map(({ fields }) => [fields.first_name!.after, fields.title!.after]), [[
      "Ben Otto",
      "Head",
    ]]);
    assert.match(next.text, /person would be created/);
  });
});

test("a row of a workbook is sent as a workbook, whatever the connection takes for a separator, and one of JSON as it can be", async () => {
  await importing(async (world) => {
    await world.set("csv", { settings: { delimiter: ";" } });
    const rows = [COLUMNS, GOOD, "E0002,p0002 at acme.test,Ben,0049,Lead"].map((line) => textRow(...line.split(",")));
    const book = workbookOf({ sheets: { Staff: rows.join("") } });
    const run = await world.import(new Uint8Array(book), { name: "staff.xlsx", type: XLSX });
    const visitor = await signedIn(world), page = await visitor.open(`/o/default/runs/${run.id}/rows`);
    await correct(world, visitor, page, { "cell-1-1": "p0002@acme.test" });
    const [sent] = (await world.runs()).slice(-1);
    assert.equal(sent!.drop!.name, "staff.failures.xlsx");
    const { changes } = await world.run(sent!.id);
    assert.deepEqual(changes.map(({ fields }) => fields.last_name!.after), ["0049"]);
    const names = { first_name: "Jo", last_name: "Example" };
    const people = ["j1@acme.test", "j2", "j3@acme.test"].map((email, i) => ({
      employee_id: `J${i}`,
      email,
      ...names,
    }));
    const list = await world.import(JSON.stringify(people), { name: "people.json", type: "application/json" });
    const shown = await visitor.open(`/o/default/runs/${list.id}/rows`);
    const [, name] = /name="(cell-1-\d)"[^>]*aria-invalid/.exec(shown.text)!;
    await correct(world, visitor, shown, { [name!]: "j2@acme.test" });
    const { changes: made, issues } = await world.run((await world.runs()).at(-1)!.id);
    assert.deepEqual([made.length, issues.filter(({ severity }) => severity === "error")], [1, []]);
  });
});

test("an uploader corrects rows of their own files, and of no others", async () => {
  await importing(async (world) => {
    const foreign = await world.import(csv(COLUMNS, GOOD, BAD));
    const { id, visitor } = await signInMember(world.hub, { role: "uploader" });
    const ask = createAskAs(world.hub, id);
    const sent = await ask("/v1/connections/csv/drops?name=own.csv", {
      body: csv(COLUMNS, GOOD, BAD),
      headers: { "content-type": "text/csv" },
    });
    const own = (await sent.json()).run.id;
    await world.carry();
    assert.equal((await visitor.open(`/o/default/runs/${foreign.id}/rows`)).status, 404);
    const page = await visitor.open(`/o/default/runs/${own}/rows`);
    const next = await correct(world, visitor, page, { "cell-1-1": "p0002@acme.test" });
    assert.match(next.text, /person would be created/);
    assert.ok(!next.text.includes("Approve…"));
  });
});

test("who may not send files, or did not send this one, does not correct it; others' runs have no such page", async () => {
  await importing(async (world) => {
    const run = await world.import(csv(COLUMNS, GOOD, BAD)), path = `/o/default/runs/${run.id}`;
    const whole = await world.import(csv(COLUMNS, GOOD));
    const viewer = await signedIn(world, { scopes: ["users:read", "runs:read", "connections:read"] });
    assert.ok(!(await viewer.open(path)).text.includes("Correct the rows here"));
    assert.equal((await viewer.open(`${path}/rows`)).status, 403);
    const { visitor: uploader } = await signInMember(world.hub, { role: "uploader" });
    assert.equal((await uploader.open(`${path}/rows`)).status, 404);
    const admin = await signedIn(world);
    assert.match((await admin.open(`/o/default/runs/${whole.id}/rows`)).text, /no row to correct/);
    const { fields } = formIn((await viewer.open("/o/default/account")).text, "/sign-out");
    const answer = await viewer.ask(`${path}/rows`, {
      method: "POST",
      headers: { "sec-fetch-site": "same-origin" },
      body: bodyOf({ form: fields.form!, "cell-1-1": "p0002@acme.test" }),
    });
    assert.equal(answer.status, 403);
    assert.equal((await world.runs()).length, 2);
  });
});

test("names and cells that are markup stay text", async () => {
  await importing(async (world) => {
    const markup = "<img src=x onerror=alert(1)>";
    const run = await world.import(
      csv(`${COLUMNS},${markup}`, `M1,m1,"${markup}","${markup}","${markup}",x`, `${GOOD},x`),
    );
    const page = await (await signedIn(world)).open(`/o/default/runs/${run.id}/rows`);
    assert.equal(page.status, 200);
    assert.ok(!page.text.includes(markup));
  });
});
