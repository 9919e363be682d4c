import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { searchContent } from "../../src/people/search-content.ts";
import { createTraces } from "../../src/people/traces.ts";
import { textRow, workbookOf } from "../support/workbook-parts.ts";
import { onlyInCheck } from "../support/rounds.ts";

const traces = createTraces();
traces.add({
  email: "zoë@acme.test",
  employee_id: "E-4711",
  first_name: "Zoë",
  last_name: "Brandt",
  phone: "+49 151 2345678",
});

/** In pieces of so many bytes. */
function streamOf(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at += size));
    },
  });
}

const search = (bytes: Uint8Array, size = 7) => searchContent(streamOf(bytes, size), traces.isInText);
const utf8 = (text: string) => new TextEncoder().encode(text);
const utf16 = (text: string) => new Uint8Array(Buffer.from(`\ufeff${text}`, "utf16le"));

test("a person is found in text of every encoding, packed or not, at whatever border it is cut", async () => {
  const text = `name;mail\nAnybody;any@acme.test\nx;ZOË@Acme.test\n`;
  const files = [
    utf8(text),
    utf16(text),
    utf16(text).slice(2),
    new Uint8Array(Buffer.from(text, "latin1")),
    gzipSync(text),
    utf8(`[{"mail":"zo\\u00CB@acme.test"}]`),
  ];
  for (const [i, file] of files.entries()) {
    for (const size of [1, 7, 4096]) assert.equal(await search(file, size), "found", `${i} ${size}`);
  }
});

test("a person is found in the encoding that was declared for the text", async () => {
  const text = Uint8Array.of(...utf8("name;mail\n"), 0x5a, 0x6f, 0x91, ...utf8(",Brandt\n"));
  const inMacintosh = (size: number) =>
    searchContent(streamOf(text, size), traces.isInText, undefined, { charset: "macintosh" });
  assert.equal(await search(text), "not_found");
  for (const size of [1, 7, 4096]) assert.equal(await inMacintosh(size), "found", `${size}`);
});

test("an id, a phone number however it is written, and both names in one row tell a person", async () => {
  for (
    const text of ["a,E-4711,b", "0,+49 (151) 234-5678", "Brandt;Zoë;Lead", '{"first":"Zoë","x":1,"last":"Brandt"}']
  ) {
    assert.equal(await search(utf8(text)), "found", text);
  }
  for (const text of ["a,E-47112,b", "Zoë,Miller\n", "Brandtner,Zoë", "", "e-mail,id\n"]) {
    assert.equal(await search(utf8(text)), "not_found", text);
  }
  assert.equal(await search(utf8(`Zoë,Miller${"\nAna,Example".repeat(100)}\nLee,Brandt`)), "not_found");
});

test(
  "a packed file that unpacks to far more than people's data, or is packed again and again, is not read to its end",
  { skip: onlyInCheck },
  async () => {
    const bomb = gzipSync(Buffer.alloc(256 * 1024 * 1024, "x"));
    let looked = 0;
    const isInText = (text: string) => {
      looked += text.length;
      return false;
    };
    assert.equal(await searchContent(streamOf(bomb, 64 * 1024), isInText), "unreadable");
    assert.ok(looked < 200e6, `${looked} characters`);
    assert.equal(await search(gzipSync(gzipSync("zoë@acme.test"))), "found");
    assert.equal(await search(gzipSync(gzipSync(gzipSync("zoë@acme.test")))), "unreadable");
    // As much alike as people's data may be.
    const rows = "employee_id,first_name,last_name\n".repeat(300_000);
    assert.equal(await search(gzipSync(`${rows}zoë@acme.test`), 64 * 1024), "found");
  },
);

test("what is no text says so, instead of passing for a file without them", async () => {
  const noise = crypto.getRandomValues(new Uint8Array(2000));
  noise[0] = 0x85;
  const sealed = utf8("-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n");
  const archive = utf8("PK\u0003\u0004 zoë@acme.test");
  for (const file of [noise, sealed, archive]) assert.equal(await search(file, 4096), "unreadable");
  const half = gzipSync("x".repeat(10_000)).subarray(0, 20);
  assert.equal(await search(half), "unreadable");
});

test("what looks like no text and was read as people's data is searched anyway, and is never reported to be without them", async () => {
  const search = (text: string) => searchContent(streamOf(utf8(text), 7), traces.isInText, undefined, { anyway: true });
  assert.equal(await search("name,mail\nBo\u0001,zoë@acme.test\n"), "found");
  assert.equal(await search("name,mail\nBo\u0001,any@acme.test\n"), "unreadable");
  assert.equal(await search("name,mail\nBo,any@acme.test\n"), "not_found");
});

test("a person is found in a workbook: in any sheet, as a number, in a text of several runs, in a comment", async () => {
  const sheet = (cells: string, more: Partial<Parameters<typeof workbookOf>[0]> = {}) =>
    workbookOf({ sheets: { People: textRow("id", "name"), Old: `<row>${cells}</row>` }, hidden: ["Old"], ...more });
  const numbered = createTraces();
  numbered.add({ employee_id: "000815", email: "no@acme.test" });
  const found = [
    sheet('<c t="inlineStr"><is><t>zoë@acme.test</t></is></c>'),
    sheet('<c t="s"><v>0</v></c>', { strings: "<si><r><t>zoë@</t></r><r><t>acme.test</t></r></si>" }),
    sheet("<c><v>1</v></c>", { more: { "xl/comments1.xml": "<comments><t>ask zoë@acme.test</t></comments>" } }),
    zipSync({ "people.xlsx": sheet('<c t="inlineStr"><is><t>zoë@acme.test</t></is></c>') }),
    zipSync({ "a.txt": utf8("nobody"), "people.csv": utf8("mail\nzoë@acme.test\n") }),
  ];
  for (const [i, file] of found.entries()) assert.equal(await search(file, 4096), "found", String(i));
  const padded = sheet('<c s="1"><v>815</v></c>', { formats: ["000000"] });
  assert.equal(await searchContent(streamOf(padded, 4096), numbered.isInText), "found");
  assert.equal(await search(sheet('<c t="inlineStr"><is><t>any@acme.test</t></is></c>'), 4096), "not_found");
  assert.equal(await search(zipSync({ "people.csv": utf8("mail\nany@acme.test\n") }), 4096), "not_found");
});
