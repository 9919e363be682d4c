import assert from "node:assert/strict";
import { test } from "node:test";
import { readCsv } from "../../src/intake/csv.ts";
import { bytesOf, faultOf, utf16 } from "./bytes.ts";

const ROWS = "a,b\n" + "1,2\n".repeat(10);
const latin1 = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

const REMEDY = 'Save the file as "CSV UTF-8", or set the connection\'s charset to the encoding of the file';

test("bytes that are not UTF-8 name their offset in the file and their line, and how their cell may read", async () => {
  assert.equal(
    await faultOf(readCsv, latin1('a,b\n1,2\nx,"Doe, Jos\xe9"\n')),
    'encoding_invalid: Byte 0xE9 at offset 19, on line 3, is not UTF-8: its cell would read "Doe, José" in windows-1252 ' +
      `or windows-1250, "Doe, JosÈ" in macintosh, "Doe, Josй" in windows-1251. ${REMEDY} @3`,
  );
  assert.match(
    await faultOf(readCsv, latin1("\xef\xbb\xbfa,b\n1,\xed\xa0\x80\n")),
    /^encoding_invalid: Byte 0xED at offset 9, on line 2, is not UTF-8: .* @2$/,
  );
  const far = latin1("a,b\r\n" + "1,2\r\n".repeat(100_000) + "\xc0\xaf,2\r\n");
  assert.match(
    await faultOf(readCsv, far),
    /^encoding_invalid: Byte 0xC0 at offset 500005, on line 100002, is not UTF-8: .* @100002$/,
  );
});

test("half a surrogate pair in UTF-16 fails, and so does half a unit at the end", async () => {
  assert.equal(
    await faultOf(readCsv, utf16("a,b\n\ud800x,2\n", false)),
    'encoding_invalid: Half a character (0xD800) at offset 10, on line 2, is not UTF-16: save the file as "CSV UTF-8" @2',
  );
  assert.equal(
    await faultOf(readCsv, utf16("a,b\nx\udc00,2\n", true), {}, [3]),
    'encoding_invalid: Half a character (0xDC00) at offset 12, on line 2, is not UTF-16: save the file as "CSV UTF-8" @2',
  );
  assert.equal(
    await faultOf(readCsv, utf16("a,b\n1,2\n", false).slice(0, 17)),
    "input_incomplete: The input ends inside a character, at offset 17",
  );
});

test("bytes that the declared encoding leaves open fail", async () => {
  for (const sizes of [[1], [7], [65_536]]) {
    assert.equal(
      await faultOf(readCsv, latin1("a,b\r\n1,2\r\n1,Zo\x81\n"), { charset: "windows-1252" }, sizes),
      'encoding_invalid: Byte 0x81 at offset 14, on line 3, is not windows-1252: its cell would read "ZoÅ" in macintosh, ' +
        `"ZoЃ" in windows-1251. ${REMEDY} @3`,
    );
    assert.match(
      await faultOf(readCsv, latin1("a,b\r\n1,2\r\n1,\x81\n"), { charset: "windows-1252" }, [sizes[0]!, 3]),
      /^encoding_invalid: Byte 0x81 at offset 12, on line 3, /,
    );
    assert.match(
      await faultOf(readCsv, latin1("a,b\n1,\x8e\x52\n1,\x8e\x0a"), { charset: "shift_jis" }, sizes),
      /^encoding_invalid: Byte 0x8E at offset 11, on line 3, is not shift_jis[:.].* @3$/,
    );
    assert.match(
      await faultOf(readCsv, latin1("a,b\n1,x\0\n"), { charset: "windows-1250" }, sizes),
      /^encoding_invalid: Byte 0x00 at offset 7 is not text, it looks like a binary file: .* @2$/,
    );
    assert.equal(
      await faultOf(readCsv, latin1("a,b\n1,2\n1,\x8e"), { charset: "shift_jis" }, sizes),
      "input_incomplete: The input ends inside a character, at offset 11 @3",
    );
  }
  const far = latin1("a,b\n" + `1,${"x".repeat(100_000)}\n`.repeat(3) + `1,${"x".repeat(100_000)}\x81\n`);
  assert.match(
    await faultOf(readCsv, far, { charset: "windows-1252" }),
    /^encoding_invalid: Byte 0x81 at offset 400015, on line 5, is not windows-1252/,
  );
});

test("a PDF and an encrypted message are turned away by name", async () => {
  const fault = (head: string) => faultOf(readCsv, latin1(head + "x".repeat(100)));
  assert.equal(
    await fault("%PDF-1.7"),
    "encoding_invalid: The input looks like a PDF document, from offset 0: send the data as CSV or JSON",
  );
  assert.match(await fault("-----BEGIN PGP MESSAGE-----"), /^encoding_invalid: .* an encrypted message or a key,/);
});

