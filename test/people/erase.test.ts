import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { createMessage, encrypt, readKey } from "openpgp";
import { eraseUser } from "../../src/people/erase.ts";
import { runNext } from "../../src/runs/next.ts";
import { verifyAudit } from "../../src/store/audit.ts";
import { fillSearchIndex } from "../../src/store/people/search-index.ts";
import { csv, type Importing, importing, type Person } from "../support/imports.ts";
import { createAsk, createTestToken, type TestHub } from "../support/hub.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";

/** In every value of the one person, in whatever case; the phone's digits are the other mark. */
const MARK = "zqmark", DIGITS = "5550177432";
const HEADER = "employee_id,email,first_name,last_name,title,mobile_phone,manager_email,hire_date,badge";
const THEIRS = "ZqMark-1,zqmark@acme.test,Zqmarkia,Zqmarkson,Zqmark lead,+1 (555) 017-7432,,2020-01-01,zqmark-badge";
const BO = "E2,bo@acme.test,Bo,Berg,Engineer,,zqmark@acme.test,,b2";
const CY = "E3,cy@acme.test,Cy,Cole,Engineer,,bo@acme.test,,b3";

const DI = "E4,di@acme.test,Di,Dorn,,,bo@acme.test,,b4";

/** Everything that the database holds, table by table, unpacked. */
async function dump(hub: TestHub): Promise<Map<string, string>> {
  const tables = await hub.db.rows<[string]>(sql`select name from sqlite_master where type = 'table'`);
  const found = new Map<string, string>();
  for (const [name] of tables) {
    const rows = await hub.db.rows(sql.raw(`select * from "${name}"`));
    const cells = rows.flat().map((cell) => {
      if (!(cell instanceof ArrayBuffer) && !ArrayBuffer.isView(cell)) return String(cell);
      const bytes = cell instanceof ArrayBuffer ? new Uint8Array(cell) : new Uint8Array(cell.buffer);
      return bytes[0] === 0x1f ? gunzipSync(bytes).toString() : new TextDecoder().decode(bytes);
    });
    found.set(name, cells.join("\n"));
  }
  return found;
}

const isMarked = (text: string) => text.toLowerCase().includes(MARK) || text.replace(/\D+/g, "").includes(DIGITS);

async function marked(hub: TestHub): Promise<string[]> {
  return [...await dump(hub)].filter(([, text]) => isMarked(text)).map(([name]) => name).sort();
}

/** The file's bytes, once its log has been moved into it. */
async function fileOf(hub: TestHub): Promise<string> {
  const [[path]] = await hub.db.rows<[string]>(sql`select file from pragma_database_list where name = 'main'`) as [
    [string],
  ];
  const database = new DatabaseSync(path);
  database.exec("pragma wal_checkpoint(truncate)");
  database.close();
  return readFileSync(path).toString("latin1") + readFileSync(`${path}-wal`).toString("latin1");
}

async function erase(world: Importing, { id }: Pick<Person, "id">) {
  return await world.post(`/v1/users/${id}/erase`);
}

