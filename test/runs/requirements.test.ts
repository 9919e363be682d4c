/** What new people need, by the preset of their connection: nobody is created without a name. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, importing, said } from "../support/imports.ts";

test("an OPS-COM file creates nobody without a name, and whoever has one of both names", () =>
  importing(async (world) => {
    await world.connect("ops", { preset: "ops-com" });
    const header = "unique_id,email,first_name,last_name";
    const run = await world.import(
      csv(header, "u1,ana@acme.test,Ana,", "u2,bo@acme.test,,Berg", "u3,cy@acme.test,, ", "u4,,,"),
      { connection: "ops" },
    );
    assert.deepEqual([run.counts.created, run.counts.failed], [2, 2]);
    assert.deepEqual(said(run), ["4 required_field_missing", "5 required_field_missing"]);
    const other = await world.import(csv("unique_id,email", "u5,di@acme.test", "u6,ed@acme.test"), {
      connection: "ops",
      coverage: "diff",
    });
    assert.deepEqual([other.counts.created, other.counts.failed], [0, 2]);
    assert.match(other.issues[0]!.message, /^first_name or last_name is missing: a new person needs one$/);
    assert.equal((await world.people()).length, 2);

    const emptied = await world.import(csv(header, "u1,ana@acme.test,,", "u2,bo@acme.test,,Berg"), {
      connection: "ops",
    });
    assert.deepEqual([emptied.counts.failed, emptied.counts.unchanged], [1, 1]);
    assert.equal((await world.person("ana@acme.test")).first_name, "Ana");
  }));
