import assert from "node:assert/strict";
import { test } from "node:test";
import { pickReader, readDrop } from "../../src/intake/media.ts";
import type { DropSource } from "../../src/connector.ts";
import { bytesOf, faultOf, OPTIONS, readAll, streamOf, utf16 } from "./bytes.ts";

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