async function fill(world: Importing): Promise<Person> {
  await world.ask("/v1/custom-fields/badge", { method: "PUT", json: { type: "text" } });
  // A first name for the manager that others will go on using.
  await world.import(csv(HEADER, THEIRS.replace("zqmark@", "zqmark.old@"), BO.replace("zqmark@", "zqmark.old@"), CY));
  await world.import(csv(HEADER, THEIRS, BO, CY.replace("bo@", "zqmark.old@")), { name: "zqmark people.csv" });
  const person = await world.person("zqmark@acme.test");
  await world.edit(person, { title: "Zqmark by hand", manager: null });
  // Warnings about them, and errors that name them in other people's rows.
  await world.import(csv(HEADER, THEIRS.replace("2020-01-01", "zqmark day"), BO, CY));
  await world.import(csv(HEADER, `${BO.replace("E2,bo@", "E9,zqmark@")}`, CY), { coverage: "diff" });
  await world.import(csv(HEADER, THEIRS, THEIRS, CY.replace("bo@", "zqmark.old@")), { coverage: "diff" });
  // In another connection, and by JSON.
  await world.connect("payroll");
  await world.import(csv(HEADER, THEIRS), { connection: "payroll" });
  const pushed = { users: [{ employee_id: "ZqMark-1", email: "zqmark@", badge: "zqmark json", title: "Zqmark json" }] };
  await world.ask("/v1/users/import", { json: pushed, headers: { prefer: "wait=0" } });
  await world.carry();
  await world.import(csv(HEADER, DI), { coverage: "diff" });
  // Files whose columns are called like the person: a cell too many in the first line, and a key of JSON.
  await world.import(csv(`${HEADER},zqmark@acme.test`, `${DI},x`), { coverage: "diff" });
  const odd = [{ employee_id: "E4", email: "di@acme.test", first_name: "Di", last_name: "Dorn", "ZqMark-1": "z" }];
  await world.import(JSON.stringify(odd), { connection: "payroll", coverage: "diff", type: "application/json" });
  // What another connection says of others, and may not write: their manager, in the link's memory.
  await world.import(csv(HEADER, DI.replace("bo@", "zqmark@")), { connection: "payroll", coverage: "diff" });
  // A broken file, a plan that was cancelled, one that was overtaken.
  await world.import(csv(HEADER, THEIRS.replace("Zqmarkia", '"Zqmarkia"zqmark')));
  const cancelled = await world.import(csv(HEADER, THEIRS.replace("lead", "cancelled")), { mode: "plan" });
  await world.post(`/v1/runs/${cancelled.id}/cancel`);
  await fillSearchIndex(world.hub.db, { forMs: 60_000 });
  return await world.person("zqmark@acme.test");
}

test("an erased person's values are nowhere any more: in no table, packed or not, and not in the file", async () => {
  await importing(async (world) => {
    const person = await fill(world);
    await world.import(csv(HEADER, THEIRS.replace("lead", "planned"), CY.replace("Engineer", "Lead")), {
      mode: "plan",
    });
    // The mark really is wherever people's values can be.
    assert.deepEqual(await marked(world.hub), [
      "drop_chunks",
      "drops",
      "events",
      "issue_pages",
      "links",
      "page_bodies",
      "pending_managers",
      "runs",
      "user_words",
      "user_words_content",
      "user_words_data",
      "users",
    ]);
    assert.ok(isMarked(await fileOf(world.hub)));

    const { status, body } = await erase(world, person);
    assert.equal(status, 200);
    assert.deepEqual([body.status, body.email, body.custom, body.sources], ["inactive", null, {}, []]);
    assert.deepEqual(await marked(world.hub), []);
    // What a server's file keeps until it is written anew, its operator is told.
    if (world.hub.server !== undefined) return;
    const bytes = await fileOf(world.hub);
    assert.ok(!bytes.toLowerCase().includes(MARK) && !bytes.includes("017-7432"), "the file still holds a value");
  });
});

test("nothing is left by which a guess at an erased value could be proven: no digest of a page, none of a layout", async () => {
  await importing(async (world) => {
    const person = await fill(world);
    await world.import(csv(HEADER, THEIRS.replace("lead", "planned"), CY.replace("Engineer", "Lead")), {
      mode: "plan",
    });
    const id = world.number("usr", person.id);
    const pages = await world.hub.db.rows<[number]>(
      sql`select page_id from page_bodies b join change_pages p on p.id = b.page_id, json_each(b.body) e
      where p.kind in ('creates', 'updates') and e.value ->> 2 = ${id} and sha256 is not null`,
    );
    assert.ok(pages.length > 3);
    const named = async () =>
      (await world.hub.db.rows<[number]>(sql`select count(*) from runs where figures ->> '$.layout' is not null
        and exists (select 1 from json_each(input, '$.columns') where value like '%zqmark%' or value like 'erased %')`))[
        0
      ]![0];
    assert.ok(await named() > 0);
    await erase(world, person);
    assert.equal(await named(), 0);
    const ids = JSON.stringify(pages.flat());
    for (const table of ["page_bodies", "page_managers"]) {
      const left = await world.hub.db.rows(sql`select 1 from ${sql.raw(table)} where sha256 is not null
        and page_id in (select value from json_each(${ids}))`);
      assert.deepEqual(left, [], table);
    }
    const reports = await Promise.all((await world.runs()).map((run) => world.failures(run)));
    const headers = reports.map((report) => report.split("\r\n")[0]!);
    assert.ok(headers.some((header) => header.includes(",badge,erased 10,_severity")), headers.join("\n"));
  });
});

