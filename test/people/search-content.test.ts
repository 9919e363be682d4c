import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { searchContent } from "../../src/people/search-content.ts";
import { createTraces } from "../../src/people/traces.ts";

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

test("a packed file that unpacks to far more than people's data, or to another packed one, is not read to its end", async () => {
  const bomb = gzipSync(Buffer.alloc(256 * 1024 * 1024, "x"));
  let looked = 0;
  const isInText = (text: string) => {
    looked += text.length;
    return false;
  };
  assert.equal(await searchContent(streamOf(bomb, 64 * 1024), isInText), "unreadable");
  assert.ok(looked < 200e6, `${looked} characters`);
  assert.equal(await search(gzipSync(gzipSync("zoë@acme.test"))), "unreadable");
  // As much alike as people's data may be.
  const rows = "employee_id,first_name,last_name\n".repeat(300_000);
  assert.equal(await search(gzipSync(`${rows}zoë@acme.test`), 64 * 1024), "found");
});

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
