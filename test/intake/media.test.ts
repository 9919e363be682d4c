import assert from "node:assert/strict";
import { test } from "node:test";
import { pickReader, readDrop } from "../../src/intake/media.ts";
import type { DropSource } from "../../src/connector.ts";
import { bytesOf, faultOf, OPTIONS, readAll, streamOf, utf16 } from "./bytes.ts";
import { zipOf } from "../support/workbook-parts.ts";

const nothing = new Uint8Array(0);
const UNKNOWN = "application/octet-stream";

function pick(contentType: string, name: string, head: string | Uint8Array = nothing) {
  return pickReader({ contentType, name }, typeof head === "string" ? bytesOf(head) : head);
}

test("a declared type counts more than the name, and the name more than the bytes", () => {
  assert.equal(pick("application/json", "users.csv", "a,b"), "json");
  assert.equal(pick("Text/CSV; charset=utf-8", "users.json", "[]"), "csv");
  assert.equal(pick("application/x-ndjson", "users"), "ndjson");
  assert.equal(pick(UNKNOWN, "users.JSON", "a,b"), "json");
  assert.equal(pick(UNKNOWN, "users.jsonl", "a,b"), "ndjson");
  assert.equal(pick(UNKNOWN, "users.2026-01-31.csv", "[]"), "csv");
  assert.equal(pick(UNKNOWN, "users.json.pgp"), "json");
});

test("types that say nothing are passed over", () => {
  for (const type of ["text/plain", UNKNOWN, "application/vnd.ms-excel", ""]) {
    assert.equal(pick(type, "users.csv", "[]"), "csv");
    assert.equal(pick(type, "users", '[{"a":1}]'), "json");
  }
});

test("the first bytes tell, where nothing else does", () => {
  assert.equal(pick(UNKNOWN, "users", "a,b\n1,2"), "csv");
  assert.equal(pick(UNKNOWN, "users", '\ufeff\n [{"a":1}]'), "json");
  assert.equal(pick(UNKNOWN, "users", '{ "users" : [{"a":1}]}'), "json");
  assert.equal(pick(UNKNOWN, "users", '{"departments":[]}'), "json");
  assert.equal(pick(UNKNOWN, "users", '{"email":"ana@example.com"}\n'), "ndjson");
  assert.equal(pick(UNKNOWN, "users", utf16('[{"a":1}]', false)), "json");
  assert.equal(pick(UNKNOWN, "users", nothing), "csv");
});

test("a drop is read by the reader it needs, whatever its chunks, and as often as asked", async () => {
  const drops: readonly (readonly [string, string])[] = [
    ["users.csv", "a,b\n1,2\n"],
    ["users", '{"users":[{"a":"1","b":"2"}]}'],
    ["users.ndjson", '{"a":"1","b":"2"}\n'],
  ];
  for (const [name, text] of drops) {
    for (const sizes of [[1], [5, 2000], [65_536]]) {
      const drop: DropSource = {
        name,
        contentType: UNKNOWN,
        bytes: text.length,
        open: () => streamOf(bytesOf(text), sizes),
      };
      const reader = (_: unknown, options: typeof OPTIONS, report: Parameters<typeof readDrop>[2]) =>
        readDrop(drop, options, report);
      for (let time = 0; time < 2; time++) {
        const read = await readAll(reader, nothing);
        assert.deepEqual([read.columns, read.cells], [["a", "b"], [["1", "2"]]]);
      }
    }
  }
});

test("a drop's Faults are its reader's", async () => {
  const drop: DropSource = { name: "u.json", contentType: UNKNOWN, bytes: 1, open: () => streamOf(bytesOf("[")) };
  assert.match(await faultOf((_, options, report) => readDrop(drop, options, report), nothing), /^input_incomplete: /);
});

test("leaving a drop in the middle lets go of its stream", async () => {
  let cancelled = false;
  const open = () =>
    new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(bytesOf("a,b\n" + "1,2\n".repeat(1000))),
      cancel: () => {
        cancelled = true;
      },
    });
  const drop: DropSource = { name: "users.csv", contentType: "text/csv", bytes: 1, open };
  for await (const block of readDrop(drop, OPTIONS, { delimiter: null, endsWithLineEnd: false })) {
    assert.ok(block.count > 0);
    break;
  }
  assert.ok(cancelled);
});