test("a plan that stays says nothing of the erased person either, and is applied without", async () => {
  await importing(async (world) => {
    await world.import(csv(HEADER, THEIRS, BO, CY, DI));
    await world.connect("payroll");
    const person = await world.person("zqmark@acme.test");
    const input = csv(HEADER, DI.replace("bo@", "zqmark@"));
    const plan = await world.import(input, { connection: "payroll", coverage: "diff", mode: "plan" });
    assert.ok((await marked(world.hub)).includes("page_bodies"));
    assert.equal((await erase(world, person)).status, 200);
    assert.deepEqual(await marked(world.hub), []);
    assert.equal((await world.post(`/v1/runs/${plan.id}/approve`, { plan_hash: plan.plan_hash })).status, 202);
    await world.carry();
    assert.equal((await world.run(plan.id)).status, "succeeded");
    assert.equal((await world.person("E4")).sources.length, 2);
    assert.deepEqual(await marked(world.hub), []);
  });
});

test("what was done stays to be seen, without values: the history, the feed, the report, the counts, the audit", async () => {
  await importing(async (world) => {
    const person = await fill(world);
    const before = await world.runs();
    await erase(world, person);
    const history = (await (await world.ask(`/v1/users/${person.id}/history`)).json()).data;
    assert.ok(history.length >= 4);
    assert.deepEqual([history[0].action, history[0].reason], ["deactivate", "erased"]);
    assert.deepEqual(history[0].fields, { status: { before: "active", after: "inactive" } });
    assert.ok(history.slice(1).every(({ fields }: { fields: object }) => Object.keys(fields).length === 0));
    const feed = (await (await world.ask("/v1/changes?limit=200")).json()).data;
    assert.ok(feed.some((change: { subject: { id: string } }) => change.subject.id === person.id));
    assert.ok(feed.some((change: { subject: { email: string } }) => change.subject.email === "cy@acme.test"));
    for (const run of before) {
      const now = await world.run(run.id);
      assert.deepEqual([now.status, now.counts.read], [run.status, run.counts.read]);
      assert.ok(!isMarked(JSON.stringify(now)));
      assert.ok(!isMarked(await world.failures(run)));
    }
    const audit = (await (await world.ask(`/v1/audit?subject=${person.id}&action=user.erased`)).json()).data;
    assert.deepEqual(audit.map(({ subjects }: { subjects: string[] }) => subjects), [[person.id]]);
    assert.equal((await verifyAudit(world.hub.db, world.hub.organization.id)).broken, null);
  });
});

test("events still tell that the person was changed, by ids, and of others what they told", async () => {
  await importing(async (world) => {
    const told = async () => (await (await world.ask("/v1/events?limit=200")).json()).data.reverse();
    const person = await fill(world);
    const before = await told();
    assert.ok(isMarked(JSON.stringify(before)));
    await erase(world, person);
    const after = await told();
    assert.deepEqual(
      after.slice(0, before.length).map(({ id }: { id: string }) => id),
      before.map(({ id }: { id: string }) => id),
    );
    assert.ok(!isMarked(JSON.stringify(after)));
    const [{ data: first }, { data: old }] = [after, before]
      .map((events) => events.find(({ type }: { type: string }) => type === "users.changed"));
    assert.deepEqual([first.count, first.last_seq], [old.count, old.last_seq]);
    for (const [index, change] of old.changes.entries()) {
      if (change.subject.id !== person.id) assert.deepEqual(first.changes[index], change);
      else assert.deepEqual([first.changes[index].seq, first.changes[index].subject], [change.seq, { id: person.id }]);
    }
    assert.ok(first.changes.length === 3);
    const last = after.at(-1);
    assert.deepEqual([last.type, last.data.changes[0].reason], ["users.changed", "erased"]);
  });
});

