/** Who is found by `q`, where the index is complete, behind, and after whatever changes people. */
import assert from "node:assert/strict";
import { sql } from "drizzle-orm";
import { test } from "node:test";
import { encodeId } from "../../src/model/id.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { fillSearchIndex } from "../../src/store/people/search-index.ts";
import { createAsk, createTestToken } from "../support/hub.ts";
import { crowd, csv, HEADER, type Importing, importing } from "../support/imports.ts";

const PEOPLE = csv(
  `${HEADER},username`,
  "E1,ana.lopez@acme.test,Ana,López,",
  "E2,b.muller@acme.test,Bo,Müller,bomu",
  "000123,cy@mail.example.com,Cy,O'Brien,",
);

const fill = ({ hub }: Importing) => fillSearchIndex(hub.db, { forMs: 60_000 });

async function found({ ask }: Pick<Importing, "ask">, q: string, more = ""): Promise<string[]> {
  const answer = await ask(`/v1/users?q=${encodeURIComponent(q)}${more}`);
  const body = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(body));
  return body.data.map(({ employee_id }: { employee_id: string }) => employee_id);
}

test("people are found by words and their beginnings, without accents, in any order, and by parts of an address", () =>
  importing(async (world) => {
    await world.import(PEOPLE);
    assert.equal(await fill(world), true);
    const cases: [string, string[]][] = [
      ["ana", ["E1"]],
      ["AN lop", ["E1"]],
      ["lopez ana", ["E1"]],
      ["muller", ["E2"]],
      ["Müll", ["E2"]],
      ["bom", ["E2"]],
      ["brien", ["000123"]],
      ["acme", ["E1", "E2"]],
      ["cy@mail.example.com", ["000123"]],
      ["acme.te", ["E1", "E2"]],
      ["0001", ["000123"]],
      ["ana muller", []],
      ["opez", []],
      ["%", []],
      ['" OR "1xbo', []],
    ];
    for (const [q, expected] of cases) assert.deepEqual(await found(world, q), expected, q);
  }));

test("a search without a word, with too many words, or with nothing at all is answered clearly", () =>
  importing(async (world) => {
    await world.import(PEOPLE);
    assert.deepEqual(await found(world, "---"), []);
    for (const q of ["", "a b c d e f g h i"]) {
      assert.equal((await world.ask(`/v1/users?q=${encodeURIComponent(q)}`)).status, 400, q);
    }
  }));

test("the user with exactly the id or the address is found while the index is behind", () =>
  importing(async (world) => {
    await world.import(PEOPLE);
    const { id } = await world.person("E1");
    for (const q of ["E1", " ANA.Lopez@acme.test", id]) assert.deepEqual(await found(world, q), ["E1"], q);
    assert.deepEqual(await found(world, "ana"), []);
    await fill(world);
    for (const q of ["E1", " ANA.Lopez@acme.test", id, "ana"]) assert.deepEqual(await found(world, q), ["E1"], q);
  }));

test("what changes people's words is followed: edits, inputs, and a revert", () =>
  importing(async (world) => {
    await world.import(PEOPLE);
    await fill(world);
    await world.edit(await world.person("E1"), { last_name: "Garcia" });
    const run = await world.import(csv(`${HEADER},username`, "E2,b.muller@acme.test,Bo,Berg,bomu"), {
      coverage: "diff",
    });
    await fill(world);
    const now = async () => [await found(world, "garcia"), await found(world, "berg"), await found(world, "lopez")];
    assert.deepEqual(await now(), [["E1"], ["E2"], ["E1"]]);
    await world.edit(await world.person("E1"), { email: "ana@acme.test" });
    const { body } = await world.post(`/v1/runs/${run.id}/revert`);
    await world.carry();
    const plan = await world.run(body.run.id);
    assert.equal((await world.post(`/v1/runs/${plan.id}/approve`, { plan_hash: plan.plan_hash })).status, 202);
    await world.carry();
    await fill(world);
    assert.deepEqual(await now(), [["E1"], [], []]);
    assert.deepEqual(await found(world, "mull"), ["E2"]);
  }));

test("a search that is narrowed gives everybody once, page by page, and others who come meanwhile", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, ...crowd(30)));
    await fill(world);
    for (const name of ["E0003", "E0017", "E0029"]) await world.edit(await world.person(name), { status: "inactive" });
    assert.deepEqual(await found(world, "acme", "&status=inactive"), ["E0003", "E0017", "E0029"]);
    const seen: string[] = [];
    for (let cursor: string | null = "", turn = 0; cursor !== null; turn++) {
      const answer = await world.ask(`/v1/users?q=acme&status=active&limit=10&cursor=${cursor}`);
      const body: { data: { employee_id: string }[]; next_cursor: string | null } = await answer.json();
      seen.push(...body.data.map(({ employee_id }) => employee_id));
      cursor = body.next_cursor;
      if (turn > 0) continue;
      await world.import(csv(HEADER, ...crowd(2, 31)), { coverage: "diff" });
      await fill(world);
    }
    const all = Array.from({ length: 32 }, (_, n) => `E${String(n + 1).padStart(4, "0")}`);
    assert.deepEqual(seen, all.filter((name) => !["E0003", "E0017", "E0029"].includes(name)));
  }));

test("nobody of another organization is found, by word, id or address", () =>
  importing(async (world) => {
    await world.import(PEOPLE);
    await createOrganization(world.hub.db, { slug: "elsewhere", name: "Elsewhere", timezone: "UTC" }, 1);
    await fill(world);
    const { id } = await world.person("E1");
    const ask = createAsk(world.hub, await createTestToken(world.hub, { organization: "elsewhere" }));
    for (const q of ["ana", "a", "E1", "ana.lopez@acme.test", id]) assert.deepEqual(await found({ ask }, q), [], q);
    // Even if the index were wrong about whose a word is.
    await world.hub.db.rows(
      sql`insert into user_words (rowid, words) values (${world.number("usr", id) + 1000}, '2xana')`,
    );
    await world.hub.db.rows(sql`update user_words set words = '2xana' where rowid = ${world.number("usr", id)}`);
    assert.deepEqual(await found({ ask }, "ana"), []);
    assert.equal(id, encodeId("usr", world.number("usr", id)));
  }));
