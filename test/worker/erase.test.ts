/** A person is erased where the database is D1: no table has a word of them any more. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { createMessage, encrypt, readKey } from "openpgp";
import { createMasterKeyText } from "../../src/security/secrets.ts";
import { createTokenText } from "../../src/security/token.ts";
import { createWords, csv, EMAIL, HEADER, held, ID, OTHER, piecesOf, readTables } from "../support/erased.ts";
import { onWorkers } from "../support/on-workers.ts";
import { onlyInCheck } from "../support/rounds.ts";
import { onDeno, onWorkerd } from "../support/workerd.ts";

// deno-lint-ignore no-explicit-any
type Json = any;
type Said = { method: string; headers: Record<string, string>; body?: string | Uint8Array<ArrayBuffer> };
/** GET, or POST of what is said as JSON, or of a file; fails unless it is answered with success. */
type Call = (path: string, json?: unknown, file?: Said["body"]) => Promise<Json>;

function createCall(send: (path: string, said: Said) => Promise<Response>): Call {
  return async (path, json, file) => {
    const body = file ?? (json === undefined ? undefined : JSON.stringify(json));
    const type = file === undefined ? "application/json" : "text/csv";
    const headers = { prefer: "wait=30", ...(body === undefined ? {} : { "content-type": type }) };
    const answer = await send(path, { method: body === undefined ? "GET" : "POST", headers, body });
    const said = await answer.json();
    assert.ok(answer.ok, `${path}: ${JSON.stringify(said)}`);
    return said;
  };
}

/** A person comes in by many ways, beside `others`. Gives what they can be known by, and what of it is encrypted. */
async function bringIn(call: Call, others: number): Promise<{ words: string[]; pieces: string[] }> {
  const { all, word, row } = createWords();
  const drop = (connection: string, file: string | Uint8Array<ArrayBuffer>, name = `${word()}.csv`) =>
    call(`/v1/connections/${connection}/drops?name=${name}&coverage=diff`, undefined, file);
  // With an odd date, a row in error and others that name them; then changed, planned, and pushed.
  const naming = [`cy@acme.test,B3,Cy,Cole,x,y,${word()} ${EMAIL}`, `,B4,${EMAIL}`];
  await drop("csv", csv(row({ day: word() }), OTHER, ...naming));
  await drop("csv", csv(row()));
  await call("/v1/connections/csv/drops?name=b.csv&mode=plan&coverage=diff", undefined, csv(row()));
  await call("/v1/users/import", {
    users: [{ email: EMAIL, employee_id: ID, first_name: word(), last_name: word() }],
  });
  // Encrypted, to a connection that has them only as somebody's manager.
  await call("/v1/connections", { name: "hr", slug: "hr", connector: "csv-upload", policy: { coverage: "diff" } });
  const key = await call("/v1/connections/hr/pgp-keys", { type: "ecc" });
  const message = await createMessage({ text: `${HEADER},manager_email\ndi@acme.test,B5,Di,Dorn,,,,${EMAIL}\n` });
  const encryptionKeys = await readKey({ armoredKey: key.public_key });
  const bytes = await encrypt({ message, encryptionKeys, format: "binary" }) as Uint8Array<ArrayBuffer>;
  assert.equal((await drop("hr", bytes, "people.csv.pgp")).run.status, "succeeded");
  for (let i = 0; i < others; i++) await drop("csv", csv(`p${i}@acme.test,P${i},P,Q,,,`), `${i}.csv`);
  return { words: all, pieces: piecesOf(bytes) };
}

async function erase(call: Call): Promise<void> {
  const { data: [{ id }] } = await call(`/v1/users?email=${EMAIL}`);
  const { erasure } = await call(`/v1/users/${id}/erase`, {});
  assert.deepEqual(erasure.pending, []);
  assert.notEqual(erasure.completed_at, null);
  assert.deepEqual(erasure.left.map(({ what }: Json) => what), ["backups", "sent", "database_provider"]);
}

test("a person who was erased on Workers is in no table of D1, and neither is the encrypted file that they came in", {
  skip: onlyInCheck,
}, () =>
  onWorkers(async ({ ask, database }) => {
    const token = createTokenText();
    const variables = { MUSTER_ADMIN_TOKEN: token, MUSTER_MASTER_KEY: createMasterKeyText() };
    const call = createCall((path, { headers, ...said }) =>
      ask(path, variables, { ...said, headers: { ...headers, authorization: `Bearer ${token}` } })
    );
    // More drops than D1 takes parameters.
    const { words, pieces } = await bringIn(call, 110);
    const before = readTables(database);
    assert.deepEqual(words.filter((each) => held(before, [each]).length === 0), []);
    assert.ok(held(before, pieces).length > 0);
    await erase(call);
    assert.deepEqual(held(readTables(database), [...words, ...pieces]), []);
    assert.equal((await call("/v1/users?email=bo@acme.test")).data.length, 1);
  }));

test("Cloudflare's own runtime erases a person from every table of D1, while others are edited", {
  skip: onDeno || onlyInCheck,
}, async () => {
  let known: Awaited<ReturnType<typeof bringIn>>;
  await onWorkerd({ MUSTER_ADMIN_TOKEN: createTokenText() }, async ({ call: send }) => {
    const call = createCall(send);
    known = await bringIn(call, 0);
    const { data: [{ id }] } = await call("/v1/users?email=bo@acme.test");
    const edit = async (title: string) => {
      const headers = { "content-type": "application/json" };
      assert.equal(
        (await send(`/v1/users/${id}`, { method: "PATCH", headers, body: JSON.stringify({ title }) })).status,
        200,
      );
    };
    await Promise.all([erase(call), edit("Lead"), edit("Head"), edit("Chief")]);
    assert.match((await call(`/v1/users/${id}`)).title, /^(Lead|Head|Chief)$/);
  }, {
    after: (state) => {
      const files = (readdirSync(state, { recursive: true }) as string[]).filter((name) => name.endsWith(".sqlite"));
      const tables = files.map((name) => {
        const database = new DatabaseSync(join(state, name), { readOnly: true });
        const found = readTables(database);
        database.close();
        return found;
      });
      assert.ok(tables.some((found) => held(found, ["bo@acme.test"]).length > 0), "that is where D1 is");
      for (const found of tables) assert.deepEqual(held(found, [...known.words, ...known.pieces]), []);
    },
  });
});