test("others keep what they have: their values, their history, and the erased one as their manager until a source says more", async () => {
  await importing(async (world) => {
    await world.import(csv(HEADER, THEIRS, BO, CY));
    const person = await world.person("zqmark@acme.test");
    const bo = await world.person("bo@acme.test");
    await erase(world, person);
    assert.deepEqual(await world.person("bo@acme.test"), {
      ...bo,
      manager: { id: person.id, employee_id: null, email: null },
    });
    assert.equal((await (await world.ask(`/v1/users/${bo.id}/history`)).json()).data.length, 1);
    // Bo's row is looked at again, although it is the same; Cy's is not touched by any of it.
    const again = await world.import(csv(HEADER, BO, CY));
    const ofRows = again.issues.filter(({ line }) => line !== null);
    assert.deepEqual(ofRows.map(({ code, line }) => [code, line]), [["manager_not_found", 2]]);
  });
});

test("the same person imported again is a new user, and becomes the manager of those who name them", async () => {
  await importing(async (world) => {
    await world.import(csv(HEADER, THEIRS, BO, CY));
    const old = await world.person("zqmark@acme.test");
    await erase(world, old);
    const run = await world.import(csv(HEADER, THEIRS, BO, CY));
    assert.deepEqual([run.status, run.counts.created, run.counts.unchanged], ["succeeded", 1, 1]);
    const young = await world.person("zqmark@acme.test");
    assert.notEqual(young.id, old.id);
    assert.equal((await world.person("bo@acme.test")).manager?.id, young.id);
    assert.equal((await (await world.ask(`/v1/users/${young.id}/history`)).json()).data.length, 1);
  });
});

test("a plan that names the person is another one without them, and what else it says can still be approved", async () => {
  await importing(async (world) => {
    await world.import(csv(HEADER, THEIRS, BO, CY));
    const plan = await world.import(
      csv(
        HEADER,
        THEIRS.replace("lead", "boss"),
        BO.replace("zqmark@", "cy@").replace("Engineer", "Head"),
        CY.replace("Engineer", "Lead").replace("bo@acme.test", ""),
      ),
      { mode: "plan" },
    );
    assert.deepEqual([plan.status, plan.counts.updated], ["planned", 3]);
    const person = await world.person("zqmark@acme.test");
    assert.equal((await erase(world, person)).status, 200);

    const refused = await world.post(`/v1/runs/${plan.id}/approve`, { plan_hash: plan.plan_hash });
    assert.deepEqual([refused.status, refused.body.code], [409, "plan_changed"]);
    const left = await world.run(plan.id);
    assert.deepEqual([left.status, left.counts.updated, left.counts.skipped], ["planned", 2, 1]);
    assert.ok(left.changes.every(({ subject }) => subject.id !== person.id));
    assert.notEqual(left.plan_hash, plan.plan_hash);

    assert.equal((await world.post(`/v1/runs/${plan.id}/approve`, { plan_hash: left.plan_hash })).status, 202);
    await world.carry();
    const done = await world.run(plan.id);
    assert.deepEqual([done.status, done.counts.updated], ["succeeded", 2]);
    assert.equal((await world.person("cy@acme.test")).title, "Lead");
    assert.equal((await world.person("bo@acme.test")).manager?.employee_id, "E3");
    assert.deepEqual(await marked(world.hub), []);
  });
});

test("a plan of somebody else is still the one that was looked at", async () => {
  await importing(async (world) => {
    await world.import(csv(HEADER, THEIRS, BO, CY));
    const plan = await world.import(csv(HEADER, CY.replace("Engineer", "Lead")), { mode: "plan", coverage: "diff" });
    await erase(world, await world.person("zqmark@acme.test"));
    assert.equal((await world.post(`/v1/runs/${plan.id}/approve`, { plan_hash: plan.plan_hash })).status, 202);
    await world.carry();
    assert.equal((await world.run(plan.id)).status, "succeeded");
  });
});

