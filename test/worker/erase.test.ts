/** A person is erased where the database is D1: no table has a word of them any more. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createMessage, encrypt, readKey } from "openpgp";
import { createMasterKeyText } from "../../src/secrets.ts";
import { createTokenText } from "../../src/token.ts";
import { createWords, csv, EMAIL, HEADER, held, OTHER, piecesOf, readTables } from "../support/erased.ts";
import { onWorkers } from "../support/on-workers.ts";

test("a person who was erased on Workers is in no table of D1, and neither is the encrypted file that they came in", () =>
  onWorkers(async ({ ask, database }) => {
    const token = createTokenText();
    const variables = { MUSTER_ADMIN_TOKEN: token, MUSTER_MASTER_KEY: createMasterKeyText() };
    const { all, word, row } = createWords();
    const call = async (path: string, json?: unknown, body?: BodyInit, type = "text/csv") => {
      const answer = await ask(path, variables, {
        method: json === undefined && body === undefined ? "GET" : "POST",
        headers: {
          authorization: `Bearer ${token}`,
          "content-type": body === undefined ? "application/json" : type,
          prefer: "wait=30",
        },
        ...(json === undefined && body === undefined ? {} : { body: body ?? JSON.stringify(json) }),
      });
      const said = await answer.json();
      assert.ok(answer.ok, JSON.stringify(said));
      return said;
    };
    const drop = (connection: string, body: BodyInit, name = `${word()}.csv`) =>
      call(`/v1/connections/${connection}/drops?name=${name}&coverage=diff`, undefined, body);

    // With a row in error, another's that names them, and an odd date; then changed, planned, and pushed.
    await drop(
      "csv",
      csv(row({ day: word() }), OTHER, `cy@acme.test,B3,Cy,Cole,x,y,${word()} ${EMAIL}`, `,B4,${EMAIL}`),
    );
    await drop("csv", csv(row()));
    await call(`/v1/connections/csv/drops?name=b.csv&mode=plan&coverage=diff`, undefined, csv(row()));
    await call("/v1/users/import", {
      users: [{ email: EMAIL, employee_id: "ZQ-EMP-7781", first_name: word(), last_name: word() }],
    });
    // Encrypted, to a connection that has them only as somebody's manager; and so many others that no list is short.
    await call("/v1/connections", { name: "hr", slug: "hr", connector: "csv-upload", policy: { coverage: "diff" } });
    const key = await call("/v1/connections/hr/pgp-keys", { type: "ecc" });
    const message = await createMessage({ text: `${HEADER},manager_email\ndi@acme.test,B5,Di,Dorn,,,,${EMAIL}\n` });
    const encryptionKeys = await readKey({ armoredKey: key.public_key });
    const bytes = await encrypt({ message, encryptionKeys, format: "binary" }) as Uint8Array<ArrayBuffer>;
    const closed = await drop("hr", bytes, "people.csv.pgp");
    assert.equal(closed.run.status, "succeeded", JSON.stringify(closed));
    for (let i = 0; i < 110; i++) await drop("csv", csv(`p${i}@acme.test,P${i},P,Q,,,`), `${i}.csv`);

    const before = readTables(database);
    assert.deepEqual(all.filter((each) => held(before, [each]).length === 0), []);
    assert.ok(held(before, piecesOf(bytes)).length > 0);
    const tables = [...new Set(held(before, all).map((line) => line.replace(/: .*$/, "")))];
    assert.ok(tables.length > 8, tables.join());

    const { data: [{ id }] } = await call(`/v1/users?email=${EMAIL}`);
    const { erasure } = await call(`/v1/users/${id}/erase`, {});
    assert.deepEqual(erasure.pending, []);
    assert.notEqual(erasure.completed_at, null);
    assert.deepEqual(erasure.left.map(({ what }: { what: string }) => what), ["backups", "sent", "database_provider"]);
    assert.deepEqual(held(readTables(database), [...all, ...piecesOf(bytes)]), []);
    assert.equal((await call("/v1/users?email=bo@acme.test")).data.length, 1);
  }));
