/**
 * A hub that is served, and a person who came in encrypted by every way: once erased, neither a word of them nor the
 * encrypted bytes are in a file of the hub's, and nothing that was decrypted ever was on the disk beside the tables.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { decodeId } from "../../src/model/id.ts";
import { createTokenText } from "../../src/security/token.ts";
import { until } from "../support/bridging.ts";
import {
  createClient,
  createWords,
  csv,
  EMAIL,
  erased,
  HEADER,
  held,
  ID,
  OTHER,
  personOf,
  piecesOf,
  put,
  read,
  readPacked,
} from "../support/erased.ts";
import { createGpg, WITHOUT_GPG } from "../support/gpg.ts";
import { connect } from "../support/hosted.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";
import { startServing } from "../support/serve.ts";
import { freePort } from "../support/sshd.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

test("a person who came in encrypted is in no file once erased, and neither is what they came in", {
  skip: WITHOUT_GPG || onlyInCheckOnDeno,
  timeout: 120_000,
}, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "muster-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const data = join(dir, "data"), temporary = join(dir, "tmp"), sftpPort = await freePort();
  mkdirSync(temporary);
  const token = createTokenText();
  const { all, word, row } = createWords();
  /** Words in what is never opened, which should be nowhere from the beginning. */
  const shut = createWords();
  /** Pieces of every file that was encrypted, and of what is stored of those that go. */
  const pieces: string[][] = [];
  const hub = await startServing({
    MUSTER_DATA_DIR: data,
    MUSTER_ADMIN_TOKEN: token,
    MUSTER_SFTP_PORT: String(sftpPort),
    TMPDIR: temporary,
  });
  t.after(() => hub.stop("SIGKILL"));
  const ask = createClient(hub.url, token);
  const gpg = createGpg();
  try {
    const keys = new Map<string, string>();
    const make = async (slug: string, more: object = {}) => {
      const json = { name: slug, slug, connector: "csv-upload", policy: { coverage: "diff" }, ...more };
      const { id } = await ask("/v1/connections", { json });
      const key = await ask(`/v1/connections/${slug}/pgp-keys`, { json: { type: "ecc" } });
      gpg.importKey(key.public_key);
      keys.set(slug, key.fingerprint);
      return id as string;
    };
    const encrypt = (slug: string, text: string, more: readonly string[] = []) => {
      const bytes = gpg.encrypt(text, [keys.get(slug) ?? slug], more);
      pieces.push(piecesOf(bytes));
      return bytes;
    };
    const drop = async (slug: string, bytes: Uint8Array<ArrayBuffer>, name = `${word()}.csv.pgp`) => {
      const type = "application/octet-stream";
      return await ask(`/v1/connections/${slug}/drops?name=${name}`, { body: bytes, type });
    };
    const upload = async (slug: string, parts: readonly Uint8Array<ArrayBuffer>[]) => {
      const { upload } = await ask(`/v1/connections/${slug}/uploads`, { json: { name: `${word()}.csv.pgp` } });
      for (const [i, body] of parts.entries()) {
        await ask(`/v1/uploads/${upload.id}/parts/${i + 1}`, { method: "PUT", body });
      }
      return `/v1/uploads/${upload.id}`;
    };

    // Over SFTP, first, as it takes a while: taken, with a report; never taken, for its name; and half of one.
    const drops = await make("drops", {
      connector: "sftp-drop",
      settings: { mode: "hosted", patterns: ["*.csv.pgp"] },
    });
    await ask(`/v1/connections/drops/pgp-keys`, { json: { public_key: gpg.makeKey("Cy Hr <hr@acme.test>") } });
    const login = await ask(`/v1/connections/drops/sftp-login`, { json: { method: "password" } });
    const session = () => connect({ port: sftpPort }, login.username, { password: login.password });
    const { client, sftp } = await session();
    const taken = encrypt("drops", csv(row({ day: word() })));
    await put(sftp, `${word()}.csv.pgp`, taken);
    await put(sftp, `${word()}.notes.pgp`, encrypt("drops", csv(shut.row())));
    await put(sftp, `${word()}.csv.pgp`, encrypt("drops", csv(shut.row())).slice(0, -20), false);

    // Binary, with a row in error and another's row that names them; armored; and in parts.
    await make("people");
    const bad = csv(row({ day: word() }), OTHER, `cy@acme.test,B3,Cy,Cole,x,y,${word()} ${EMAIL}`);
    const { run } = await drop("people", encrypt("people", bad));
    assert.equal(run.status, "succeeded");
    await drop("people", encrypt("people", csv(row()), ["--armor"]), "people.csv.asc");
    const line = { email: EMAIL, employee_id: ID, first_name: word(), last_name: word() };
    await drop("people", encrypt("people", `${JSON.stringify(line)}\n`, ["--compress-algo", "none"]), "a.ndjson.gpg");
    const whole = encrypt("people", csv(row()));
    await ask(`${await upload("people", [whole.slice(0, 100), whole.slice(100)])}/seal`, { json: {} });
    // To connections that know nobody of the name: half of an upload, what no key opens, and one that names them in passing.
    await make("strangers");
    await upload("strangers", [encrypt("strangers", csv(shut.row())).slice(0, -20)]);
    gpg.makeKey("Eve <eve@acme.test>");
    await make("locked");
    const locked = await drop("locked", encrypt("eve@acme.test", csv(shut.row())));
    assert.equal(locked.run.error.code, "decryption_failed");
    await make("naming");
    const named = `${HEADER},manager_email\ndi@acme.test,B4,Di,Dorn,,,,${EMAIL}\n`;
    const naming = await drop("naming", encrypt("naming", named));
    assert.equal(naming.run.status, "succeeded");
    // And one that stays: it is about others.
    await make("others");
    const bytes = encrypt("others", csv("ed@acme.test,B5,Ed,Eck,,,"));
    pieces.pop();
    const others = await drop("others", bytes, "others.csv.pgp");
    assert.equal(others.run.status, "succeeded");

    // The report is encrypted, too.
    const tree = join(data, "sftp", drops);
    const lie = (folder: string) => readdirSync(join(tree, folder));
    await until("the report is there", () => lie("reports"), (names) => names.length > 0, 60_000);
    assert.ok(lie("reports")[0]!.endsWith(".failures.csv.pgp"));
    client.end();
    // Left for a while, as far as can be told.
    const old = new Date(Date.now() - 3_600_000);
    for (const name of lie("drops")) utimesSync(join(tree, "drops", name), old, old);

    // Every word, and every file as it was encrypted, really is somewhere: what is gone afterwards was there before.
    const stored = readPacked(join(data, "muster.db"));
    const packed = stored.filter(({ drop }) => drop !== decodeId("drp", others.drop.id));
    assert.equal(packed.length, stored.length - 1);
    for (const { body } of packed) pieces.push(piecesOf(body));
    const before = read(data);
    assert.deepEqual(all.filter((each) => held(before, [each]).length === 0), []);
    assert.deepEqual(held(before, shut.all.filter((each) => !all.includes(each))), []);
    // An armored one is text, of which a packed piece says nothing: it is found unpacked.
    for (const [i, each] of pieces.entries()) assert.ok(held(before, each).length > 0, `${i} is stored nowhere`);

    const person = await personOf(ask);
    const answer = await ask(`/v1/users/${person.id}/erase`, { json: {} });
    assert.ok(answer.erasure.pending.some(({ what }: Json) => what === "sftp_files"), JSON.stringify(answer.erasure));
    assert.ok(answer.erasure.erased.uploads >= 1 && answer.erasure.erased.drops >= 7, JSON.stringify(answer.erasure));
    const { pending, left } = await erased(ask, person.id);
    assert.deepEqual(pending, []);
    assert.deepEqual(left.map(({ what }: Json) => what), ["backups", "sent"]);
    for (const { drop } of [{ drop: run.drop }, locked, naming]) {
      await assert.rejects(ask(`/v1/drops/${drop.id}`), /404/);
      await assert.rejects(ask(`/v1/drops/${drop.id}/content`), /404/);
    }
    assert.equal((await ask(`/v1/drops/${others.drop.id}`)).id, others.drop.id);

    // The same bytes once more are known, although nothing is left of them.
    const later = await session();
    await put(later.sftp, "again.csv.pgp", taken);
    later.client.end();
    await until("it is not used", () => lie("reports"), ([note]) => note?.endsWith(".not-used.txt") === true, 30_000);
    await until("it is gone", () => lie("drops"), (names) => names.length === 0, 30_000);
    assert.equal(await personOf(ask), undefined);
  } finally {
    gpg.close();
    assert.equal(await hub.stop(), 0);
  }
  const words = [...all, ...shut.all];
  assert.deepEqual(held(read(data), [...words, ...pieces.flat()]), []);
  assert.deepEqual(held(read(temporary), words), []);
  const { out, err } = hub.said();
  assert.deepEqual(held(new Map([["out", out], ["err", err]]), words), []);
});