test("drops of the connections that know the person are gone, and those of others are kept", async () => {
  await importing(async (world) => {
    await world.connect("other");
    const kept = await world.import(csv(HEADER, CY), { connection: "other" });
    const gone = await world.import(csv(HEADER, THEIRS, BO));
    await erase(world, await world.person("zqmark@acme.test"));
    assert.equal((await world.ask(`/v1/drops/${gone.drop!.id}`)).status, 404);
    assert.equal((await world.ask(`/v1/drops/${kept.drop!.id}/content`)).status, 200);
    assert.equal((await world.run(gone.id)).drop, null);
  });
});

test("an upload that is open is gone with its parts, and cannot be sealed later; one of strangers stays", async () => {
  await importing(async (world) => {
    await world.import(csv(HEADER, THEIRS, BO));
    await world.connect("payroll");
    await world.connect("payslips");
    const open = async (connection: string, parts: readonly string[]) => {
      const made = await world.ask(`/v1/connections/${connection}/uploads`, { json: { name: "a.csv" } });
      const { upload } = await made.json();
      for (const [i, body] of parts.entries()) {
        const put = await world.ask(`/v1/uploads/${upload.id}/parts/${i + 1}`, { method: "PUT", body });
        assert.equal(put.status, 204);
      }
      return upload.id;
    };
    const cut = THEIRS.indexOf("@acme");
    const theirs = [
      await open("csv", [`${HEADER}\n`]),
      await open("payroll", [THEIRS.slice(0, cut), THEIRS.slice(cut)]),
    ];
    const other = await open("payslips", [csv(HEADER, DI)]);
    const { body } = await erase(world, await world.person("zqmark@acme.test"));
    assert.equal(body.erasure.erased.uploads, 2);
    for (const id of theirs) {
      assert.equal((await world.post(`/v1/uploads/${id}/seal`, {})).status, 404);
      assert.equal((await world.ask(`/v1/uploads/${id}/parts/2`, { method: "PUT", body: THEIRS })).status, 404);
    }
    assert.deepEqual(await marked(world.hub), []);
    assert.equal((await world.post(`/v1/uploads/${other}/seal`, {})).status, 202);
  });
});

test("a drop that could not be read is gone too, wherever it came to, and so is a run's word of it", async () => {
  await importing(async (world) => {
    await world.import(csv(HEADER, THEIRS));
    await world.connect("payroll");
    await world.connect("payslips");
    await world.import(`x,y\nzqmark@acme.test,1\n`, { connection: "payroll" });
    const kept = await world.import(`x,y\nsomebody@acme.test,1\n`, { connection: "payslips" });
    await erase(world, await world.person("zqmark@acme.test"));
    assert.deepEqual(await marked(world.hub), []);
    assert.equal((await world.ask(`/v1/drops/${kept.drop!.id}/content`)).status, 200);
  });
});

test("an encrypted file that only names the person is gone too; one of others stays, and one that nothing opens any more", async () => {
  await importing(async (world) => {
    // Keys are made by the machine's clock.
    world.hub.clock.ms = Date.now() + 2000;
    await world.import(csv(HEADER, THEIRS));
    const feed = async (connection: string, text: string) => {
      await world.connect(connection);
      const { body: key } = await world.post(`/v1/connections/${connection}/pgp-keys`, { type: "ecc" });
      const message = await createMessage({ text });
      const encryptionKeys = await readKey({ armoredKey: key.public_key });
      const content = await encrypt({ message, encryptionKeys, format: "binary" }) as Uint8Array<ArrayBuffer>;
      const run = await world.import(content, { connection, coverage: "diff", name: "people.csv.pgp" });
      assert.deepEqual([run.status, run.counts.created], ["succeeded", 1]);
      return { drop: run.drop!.id, key: `/v1/connections/${connection}/pgp-keys/${key.id}` };
    };
    const naming = await feed("naming", csv(HEADER, BO));
    const others = await feed("others", csv(HEADER, CY.replace("bo@acme.test", "")));
    const retired = await feed("retired", csv(HEADER, BO.replace("E2,bo@", "E5,ed@").replace("b2", "b5")));
    assert.equal((await world.post(`${retired.key}/retire`)).status, 200);
    const { body } = await erase(world, await world.person("zqmark@acme.test"));
    assert.equal(body.erasure.erased.drops, 2);
    const statuses = [naming, others, retired].map(async ({ drop }) =>
      (await world.ask(`/v1/drops/${drop}/content`)).status
    );
    assert.deepEqual(await Promise.all(statuses), [404, 200, 200]);
  });
});

