import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { findJsonError } from "../../src/intake/json-error.ts";
import { readJson } from "../../src/intake/json.ts";
import { readNdjson } from "../../src/intake/ndjson.ts";
import { bytesOf, faultOf } from "./bytes.ts";

test("JSON that breaks off says where, and how much of it was whole", async () => {
  const whole = '{"users":[{"a":"é"},{"a":"y"}]}';
  for (
    const [cut, records, next] of [
      [1, 0, '"users" or "departments"'],
      [8, 0, '":"'],
      [9, 0, 'an array of records: "["'],
      [10, 0, 'a record, or "]"'],
      [14, 0, 'a record, or "]"'],
      [20, 1, '"," or "]"'],
      [21, 1, "a record"],
      [26, 1, "a record"],
      [31, 2, '"}"'],
    ] as const
  ) {
    assert.equal(
      await faultOf(readJson, bytesOf(whole).slice(0, cut)),
      `input_incomplete: The input ends at byte ${cut}, after ${records} whole records, where ${next} should follow: ` +
        "send the whole file",
    );
  }
  assert.equal(await faultOf(readJson, whole), "read without a Fault");
});

test("an empty input says what it should be", async () => {
  for (const text of ["", " \n", "\ufeff"]) {
    assert.equal(
      await faultOf(readJson, text),
      'input_empty: The input is empty: it should be an array of records, or {"users": […]} or {"departments": […]}',
    );
  }
});

test("malformed JSON names the record, the byte and what is wrong", async () => {
  const cases: readonly (readonly [string, string])[] = [
    [
      '[{"a":1},{"é":1,"b":x}]',
      "Record 2 (at byte 9) is not valid JSON at byte 21: expected a value: a string in double quotes, a number, true, false or null @2",
    ],
    [
      '[{"a":1,}]',
      'Record 1 (at byte 1) is not valid JSON at byte 8: there is a "," before it with nothing after it @1',
    ],
    ["[{'a':1}]", "Record 1 (at byte 1) is not valid JSON at byte 2: expected a key in double quotes @1"],
    ['[{"a" 1}]', 'Record 1 (at byte 1) is not valid JSON at byte 6: expected ":" @1'],
    ['[{"a":1 "b":2}]', 'Record 1 (at byte 1) is not valid JSON at byte 8: expected "," or "}" @1'],
    ['[{"a":[1}]]', 'Record 1 (at byte 1) is not valid JSON at byte 8: expected "," or "]" @1'],
    [
      '[{"a":"\\q"}]',
      "Record 1 (at byte 1) is not valid JSON at byte 6: the string that begins here has an escape that JSON does not know @1",
    ],
    [
      '[{"\\q":1}]',
      "Record 1 (at byte 1) is not valid JSON at byte 3: the key has an escape that JSON does not know @1",
    ],
    [
      '[{"a":"x\ny"}]',
      "Record 1 (at byte 1) is not valid JSON at byte 8: a string goes over the end of its line, or is not closed @1",
    ],
  ];
  for (const [text, message] of cases) assert.equal(await faultOf(readJson, text), `json_invalid: ${message}`, text);
});

test("only an array or an envelope may be around the records", async () => {
  const cases: readonly (readonly [string, string])[] = [
    [
      "hello",
      'Cannot read "h" at byte 0: expected an array of records, or {"users": […]} or {"departments": […]}',
    ],
    ['[{"a":1} {"a":2}]', 'Cannot read "{" at byte 9: expected "," or "]"'],
    ['[{"a":1}] x', 'Cannot read "x" at byte 10: expected the end of the input'],
    ['{"users":{}}', 'Cannot read "{" at byte 9: expected an array of records: "["'],
    [
      '{"mode":"plan","users":[]}',
      'Unknown key "mode" around the records: expected "users" or "departments"',
    ],
    [
      '{"users":[{"a":1}],"mode":"plan"}',
      'Unknown key "mode" around the records: expected "users" or "departments"',
    ],
    [
      '{"users":[],"departments":[]}',
      'The key "departments" is one too many: an input holds either users or departments, once',
    ],
    [
      '{"email":"ana@example.com"}',
      'Unknown key "email" around the records: expected "users" or "departments"',
    ],
  ];
  for (const [text, message] of cases) {
    assert.equal(await faultOf(readJson, text), `json_invalid: ${message}`, text);
    assert.equal(await faultOf(readJson, text, {}, [1]), `json_invalid: ${message}`, text);
  }
});

test("a record that is no object names its position", async () => {
  for (const bad of ["1", '"x"', "null", "[]"]) {
    assert.equal(
      await faultOf(readJson, `[{"a":1},${bad}]`),
      'json_invalid: Record 2 (at byte 9) is not an object: it should be like {"email": "ana@example.com"} @2',
    );
    assert.equal(
      await faultOf(readNdjson, `{"a":1}\n\n${bad}\n`),
      'json_invalid: Record 2 (at byte 9) is not an object: it should be like {"email": "ana@example.com"} @2',
    );
  }
  assert.match(await faultOf(readJson, '[{"a":1},]'), /^json_invalid: Record 2 \(at byte 9\) is missing after a comma/);
});

