/** The pages of templates: what somebody reads who prepares a file. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PRESETS } from "../../src/model/preset.ts";
import { createVisitor, signIn } from "../support/console.ts";
import { createAsk, createTestHub, createTestToken } from "../support/hub.ts";

const MARKUP = "<img src=x onerror=alert(1)>";

test("each system has a page with example rows, what each column may hold, and files to fill in", async () => {
  const hub = await createTestHub();
  try {
    const token = await createTestToken(hub), ask = createAsk(hub, token), visitor = await signIn(hub, token);
    const json = { type: "select", label: MARKUP, options: ["Red", "Blue"] };
    await ask("/v1/custom-fields/team", { method: "PUT", json });
    const list = await visitor.open("/o/default/templates");
    for (const preset of [...Object.keys(PRESETS), "departments"]) {
      assert.ok(list.text.includes(`/o/default/templates/${preset}"`), preset);
      const page = await visitor.open(`/o/default/templates/${preset}`);
      assert.equal(page.status, 200, preset);
      assert.match(page.text, /<th scope="col">/);
      assert.match(page.text, /An empty cell/);
      assert.ok(!page.text.includes(MARKUP));
      if (preset !== "departments") assert.match(page.text, /team[\s\S]*Red/, "the organization's own fields too");
      for (const [file] of page.text.matchAll(/\/o\/default\/templates\/\w+\.(?:csv|xlsx)[^"]*/g)) {
        const answer = await visitor.ask(file.replaceAll("&amp;", "&"));
        assert.equal(answer.status, 200, file);
        assert.match(answer.headers.get("content-disposition")!, /attachment/);
      }
    }
    assert.match((await visitor.open("/o/default/templates/connecteam")).text, /mobile/i);
    assert.equal((await visitor.open("/o/default/templates/nothing")).status, 404);
    for (const name of ["users.json?preset=connecteam", "departments.json"]) {
      const { columns } = await (await ask(`/v1/templates/${name}`)).json();
      const known = columns.every((column: { holds: string; empty_cell: string; examples: string; rows: string[] }) =>
        column.holds !== "" && column.empty_cell !== "" && column.examples !== "" && column.rows.length === 2
      );
      assert.ok(columns.length > 2 && known, name);
    }
    assert.match((await visitor.open("/o/default/import")).text, /templates"/);
  } finally {
    hub.close();
  }
});

test("templates need the scope that sends files", async () => {
  const hub = await createTestHub();
  try {
    const looker = await signIn(hub, await createTestToken(hub, { scopes: ["users:read", "runs:read"] }));
    for (const path of ["", "/custom", "/departments", "/users.csv", "/departments.xlsx"]) {
      assert.equal((await looker.open(`/o/default/templates${path}`)).status, 403, path);
    }
  } finally {
    hub.close();
  }
});

test("who cannot sign in reads the same pages, and downloads the same files, without anything of an organization", async () => {
  const hub = await createTestHub();
  try {
    const ask = createAsk(hub, await createTestToken(hub)), stranger = createVisitor(hub);
    await ask("/v1/custom-fields/Shoe%20size", { method: "PUT", json: { type: "text" } });
    const list = await stranger.open("/templates");
    assert.match(list.headers.get("cache-control")!, /public/);
    for (const preset of [...Object.keys(PRESETS), "departments"]) {
      assert.ok(list.text.includes(`"/templates/${preset}"`), preset);
      const page = await stranger.open(`/templates/${preset}`);
      assert.match(page.text, /<th scope="col">[\s\S]*An empty cell/);
      assert.ok(!/Shoe size/.test(page.text), preset);
      const files = [...page.text.matchAll(/"(\/templates\/\w+\.(?:csv|xlsx)[^"]*)"/g)];
      assert.equal(files.length, 2, preset);
      for (const [, file] of files) {
        const answer = await stranger.ask(file!);
        assert.equal(answer.status, 200, file);
        assert.match(answer.headers.get("content-disposition")!, /attachment/);
      }
    }
    for (const path of ["/templates/nothing", "/templates/users.csv?preset=nothing", "/templates/constructor"]) {
      assert.equal((await stranger.ask(path)).status, 404, path);
    }
  } finally {
    hub.close();
  }
});