test("a file that only names the person is gone too where a stray character makes it look like no text", async () => {
  await importing(async (world) => {
    await world.import(csv(HEADER, THEIRS));
    await world.connect("payroll");
    const { drop, status } = await world.import(csv(`${HEADER},note`, `${BO},a\u0001b`), { connection: "payroll" });
    assert.equal(status, "succeeded");
    await erase(world, await world.person("zqmark@acme.test"));
    assert.equal((await world.ask(`/v1/drops/${drop!.id}/content`)).status, 404);
    assert.deepEqual(await marked(world.hub), []);
  });
});

test("another organization keeps its own person of the same values", async () => {
  await importing(async (world) => {
    const { status } = await world.ask("/v1/organizations", {
      json: { slug: "neighbour", name: "Neighbour" },
      headers: { authorization: `Bearer ${await createTestToken(world.hub, { scopes: ["admin", "operator"] })}` },
    });
    assert.equal(status, 201);
    const neighbour = createAsk(world.hub, await createTestToken(world.hub, { organization: "neighbour" }));
    const drop = () =>
      neighbour("/v1/connections/csv/drops?name=n.csv", {
        body: csv(HEADER, THEIRS),
        headers: { "content-type": "text/csv" },
      });
    const { drop: theirs } = await (await drop()).json();
    await world.carry();
    const { upload } = await (await neighbour("/v1/connections/csv/uploads", { json: { name: "a.csv" } })).json();
    await neighbour(`/v1/uploads/${upload.id}/parts/1`, { method: "PUT", body: csv(HEADER, THEIRS) });
    await world.import(csv(HEADER, THEIRS));
    await erase(world, await world.person("zqmark@acme.test"));
    const { data } = await (await neighbour("/v1/users?email=zqmark@acme.test")).json();
    assert.equal(data[0].title, "Zqmark lead");
    assert.equal((await neighbour(`/v1/drops/${theirs.id}/content`)).status, 200);
    assert.equal((await neighbour(`/v1/uploads/${upload.id}/seal`, { json: {} })).status, 202);
    assert.equal((await neighbour(`/v1/users/${data[0].id}/erasure`)).status, 404);
  });
});

test("answers kept for requests that are sent again are forgotten, and what was done under their keys is not done again", async () => {
  await importing(async (world) => {
    const send = () =>
      world.ask("/v1/connections/csv/drops?name=zqmark.csv", {
        body: csv(HEADER, THEIRS),
        headers: { "content-type": "text/csv", "idempotency-key": "zqmark" },
      });
    assert.equal((await send()).status, 202);
    await world.carry();
    const count = async () => (await world.hub.db.rows<[number]>(sql`select count(*) from idempotency_answers`))[0]![0];
    assert.equal(await count(), 1);
    assert.equal((await erase(world, await world.person("zqmark@acme.test"))).status, 200);
    assert.equal(await count(), 0);
    const again = await send();
    assert.deepEqual([again.status, (await again.json()).code], [409, "conflict"]);
    assert.equal((await world.runs()).length, 1);
  });
});

