/** What strangers put into every place that takes text: it is refused, or taken as the text that it is. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createRegistry } from "../../src/runtime/registry.ts";
import { type Importing, importing } from "../support/imports.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";

let world: Importing;
let close = () => {};
let closed: Promise<void>;

before(async () => {
  await new Promise<void>((resolve, reject) => {
    closed = importing(async (made) => {
      world = made;
      resolve();
      await new Promise<void>((end) => close = end);
    }, { registry: createRegistry() });
    closed.catch(reject);
  });
});
after(async () => {
  close();
  await closed;
});

const JSON_TYPE = { "content-type": "application/json" };
const NAMES = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "__defineGetter__"];

/** The status of a request whose body is sent as it is written here. */
async function status(path: string, body?: string, headers: Record<string, string> = JSON_TYPE, method?: string) {
  const answer = await world.ask(path, { method, headers, ...(body === undefined ? {} : { body }) });
  await answer.arrayBuffer();
  assert.ok(answer.status < 500, `${path}: ${answer.status}`);
  return answer.status;
}

test("names that JavaScript's objects have are names like any others", async () => {
  for (const name of NAMES) {
    for (const place of ["users", "connections", "runs", "drops", "deliveries", "tokens", "departments"]) {
      assert.ok([404, 405].includes(await status(`/v1/${place}/${name}`)), `${place}/${name}`);
    }
    assert.equal(await status(`/errors/${name}`), 404);
    assert.equal(await status("/v1/users", undefined, { "muster-organization": name }), 403);
    assert.equal(await status(`/v1/events?type=${name}`), 400);
    assert.equal(await status("/v1/connections", `{"connector":"${name}","name":"x"}`), 422);
    const settings = `{"connector":"csv-upload","name":"x","settings":{"${name}":1}}`;
    assert.equal(await status("/v1/connections", settings), 400, name);
    await status("/v1/users/import", `{"users":[{"employee_id":"1","${name}":{"isAdmin":true}}]}`, {
      ...JSON_TYPE,
      prefer: "wait=0",
    });
  }
  const run = await world.import(`employee_id,email,first_name,last_name,${NAMES}\n1,ana@acme.test,Ana,Sol,${NAMES}\n`);
  assert.deepEqual([run.status, run.counts.created], ["succeeded", 1]);
  assert.equal(({} as { isAdmin?: boolean }).isAdmin, undefined);
});

test("cursors that the hub did not make are refused", async () => {
  const { next_cursor: real } = await (await world.ask("/v1/runs?limit=1")).json();
  const other = real === null ? [] : [`${real}A`, String(real).slice(0, -1)];
  for (const cursor of ["a", "eyJpZCI6MX0", "AAAA".repeat(2_000), "\0", "../..", "[]", "null", ...other]) {
    assert.equal(await status(`/v1/users?cursor=${encodeURIComponent(cursor)}`), 400, cursor.slice(0, 20));
  }
});

test("a name of a file leads into no header and no other folder, wherever it is shown again", async () => {
  const row = `employee_id,email,first_name,last_name\n2,nobody@,Bo,Lund\n`;
  for (const name of ["a\r\nX-Own: y.csv", "a\0.csv", "\u202egnp.csv", `${"x".repeat(5_000)}.csv`]) {
    const sent = await status(`/v1/connections/csv/drops?name=${encodeURIComponent(name)}`, row, {
      "content-type": "text/csv",
    });
    assert.equal(sent, 400, JSON.stringify(name.slice(0, 20)));
  }
  for (const name of ['a"; filename="b.csv', "a;b.csv", "../../etc/passwd", "%0d%0aX-Own: y.csv", "ü€.csv"]) {
    const run = await world.import(row, { name });
    for (const path of [`/v1/drops/${run.drop!.id}/content`, `/v1/runs/${run.id}/failures.csv`]) {
      const { headers } = await world.ask(path);
      assert.equal(headers.get("x-own"), null);
      assert.match(headers.get("content-disposition")!, /^attachment; filename\*=UTF-8''[\w.!%'~-]+$/, name);
    }
  }
});

test("forms that are cut off, without end, or of very many parts are refused", async () => {
  const part = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nemployee_id\n1\r\n';
  const forms = [
    "",
    "--b--\r\n",
    "--b\r\n",
    part,
    `${part}${part}--b--`,
    "-".repeat(1_000_000),
    `${'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'.repeat(50_000)}--b--`,
    part.replace("\r\n\r\n", "\r\n"),
  ];
  for (const [i, form] of forms.entries()) {
    const sent = await status("/v1/connections/csv/drops", form, { "content-type": "multipart/form-data; boundary=b" });
    assert.ok([400, 422].includes(sent), `${i}: ${sent}`);
  }
  for (const type of ["multipart/form-data", "multipart/form-data; boundary=", `multipart/form-data; boundary="`]) {
    assert.equal(await status("/v1/connections/csv/drops", part, { "content-type": type }), 400, type);
  }
});

test("a name in a form that no file has is left for the type's own", async () => {
  for (const name of ["a".repeat(1_000_000), "\u202egnp.csv", "a\0.csv"]) {
    const answer = await world.ask("/v1/connections/csv/drops", {
      body:
        `--b\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: text/csv\r\n\r\nid\n1\r\n--b--`,
      headers: { "content-type": "multipart/form-data; boundary=b", prefer: "wait=0" },
    });
    assert.equal(answer.status, 202);
    const { run } = await answer.json();
    assert.match((await (await world.ask(`/v1/runs/${run.id}`)).json()).drop.name, /^[\w.-]{1,40}$/);
  }
});

test(
  "long text in headers, queries and values is read once, and never tried in every way",
  { skip: onlyInCheckOnDeno },
  async () => {
    const n = 100_000;
    const long = [
      "a.".repeat(n),
      `${" ".repeat(n)}x`,
      "1,".repeat(n),
      '"'.repeat(n),
      "-".repeat(n),
      "(a+)+".repeat(n),
      "%25".repeat(n),
    ];
    for (const text of long) {
      for (const name of ["prefer", "if-match", "idempotency-key", "x-request-id", "accept", "muster-organization"]) {
        await status("/v1/users", undefined, { [name]: text });
      }
      await status("/v1/connections/csv/drops", "x", { "content-type": `text/csv; charset=${text}` });
      for (const name of ["email", "employee_id", "q", "cursor", "limit", "status", "updated_since"]) {
        await status(`/v1/users?${name}=${encodeURIComponent(text)}`);
      }
      await status(
        "/v1/users/import",
        JSON.stringify({
          users: [
            { employee_id: "3", email: `a@${text}`, first_name: "A", last_name: "B" },
            {
              employee_id: "4",
              email: "d@acme.test",
              first_name: text,
              last_name: "B",
              deactivates_at: text,
              phone: text,
            },
          ],
        }),
        { ...JSON_TYPE, prefer: "wait=0" },
      );
      await status("/v1/connections", JSON.stringify({ connector: "csv-upload", name: "x", schedule: { cron: text } }));
      await status("/v1/webhook-endpoints", JSON.stringify({ url: `https://${text}` }));
      await status("/v1/organization", JSON.stringify({ timezone: text, technical_contact: text }), JSON_TYPE, "PATCH");
    }
    await world.carry();
    const { data } = await (await world.ask("/v1/runs?limit=200")).json();
    assert.ok(data.every((run: { status: string }) => ["succeeded", "partial", "failed"].includes(run.status)));
  },
);
