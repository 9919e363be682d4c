/** CSV files as programs and people write them: they are read as they are meant, or refused with what to do. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { sql } from "drizzle-orm";
import { csv, HEADER, type Importing, importing, said } from "../support/imports.ts";

const bytes = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const ANA = "E1,ana@acme.test,Jos\xe9,Novak";
const FILE = bytes(csv(HEADER, ANA));

async function firstName({ people }: Importing): Promise<string | null> {
  return (await people())[0]?.first_name ?? null;
}

async function put(world: Importing, query: string, type: string, body: BodyInit = FILE) {
  const headers = type === "" ? {} : { "content-type": type };
  const answer = await world.ask(`/v1/connections/csv/drops${query}`, { body, headers } as never);
  const json = await answer.json();
  await world.carry();
  return { status: answer.status, json, run: answer.status === 202 ? await world.run(json.run.id) : null };
}

test("a file with a first line sep=;, spaces before its quotes and a Ctrl-Z is read as it is meant", () =>
  importing(async (world) => {
    const file = '\ufeffsep=;\r\n"employee_id"; "email" ; "first_name"; "last_name"\r\n"E1"; "ana@acme.test"; "Ana"; ' +
      '"Novak; Dr."\r\n;\u00a0; \t;\r\nE2;bo;Bo;Berg\r\n\x1a';
    const run = await world.import(file);
    assert.deepEqual([run.counts.created, run.counts.failed], [1, 1]);
    assert.deepEqual(run.issues.map(({ code, line }) => [code, line])[0], ["email_invalid", 5]);
    const ana = await world.person("E1");
    assert.deepEqual([ana.first_name, ana.last_name], ["Ana", "Novak; Dr."]);
  }));

test("a report's title above the header: the run names the line, and with skip_lines the file is read", () =>
  importing(async (world) => {
    const file = csv(
      "Active Employee Report,,,",
      "Run date: 2026-11-01,,,",
      ",,,",
      HEADER,
      "E1,ana@acme.test,Ana,N",
      "E2",
    );
    const refused = await world.import(file);
    assert.deepEqual([refused.status, refused.error?.code], ["failed", "header_missing"]);
    assert.match(refused.error!.message, /line 4 looks like it: set the connection's skip_lines to 3/);

    await world.set("csv", { settings: { skip_lines: 3 } });
    const run = await world.import(file);
    assert.equal(run.counts.created, 1);
    assert.equal(run.issues[0]?.line, 6);

    // The report of its failures begins with the header, and can be sent again all the same.
    const report = await world.failures(run);
    assert.match(report, /^\ufeff?employee_id,/);
    const again = await world.import(report.replace(/^E2,*/m, "E2,bo@acme.test,Bo,Berg,"));
    assert.deepEqual([again.status, again.error], ["succeeded", null]);
    assert.equal((await world.person("E2")).first_name, "Bo");
  }));

test("a total, or a remark, below the rows is called that, in any column and without the other cells", () =>
  importing(async (world) => {
    const rows = ["1,ana@acme.test,Ana,Novak,", "2,bo@acme.test,Bo,Lind,"];
    for (const end of ["Total: 2,,,,", ",,,Grand Total,2", "Summe,2", "2 records,,,,", "End of report"]) {
      const run = await world.import(csv(`${HEADER},title`, ...rows, end), { name: `${end}.csv` });
      assert.deepEqual(said(run), ["4 row_is_total"], end);
      assert.match(run.issues[0]!.message, /it seems to be a total or a remark below the people/);
    }
    const people = await world.import(csv(`${HEADER},title`, ...rows, "3,total@acme.test,Sum,Total,"));
    assert.deepEqual([said(people), people.counts.created], [[], 1]);
  }));

test("files over SFTP have the same settings", () =>
  importing(async (world) => {
    const settings = { charset: "macintosh", skip_lines: 1 };
    await world.connect("sftp", { connector: "sftp-drop", settings });
    const run = await world.import(bytes(`Report\n${csv(HEADER, "E1,ana@acme.test,Zo\x91,Novak")}`), {
      connection: "sftp",
    });
    assert.equal(run.counts.created, 1);
    assert.equal(await firstName(world), "Zoë");
  }));

test("skip_lines is a number from 0 to 100", () =>
  importing(async (world) => {
    for (const skip_lines of [-1, 101, 1.5, "3"]) {
      const answer = await world.ask("/v1/connections/csv", { method: "PATCH", json: { settings: { skip_lines } } });
      assert.equal(answer.status, 400);
    }
  }));