test("a NUL byte fails wherever it is, with its offset and line", async () => {
  assert.equal(
    await faultOf(readCsv, "a,b\n1,\0\n"),
    'encoding_invalid: Byte 0x00 at offset 6 is not text, it looks like a binary file: save the file as "CSV UTF-8" @2',
  );
  assert.match(
    await faultOf(readCsv, ROWS + '1,"x\ny\0"\n', { delimiter: "," }),
    /^encoding_invalid: .* offset 50 .* @13$/,
  );
  assert.match(
    await faultOf(readCsv, utf16("a,b\n1,2\n", false).slice(2)),
    /looks like UTF-16 without a byte order mark: .* set the connection's charset to "utf-16le"/,
  );
  assert.match(
    await faultOf(readCsv, utf16("a\0b\n", false)),
    /^encoding_invalid: Character U\+0000 at offset 4, on line 1, is not text/,
  );
});

test("text after a closing quote names the line where the quote opened", async () => {
  assert.equal(
    await faultOf(readCsv, ROWS + '1,"x\ny" z\n'),
    "quote_invalid: The quoted cell that opens on line 12 is broken: there is text after its closing quote; " +
      "a quote inside a quoted cell should be doubled @12",
  );
  assert.match(await faultOf(readCsv, 'a,b\n1, "x" \u00a0z\n'), /^quote_invalid: .* opens on line 2 is broken: .* @2$/);
  assert.match(await faultOf(readCsv, '"a"b,c\n1,2\n'), /^quote_invalid: The quoted cell that opens on line 1 .* @1$/);
});

test("two stray quotes far apart fail, and swallow no rows", async () => {
  const text = 'a,b\n1,2\n3,"5 inch\n' + "1,2\n".repeat(200) + '4,"6 inch\n' + "1,2\n".repeat(10);
  assert.equal(
    await faultOf(readCsv, text),
    "quote_invalid: The quoted cell that opens on line 3 is broken: it goes on for over 20 lines; " +
      "a quote inside a quoted cell should be doubled @3",
  );
});

test("a quoted cell over 64 KiB fails, and one of exactly that size does not", async () => {
  assert.match(
    await faultOf(readCsv, `a,b\n1,"${"x".repeat(65_537)}"\n`),
    /^quote_invalid: The quoted cell that opens on line 2 is broken: it goes on for over 64 KiB; .* @2$/,
  );
  assert.equal(await faultOf(readCsv, `a,b\n1,"${"x".repeat(65_536)}"\n`), "read without a Fault");
  const twenty = "x\n".repeat(20);
  assert.equal(await faultOf(readCsv, `a,b\n1,"${twenty}"\n`), "read without a Fault");
  assert.match(await faultOf(readCsv, `a,b\n1,"${twenty}\n"\n`), /^quote_invalid/);
});

test("an input that ends inside quotes is incomplete", async () => {
  assert.equal(
    await faultOf(readCsv, ROWS + '1,"x\ny'),
    "input_incomplete: The input ends inside the quoted cell that opens on line 12: send the whole file @12",
  );
});

test("an input that ends in the middle of its last row is incomplete", async () => {
  assert.equal(
    await faultOf(readCsv, "a,b,c\n1,2,3\n1,2"),
    "input_incomplete: The input ends on line 3, after 2 of 3 cells: send the whole file @3",
  );
  assert.equal(await faultOf(readCsv, "a,b,c\n1,2,3\n1,2\n"), "read without a Fault");
  const torn = bytesOf("a,b\n1,2\n1,é").slice(0, -1);
  assert.equal(await faultOf(readCsv, torn), "input_incomplete: The input ends inside a character, at offset 11 @3");
});

test("an empty input says what it should have", async () => {
  for (const text of ["", "\ufeff", "\n\r\n \n"]) {
    assert.equal(
      await faultOf(readCsv, text),
      "input_empty: The input is empty: it should have a header row, and a row for each record",
    );
  }
});

test("a row, a header and an input over their limits name them", async () => {
  assert.equal(
    await faultOf(readCsv, `a,b\n1,2\n1,${"x".repeat(200)}\n`, { maxRowBytes: 100 }),
    "too_large: The row on line 3 is over its limit of 100 bytes @3",
  );
  const wide = Array.from({ length: 10_000 }, (_, i) => `c${i}`).join();
  assert.equal(
    await faultOf(readCsv, `${wide}\n1\n`),
    "too_large: The header has 10000 columns, over the limit of 500 columns",
  );
  assert.equal(
    await faultOf(readCsv, `a,b\n1,2\n${wide}\n`),
    "too_large: The row on line 3 has 10000 cells, over the limit of 500 columns @3",
  );
  assert.equal(
    await faultOf(readCsv, ROWS, { maxBytes: 20 }, [8]),
    "too_large: The input is over its limit of 20 bytes: send it in parts",
  );
});

test("a line without end fails early, and never fills the memory", async () => {
  for (const open of ["a,b\n1,", 'a,b\n1,"']) {
    let sent = 0;
    const chunk = new Uint8Array(65_536).fill(0x78);
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent >= 1024 * 1024 * 1024) return controller.close();
        controller.enqueue(sent === 0 ? bytesOf(open) : chunk);
        sent += chunk.length;
      },
    });
    assert.match(
      await faultOf(readCsv, stream),
      /^(too_large: The row on|quote_invalid: The quoted cell that opens on) line 2/,
    );
    assert.ok(sent < 8 * 1024 * 1024, `${sent} bytes were read`);
  }
});
