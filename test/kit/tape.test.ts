/** What a source answered once can be played again in its place. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { exchangeOf, playTape, tape, writeTape } from "../../src/kit/tape.ts";

const folder = mkdtempSync(join(tmpdir(), "muster-tape-"));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, "source.json");

const ask = (body?: string) =>
  new Request("https://api.example.com/people?page=1", {
    method: body === undefined ? "GET" : "POST",
    body,
    headers: { authorization: "Bearer the-key-of-acme" },
  });

test("what was recorded is answered again, by method, URL and body", async () => {
  const bytes = new Uint8Array([0xff, 0, 1]);
  writeTape(file, [
    await exchangeOf(ask(), Response.json([1], { headers: { etag: '"a"', "content-encoding": "gzip" } })),
    await exchangeOf(ask(), new Response(null, { status: 304 })),
    await exchangeOf(ask("{}"), new Response(bytes, { status: 201 })),
  ]);
  const play = playTape(tape(file));
  const first = await play(ask());
  assert.equal(first.headers.get("etag"), '"a"');
  assert.equal(first.headers.get("content-encoding"), null);
  assert.deepEqual(await first.json(), [1]);
  assert.equal((await play(ask())).status, 304);
  assert.equal((await play(ask())).status, 304);
  const posted = await play(ask("{}"));
  assert.deepEqual([posted.status, new Uint8Array(await posted.arrayBuffer())], [201, bytes]);
});

test("a tape holds no credentials of requests", async () => {
  writeTape(file, [await exchangeOf(ask(), Response.json({}))]);
  assert.ok(!readFileSync(file, "utf8").includes("the-key"));
});

test("a request that is not on the tape fails, and so does a file that is no tape", async () => {
  writeTape(file, [await exchangeOf(ask(), Response.json({}))]);
  await assert.rejects(async () => await playTape(tape(file))(ask("else")), /no answer to POST https:/);
  writeFileSync(file, "{}");
  assert.throws(() => tape(file), /is no tape/);
});