function dropOf(name: string, content: string | Uint8Array, contentType = UNKNOWN): DropSource {
  const bytes = typeof content === "string" ? bytesOf(content) : content;
  return { name, contentType, bytes: bytes.length, open: () => streamOf(bytes, [7, 2000]) };
}

const faultOfDrop = (drop: DropSource) => faultOf((_, options, report) => readDrop(drop, options, report), nothing);

test("a web page is named, whatever it is called", async () => {
  const pages = [
    "<!DOCTYPE html>\n<html><body><form>Log in</form></body></html>",
    '\ufeff\r\n<html xmlns:x="urn:schemas-microsoft-com:office:excel"><table><tr><td>employee_id</td></tr></table>',
    "<!-- saved from an export -->\n<table border=1><tr><th>employee_id</th></tr></table>",
    '<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0"><html></html>',
    utf16("<table><tr><td>email</td></tr></table>", false),
  ];
  for (const page of pages) {
    for (
      const [name, type] of [["people.csv", UNKNOWN], ["people.xls", UNKNOWN], ["p.json", UNKNOWN], ["p", "text/csv"]]
    ) {
      assert.match(
        await faultOfDrop(dropOf(name!, page, type)),
        /^encoding_invalid: The file is a web page \(HTML\): if it shows a table, open it in a spreadsheet/,
      );
    }
  }
});

test("XML, a workbook of Excel 2003 and a text document are named", async () => {
  const xml = await faultOfDrop(dropOf("people.csv", '<?xml version="1.0"?>\n<people><person/></people>'));
  assert.equal(xml, "encoding_invalid: The file is XML: export it as CSV, JSON or .xlsx");
  assert.equal(await faultOfDrop(dropOf("p.csv", "<people>\n <person/>")), xml);
  assert.match(
    await faultOfDrop(dropOf("people.xls", '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>')),
    /^encoding_invalid: The file is a workbook of Excel 2003 \(XML\): open it and save it as \.xlsx or CSV$/,
  );
  assert.match(await faultOfDrop(dropOf("people.csv", "{\\rtf1\\ansi people}")), /is a text document \(RTF\)/);
});

test("JSON under the name or type of CSV is named, and not read", async () => {
  const texts = ['[{"email":"ana@example.com"}]', '\n{ "users": [] }', "[]", '{"email":"ana@example.com"}\n'];
  for (const text of texts) {
    for (const drop of [dropOf("users.csv", text), dropOf("users", text, "text/csv; charset=utf-8")]) {
      assert.match(
        await faultOfDrop(drop),
        /^encoding_invalid: The file is JSON, although its name or media type says CSV: send it with a name that ends in /,
      );
    }
  }
});

test("a table whose header has brackets or braces is read", async () => {
  const read = async (text: string) => {
    const drop = dropOf("users.csv", text);
    return (await readAll((_, options, report) => readDrop(drop, options, report), nothing)).columns;
  };
  assert.deepEqual(await read("<id>,<email>\n1,2\n"), ["<id>", "<email>"]);
  assert.deepEqual(await read("[id],{email}\n1,2\n"), ["[id]", "{email}"]);
  assert.deepEqual(await read("{id,b\n1,2\n"), ["{id", "b"]);
});

test("a refused drop lets go of its stream", async () => {
  let cancelled = false;
  const open = () =>
    new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(bytesOf("<html>".repeat(400))),
      cancel: () => {
        cancelled = true;
      },
    });
  assert.match(await faultOfDrop({ name: "users.csv", contentType: UNKNOWN, bytes: 1, open }), /a web page/);
  assert.ok(cancelled);
});

test("documents in archives are named", async () => {
  const documents = [
    [{ "word/document.xml": "<w/>", "[Content_Types].xml": "<Types/>" }, "a document of Word"],
    [{ "ppt/presentation.xml": "<p/>", "[Content_Types].xml": "<Types/>" }, "a presentation of PowerPoint"],
    [{ "Index/Document.iwa": "x", "Metadata/Properties.plist": "x" }, "a document of Numbers, Pages or Keynote"],
    [{ mimetype: "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "x" }, "an OpenDocument"],
  ] as const;
  for (const [parts, what] of documents) {
    const fault = await faultOfDrop(dropOf("people.csv", zipOf(parts)));
    assert.equal(fault, `workbook_invalid: The file is ${what}: save it as .xlsx or CSV`);
  }
});
