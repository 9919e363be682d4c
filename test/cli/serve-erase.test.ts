/** A hub that is served, and a person who came in by every way: once erased, no file of the hub's holds a word of them. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { createTokenText } from "../../src/security/token.ts";
import { until } from "../support/bridging.ts";
import {
  createClient,
  createWords,
  csv,
  EMAIL,
  erased,
  held,
  ID,
  OTHER,
  personOf,
  piecesOf,
  put,
  read,
  readPacked,
} from "../support/erased.ts";
import { connect } from "../support/hosted.ts";
import { onlyInCheck } from "../support/rounds.ts";
import { startServing } from "../support/serve.ts";
import { freePort } from "../support/sshd.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

const CONNECTOR = (word: string) =>
  `import { defineConnector, recordFromCells } from ${
    JSON.stringify(new URL("../../src/connector.ts", import.meta.url).href)
  };
import { z } from ${JSON.stringify(import.meta.resolve("zod"))};
export default defineConnector({
  name: "acme-payroll", version: "1.0.0", title: "Acme payroll", api: 1, coverage: { users: "diff" }, input: "fetch",
  settings: z.strictObject({}),
  async *fetch() {
    yield { origin: "/people/${word}", records: [
      { email: "${EMAIL}", employee_id: "${ID}", first_name: "${word}a", last_name: "${word}b", hire_date: "${word}c" },
    ] };
  },
  normalize: (row, context) => recordFromCells(row, context.fields),
});`;

test("a person who came in by every way is in no file of a hub that ended in order, once erased", {
  skip: onlyInCheck,
}, async () => {
  const dir = mkdtempSync(join(tmpdir(), "muster-"));
  const data = join(dir, "data"), sftpPort = await freePort();
  const token = createTokenText();
  const words = createWords();
  let packed: string[] = [];
  const { word, row } = words;
  writeFileSync(join(dir, "payroll.mjs"), CONNECTOR(word()));
  const hub = await startServing({
    MUSTER_DATA_DIR: data,
    MUSTER_ADMIN_TOKEN: token,
    MUSTER_SFTP_PORT: String(sftpPort),
    MUSTER_CONNECTORS: join(dir, "payroll.mjs"),
    SMTP_URL: `smtp://127.0.0.1:${await freePort()}`,
    MAIL_FROM: "muster@example.com",
  });
  const ask = createClient(hub.url, token);
  try {
    await ask("/v1/custom-fields/badge", { method: "PUT", json: { type: "text" } });
    await ask("/v1/webhook-endpoints", { json: { url: "https://hooks.example.com/" } });
    const make = (name: string, connector = "csv-upload", more: object = {}) =>
      ask("/v1/connections", { json: { name, connector, policy: { coverage: "diff" }, ...more } });

    // As a raw body, with a row in error and another's row that names them.
    const bad = csv(row({ day: word() }), OTHER, `cy@acme.test,B3,Cy,Cole,x,y,${word()} ${EMAIL}`);
    await ask(`/v1/connections/csv/drops?name=${word()}.csv`, { body: bad, type: "text/csv" });
    const form = new FormData();
    form.set("file", new Blob([csv(row())], { type: "text/csv" }), `${word()}.csv`);
    await ask("/v1/connections/csv/drops", { body: form });
    await make("lines");
    const line = { email: EMAIL, employee_id: ID, first_name: word(), last_name: word(), badge: word() };
    await ask("/v1/connections/lines/drops?name=a.ndjson", {
      body: `${JSON.stringify(line)}\n`,
      type: "application/x-ndjson",
    });
    await ask("/v1/connections/lines/drops?name=a.json", {
      body: JSON.stringify([{ ...line, title: word() }]),
      type: "application/json",
    });
    await ask("/v1/users/import", { json: { users: [{ ...line, title: word(), hire_date: word() }] } });
    // In parts, sealed and not, the word at the border of two.
    await make("parts");
    const parts = async (text: string) => {
      const { upload } = await ask("/v1/connections/parts/uploads", { json: { name: `${word()}.csv` } });
      const cut = text.indexOf(EMAIL) + 5;
      for (const [i, part] of [text.slice(0, cut), text.slice(cut)].entries()) {
        await ask(`/v1/uploads/${upload.id}/parts/${i + 1}`, { method: "PUT", body: part });
      }
      return upload.id;
    };
    await ask(`/v1/uploads/${await parts(csv(row()))}/seal`, { json: {} });
    await parts(csv(row()));
    // To connections that know nobody: an open upload, what is packed, and what could not be read.
    await make("strangers");
    const { upload } = await ask("/v1/connections/strangers/uploads", { json: { name: "x.csv" } });
    await ask(`/v1/uploads/${upload.id}/parts/1`, { method: "PUT", body: csv(row()) });
    await make("packed");
    await ask("/v1/connections/packed/drops?name=a.csv.gz", {
      body: gzipSync(csv(row())),
      type: "application/octet-stream",
    });
    await make("unread");
    await ask("/v1/connections/unread/drops?name=a.csv", { body: `x,y\n${EMAIL},${word()}\n`, type: "text/csv" });
    await make("payroll", "acme-payroll");
    await ask("/v1/connections/payroll/runs", { json: {} });

    // Over SFTP: taken, with a report; never taken, for its name; and half of one.
    const settings = { mode: "hosted", patterns: ["*.csv"] };
    const drops = await make("drops", "sftp-drop", { settings });
    const login = await ask(`/v1/connections/${drops.id}/sftp-login`, { json: { method: "password" } });
    const { client, sftp } = await connect({ port: sftpPort }, login.username, { password: login.password });
    await put(sftp, `${word()}.csv`, csv(row({ day: word() })));
    await put(sftp, `${word()}.notes`, csv(row()));
    await put(sftp, `${word()}.csv`, csv(row()), false);
    const tree = join(data, "sftp", drops.id);
    await until(
      "the report is there",
      () => existsSync(tree) ? readdirSync(join(tree, "reports")) : [],
      (l) => l.length > 0,
      60_000,
    );
    client.end();
    // Left for a while, as far as can be told.
    const old = new Date(Date.now() - 3_600_000);
    for (const name of readdirSync(join(tree, "drops"))) utimesSync(join(tree, "drops", name), old, old);

    const person = await personOf(ask);
    await ask(`/v1/users/${person.id}`, {
      method: "PATCH",
      json: { title: word(), phone: "+1 555 017 7432", custom: { badge: word() } },
    });
    const planned = csv(row());
    await ask("/v1/connections/csv/drops?name=b.csv&mode=plan", { body: planned, type: "text/csv" });
    // Every word really is somewhere: what is gone afterwards was there before.
    const before = held(read(data), words.all);
    assert.deepEqual(words.all.filter((each) => !before.some((line) => line.endsWith(each))), []);
    packed = readPacked(join(data, "muster.db")).flatMap(({ body }) => piecesOf(body));
    assert.ok(held(read(data), packed).length >= 8, "what is packed is there as it is stored");

    const answer = await ask(`/v1/users/${person.id}/erase`, { json: {} });
    assert.equal(answer.status, "inactive");
    assert.ok(answer.erasure.pending.some(({ what }: Json) => what === "sftp_files"), JSON.stringify(answer.erasure));
    assert.ok(answer.erasure.erased.uploads >= 2 && answer.erasure.erased.drops >= 8, JSON.stringify(answer.erasure));
    const { pending, left } = await erased(ask, person.id);
    assert.deepEqual(pending, []);
    assert.deepEqual(left.map(({ what }: Json) => what), ["backups", "sent"]);
    const { data: others } = await ask("/v1/users?email=bo@acme.test");
    assert.equal(others.length, 1);
  } finally {
    assert.equal(await hub.stop(), 0);
  }
  try {
    assert.deepEqual(held(read(data), [...words.all, ...packed, "017 7432", "0177432"]), []);
    const { out, err } = hub.said();
    assert.deepEqual(held(new Map([["out", out], ["err", err]]), words.all), []);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