test("bytes that are not UTF-8 are refused with how they may read, and read once the encoding is declared", () =>
  importing(async (world) => {
    const refused = await world.import(FILE);
    assert.deepEqual([refused.status, refused.error?.code], ["failed", "encoding_invalid"]);
    assert.match(refused.error!.message, /on line 2, .*"José" in windows-1252 or windows-1250, "JosÈ" in macintosh/);
    assert.match(refused.error!.message, /set the connection's charset/);

    await world.set("csv", { settings: { charset: "windows-1252" } });
    await world.import(FILE);
    assert.equal(await firstName(world), "José");
    assert.equal((await put(world, "", "text/csv; charset=utf-8")).run?.error?.code, "encoding_invalid");
  }));

test("an encoding that the request declares counts more than the connection's: as a parameter, then by its type", () =>
  importing(async (world) => {
    await world.set("csv", { settings: { charset: "windows-1252" } });
    const form = (type: string) => {
      const data = new FormData();
      data.append("file", new Blob([FILE], { type }), "people.csv");
      return data;
    };
    const ways: readonly (readonly [string, string, BodyInit, string])[] = [
      ["", "text/csv", FILE, "José"],
      ["", 'text/csv; charset="Macintosh"', FILE, "JosÈ"],
      ["?charset=cp1251", "text/csv; charset=macintosh", FILE, "Josй"],
      ["?charset=windows-1252", "application/octet-stream", FILE, "José"],
      ["", "", form("text/csv;charset=macintosh"), "JosÈ"],
      ["?charset=koi8-r", "", form("text/csv"), "JosИ"],
    ];
    for (const [query, type, body, name] of ways) {
      const { status, json } = await put(world, query, type, body);
      assert.equal(status, 202, JSON.stringify(json));
      assert.equal(await firstName(world), name);
    }
    const { json } = await put(world, "?charset=latin1", "text/csv");
    assert.equal(json.drop.content_type, "text/csv; charset=windows-1252");
    const content = await world.ask(`/v1/drops/${json.drop.id}/content`);
    assert.equal(content.headers.get("content-type"), "text/csv; charset=windows-1252");
  }));

test("an upload in parts declares its encoding when it is opened", () =>
  importing(async (world) => {
    const { status, body } = await world.post("/v1/connections/csv/uploads", {
      name: "p.csv",
      charset: "windows-1250",
    });
    assert.equal(status, 201);
    const part = await world.ask(`/v1/uploads/${body.upload.id}/parts/1`, { method: "PUT", body: FILE });
    assert.equal(part.status, 204);
    await world.post(`/v1/uploads/${body.upload.id}/seal`, {});
    await world.carry();
    assert.equal(await firstName(world), "José");
    const refused = await world.post("/v1/connections/csv/uploads", { name: "p.csv", charset: "klingon" });
    assert.deepEqual([refused.status, refused.body.errors[0].pointer], [400, "/charset"]);
  }));

test("the same bytes in another encoding are another input, and in the same one they are skipped", () =>
  importing(async (world) => {
    const wrong = await put(world, "?charset=macintosh", "text/csv");
    assert.equal(wrong.run?.status, "succeeded");
    assert.equal((await put(world, "?charset=macintosh", "text/csv")).run?.status, "skipped");
    const right = await put(world, "?charset=windows-1252", "text/csv");
    assert.deepEqual([right.run?.status, right.run?.counts.updated], ["succeeded", 1]);
    assert.equal(await firstName(world), "José");
  }));

test("an encoding that is unknown is refused by its name, with those that are common", () =>
  importing(async (world) => {
    const problem =
      /"klingon" is not an encoding that this hub can read; common ones are utf-8, .*windows-1252, .*big5/;
    const json = { settings: { charset: "klingon" } };
    const answer = await world.ask("/v1/connections/csv", { method: "PATCH", json });
    assert.equal(answer.status, 400);
    const { errors } = await answer.json();
    assert.equal(errors[0].pointer, "/settings/charset");
    assert.match(errors[0].detail, problem);
    const query = await put(world, "?charset=klingon", "text/csv");
    assert.deepEqual([query.status, query.json.errors[0].pointer], [400, "?charset"]);
    assert.match(query.json.errors[0].detail, problem);
    const type = await put(world, "", "text/csv; charset=klingon");
    assert.equal(type.status, 415);
    assert.match(type.json.detail, problem);
    // JSON is UTF-8, whatever its type adds.
    const users = JSON.stringify([{ employee_id: "E1", email: "ana@acme.test", first_name: "José", last_name: "N" }]);
    await put(world, "", "application/json; charset=iso-8859-1", users);
    assert.equal(await firstName(world), "José");
  }));

test("a connection whose settings had an encoding has the same charset after the upgrade", () =>
  importing(async (world) => {
    await world.connect("old");
    const folder = new URL("../../migrations/", import.meta.url);
    const file = readdirSync(folder).find((name) => name.endsWith("_charset_setting.sql"))!;
    const migrate = async (settings: object) => {
      const { orm } = world.hub.db;
      await world.hub.db.write([
        orm.run(sql`update connections set settings = ${JSON.stringify(settings)} where slug = 'old'`),
        orm.run(sql.raw(readFileSync(new URL(file, folder), "utf8"))),
      ] as never);
      return (await (await world.ask("/v1/connections/old")).json()).settings;
    };
    assert.deepEqual(await migrate({ encoding: "windows-1252", delimiter: ";" }), {
      delimiter: ";",
      charset: "windows-1252",
    });
    assert.deepEqual(await migrate({ encoding: "auto", delimiter: ";" }), { delimiter: ";" });
    assert.deepEqual(await migrate({ charset: "big5" }), { charset: "big5" });
  }));

test("a web page under a CSV's name fails the run with what it is", () =>
  importing(async (world) => {
    const run = await world.import("<!doctype html><html><form>Log in</form></html>");
    assert.equal(run.error?.code, "encoding_invalid");
    assert.match(run.error!.message, /^The file is a web page \(HTML\): .*log-in/);
  }));