test("a request that was on its way while a person was erased keeps no answer, and an erasure keeps its own", async () => {
  await importing(async (world) => {
    const headers = { "idempotency-key": "zq", prefer: "wait=30" };
    const users = [{ employee_id: "ZqMark-1", email: "zqmark@acme.test", first_name: "Zq", last_name: "Mark" }];
    const push = () => world.ask("/v1/users/import", { json: { users }, headers });
    const answer = push();
    while ((await world.runs()).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await world.carry();
    const person = await world.person("zqmark@acme.test");
    const erasing = () =>
      world.ask(`/v1/users/${person.id}/erase`, { method: "POST", headers: { "idempotency-key": "e" } });
    const first = await erasing();
    assert.equal(first.status, 200);
    assert.equal((await answer).status, 200);
    const kept = await world.hub.db.rows<[string]>(sql`select k.route from idempotency_answers a
      join idempotency_keys k on k.claim = a.claim`);
    assert.deepEqual(kept.flat(), ["/v1/users/:id/erase"]);
    assert.equal((await push()).status, 409);
    const again = await erasing();
    assert.deepEqual([again.status, again.headers.get("idempotency-replayed")], [200, "true"]);
  });
});

test("erasing again finds nothing left to do, and answers the same", async () => {
  await importing(async (world) => {
    await world.import(csv(HEADER, THEIRS, BO, CY));
    const person = await world.person("zqmark@acme.test");
    const first = await erase(world, person);
    const second = await erase(world, person);
    assert.equal(second.status, 200);
    assert.deepEqual(second.body, first.body);
  });
});

test(
  "while other writes keep changing people, nothing is erased, and the answer says so",
  { skip: onlyInCheckOnDeno },
  async () => {
    await importing(async (world) => {
      await world.import(csv(HEADER, THEIRS, BO));
      const { db, organization } = world.hub;
      const person = await world.person("zqmark@acme.test");
      const busy: typeof db = {
        ...db,
        async write(statements) {
          await db.write([
            db.run(sql`update organizations set data_version = data_version + 1 where id = ${organization.id}`),
          ]);
          return await db.write(statements);
        },
      };
      await assert.rejects(
        eraseUser({ ...world.hub, db: busy }, organization.id, world.number("usr", person.id)),
        { code: "conflict", message: "People of the organization keep changing; erase the person again later" },
      );
      assert.ok(await world.person("zqmark@acme.test"));
    });
  },
);

test("while a run is at work or an input waits that may hold the person, nothing is erased", {
  skip: onlyInCheckOnDeno,
}, async () => {
  await importing(async (world) => {
    await world.import(csv(HEADER, THEIRS, BO, CY));
    const person = await world.person("zqmark@acme.test");
    const waiting = await world.handIn(csv(HEADER, THEIRS, BO, CY.replace("Engineer", "Lead")));
    const refused = await erase(world, person);
    assert.deepEqual([refused.status, refused.body.code], [409, "conflict"]);
    assert.match(refused.body.detail, new RegExp(`^The run ${waiting} waits with an input`));
    assert.ok(await world.person("zqmark@acme.test"));
    // It was let go of again, so the run can begin.
    await world.carry();
    assert.equal((await world.run(waiting)).status, "succeeded");

    await world.handIn(csv(HEADER, THEIRS, BO, CY));
    const stop = new AbortController();
    let busy: Promise<unknown> = Promise.resolve();
    await runNext(world.hub, {
      signal: stop.signal,
      owner: "test",
      onProgress() {
        if (stop.signal.aborted) return;
        stop.abort();
        busy = erase(world, person);
      },
    });
    assert.equal((await busy as { status: number }).status, 409);
    await world.carry();
    assert.equal((await erase(world, person)).status, 200);
  });
});

test("edits by others meanwhile are neither lost nor in the way", async () => {
  await importing(async (world) => {
    await world.import(csv(HEADER, THEIRS, BO, CY));
    const person = await world.person("zqmark@acme.test");
    const cy = await world.person("cy@acme.test");
    const [erased] = await Promise.all([
      erase(world, person),
      ...[1, 2, 3].map((i) => world.edit(cy, { title: `Title ${i}` })),
    ]);
    assert.equal(erased!.status, 200);
    assert.match((await world.person("cy@acme.test")).title!, /^Title/);
    assert.deepEqual(await marked(world.hub), []);
  });
});

test("only who may erase does, only in their own organization, and only whom there is", async () => {
  await importing(async (world) => {
    await world.import(csv(HEADER, THEIRS));
    const person = await world.person("zqmark@acme.test");
    await assert.rejects(eraseUser(world.hub, world.hub.organization.id + 1, world.number("usr", person.id)), {
      code: "not_found",
    });
    assert.equal((await world.post("/v1/users/usr_00000000zzz/erase")).status, 404);
    const stale = await world.ask(`/v1/users/${person.id}/erase`, { method: "POST", headers: { "if-match": '"99"' } });
    assert.equal(stale.status, 412);
    assert.ok(await world.person("zqmark@acme.test"));
  });
});