test("a key that is in a record twice fails: neither value is taken for the right one", async () => {
  for (const text of ['[{"a":1},{"a":1,"b":2,"a":3}]', '[{"a":1},{"a":1,"b":2,"\\u0061":3}]']) {
    assert.equal(
      await faultOf(readJson, text),
      'json_invalid: Record 2 (at byte 9) has the key "a" twice: once is right @2',
    );
  }
  assert.equal(await faultOf(readJson, '[{"a":{"b":1,"b":2},"b":[{"a":1},{"a":1}]}]'), "read without a Fault");
});

test("NDJSON has one record a line", async () => {
  assert.equal(
    await faultOf(readNdjson, '{"a":1}\n{"a":\n2}\n'),
    "json_invalid: Record 2 (at byte 8) is not valid JSON at byte 13: the line ends inside it, but a record should be on one line @2",
  );
  assert.equal(
    await faultOf(readNdjson, '{"a":1}{"a":2}\n'),
    "json_invalid: Record 1 shares its line with what is at byte 7, but should be alone on it @1",
  );
  assert.equal(
    await faultOf(readNdjson, '{"a":1}\n{"a":"x'),
    "input_incomplete: The input ends at byte 15, inside Record 2 (at byte 8): send the whole file @2",
  );
});

test("half a character fails, as bytes and as an escape", async () => {
  const bytes = bytesOf('[{"a":"x"},{"a":"é"}]').filter((byte) => byte !== 0xa9);
  assert.match(await faultOf(readJson, bytes), /^encoding_invalid: Byte 0xC3 at offset 17 is not UTF-8: .* @2$/);
  assert.equal(
    await faultOf(readJson, '[{"a":"\\ud83d\\ude00"},{"a":"\\ud83d!"}]'),
    'json_invalid: Record 2 (at byte 22) has half a character in "a": both \\u escapes are needed @2',
  );
});

test("a binary file is turned away, and so is UTF-16 without its mark", async () => {
  assert.match(await faultOf(readJson, "%PDF-1.7 and so on"), /^encoding_invalid: The input looks like a PDF document/);
  assert.match(
    await faultOf(readJson, "[\0{\0"),
    /^encoding_invalid: Byte 0x00 at offset 1 is not text, it looks like UTF-16/,
  );
});

test("a record and its keys have limits", async () => {
  const long = `[{"a":1},{"a":"${"x".repeat(200)}"}]`;
  assert.equal(
    await faultOf(readJson, long, { maxRowBytes: 100 }),
    "too_large: Record 2 (at byte 9) is over its limit of 100 bytes @2",
  );
  const many = Array.from({ length: 501 }, (_, i) => `{"k${i}":1}`);
  const message = /^too_large: Record 501 \(at byte \d+\) brings the columns over their limit of 500 @501$/;
  assert.match(await faultOf(readJson, `[${many.join()}]`), message);
  assert.match(await faultOf(readNdjson, many.join("\n")), message);
});

test("a record without end fails early, and never fills the memory", async () => {
  for (
    const [reader, open, fault] of [
      [readJson, '[{"a":"', /^too_large: Record 1 /],
      [readNdjson, '{"a":"', /^too_large: Record 1 /],
      [readJson, '{"users', /^json_invalid: Cannot read """ at byte 1/],
      [readJson, '{"users":[], ', /^json_invalid: Cannot read "," at byte 11/],
    ] as const
  ) {
    let sent = 0;
    const chunk = new Uint8Array(65_536).fill(0x78);
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent >= 1024 * 1024 * 1024) return controller.close();
        controller.enqueue(sent === 0 ? bytesOf(open) : chunk);
        sent += chunk.length;
      },
    });
    assert.match(await faultOf(reader, stream), fault);
    assert.ok(sent < 8 * 1024 * 1024, `${sent} bytes were read`);
  }
});

test("an error is found exactly where there is one", () => {
  const text = fc.oneof(
    fc.json(),
    fc.tuple(fc.json(), fc.nat(), fc.constantFrom("", ",", "}", "]", '"', "x", "1", "\\", "\n", ":")).map(
      ([json, at, put]) => {
        const i = at % (json.length + 1);
        return json.slice(0, i) + put + json.slice(i + (put === "" ? 1 : 0));
      },
    ),
  );
  const parses = (candidate: string) => {
    try {
      JSON.parse(candidate);
      return true;
    } catch {
      return false;
    }
  };
  fc.assert(fc.property(text, (candidate) => assert.equal(findJsonError(candidate) === null, parses(candidate))), {
    numRuns: 2000,
  });
});

test("a record with more levels than anybody's data has is refused, by both formats, before it is parsed", async () => {
  const nested = (depth: number) => `{"email":"a@example.com","x":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
  for (const read of [readJson, readNdjson]) {
    const wrap = (text: string) => read === readJson ? `[${text}]` : `${text}\n`;
    assert.equal(await faultOf(read, wrap(nested(32))), "read without a Fault");
    for (const depth of [33, 100_000]) {
      assert.match(await faultOf(read, wrap(nested(depth))), /^json_invalid: Record 1 .*more than 32 levels/);
    }
  }
});

test("an error behind a string of many megabytes is still found", () => {
  const text = `{"a":"${"a".repeat(32_000_000)}", bad}`;
  assert.deepEqual(findJsonError(text), { at: 32_000_009, what: "expected a key in double quotes" });
});
