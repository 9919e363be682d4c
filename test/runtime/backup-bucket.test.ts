/** A bucket as a place for backups, on a store that checks signatures and misbehaves. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { createBucketPlace } from "../../src/runtime/backups/bucket.ts";
import type { BackupPlace } from "../../src/runtime/backups/place.ts";
import type { StoreLimits } from "../../src/runtime/backups/s3-requests.ts";
import { DAY_MS } from "../../src/std/time.ts";
import { type FakeS3, KEY, type Misbehaviour, type Operation, startS3 } from "../support/fake-s3.ts";
import { readAuthorization, sha256, signatureOf } from "../support/sigv4.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";

const QUICK: StoreLimits = { answerMs: 5_000, partMs: 5_000, pausesMs: [1, 1] };
const PART = 5 * 1024 ** 2;
const HUB = "0123456789abcdef0123456789abcdef", OTHER = "f".repeat(32);
const NAME = `${HUB}/muster-20260301T020000Z.backup`;
const NEVER = new AbortController().signal;

interface World {
  readonly store: FakeS3;
  readonly place: BackupPlace;
  readonly dir: string;
  readonly file: string;
  readonly content: Buffer;
}

/** `bytes`: of the file, which is one part by default. */
async function withStore(
  work: (world: World) => Promise<void>,
  { bytes = 3000, limits = QUICK }: { bytes?: number; limits?: StoreLimits } = {},
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "muster-"));
  const store = await startS3();
  try {
    const file = join(dir, "a.backup"), content = randomBytes(bytes);
    await writeFile(file, content);
    await work({ store, place: createBucketPlace(store.settings, { limits, partBytes: PART }), dir, file, content });
  } finally {
    await store.close();
    await rm(dir, { recursive: true, force: true });
  }
}

test("the fake store's signatures are those of the published examples", () => {
  const by = {
    accessKeyId: KEY.accessKeyId,
    date: "20130524",
    region: "us-east-1",
    service: "s3",
  };
  const sign = (method: string, path: string, more: Record<string, string> = {}, body = "") => {
    const bytes = Buffer.from(body);
    const headers: Record<string, string> = {
      host: "examplebucket.s3.amazonaws.com",
      "x-amz-content-sha256": sha256(bytes),
      "x-amz-date": "20130524T000000Z",
      ...more,
    };
    const signedHeaders = Object.keys(headers).sort();
    return signatureOf({ method, path, headers, body: bytes }, { ...by, signedHeaders }, KEY.secretAccessKey);
  };
  assert.equal(
    sign("GET", "/test.txt", { range: "bytes=0-9" }),
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  );
  const put = { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" };
  assert.equal(
    sign("PUT", "/test$file.text", put, "Welcome to Amazon S3."),
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  );
  assert.equal(sign("GET", "/?lifecycle"), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  assert.equal(
    sign("GET", "/?max-keys=2&prefix=J"),
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  );
  assert.equal(readAuthorization("AWS4-HMAC-SHA256 Credential=A/20130524/us-east-1/s3/aws4_request"), null);
});

test("a backup is sent in parts of one size, read back, and comes out as it went in", () =>
  withStore(async ({ store, place, dir, file, content }) => {
    await place.put(file, NAME, NEVER);
    assert.deepEqual(store.done, ["list", "listUploads", "begin", "part", "part", "part", "complete", "read"]);
    store.objects.clear();
    store.misbehave("part", "cut");
    store.misbehave("read", { after: PART });
    await place.put(file, NAME, NEVER);
    assert.deepEqual([...store.objects.keys()], [`muster/${NAME}`]);
    assert.equal(store.uploads.size, 0);
    assert.deepEqual(await place.list(HUB), [
      { name: NAME, at: Date.parse("2026-03-01T02:00:00Z"), bytes: content.length },
    ]);
    const fetched = await place.fetch(NAME, dir);
    assert.ok(content.equals(await readFile(fetched.path)));
    await fetched.release();
    assert.deepEqual(await readdir(dir), ["a.backup"]);
    await assert.rejects(
      place.put(file, NAME, NEVER),
      /s3:\/\/backups\/muster\/\S+ exists: give the backup another name/,
    );
    await place.remove(NAME);
    await place.remove(NAME);
    assert.equal(store.objects.size, 0);
  }, { bytes: 2 * PART + 1000 }));

test("a hub sees its own backups alone, in the order of their times, however many there are", () =>
  withStore(async ({ store, place }) => {
    store.pageSize = 2;
    const keys = [
      `${HUB}/muster-20260303T020000Z.backup`,
      `${HUB}/muster-20260302T020000Z.backup`,
      `${HUB}/muster-20260301T020000Z.backup`,
      `${HUB}/notes.txt`,
      `${OTHER}/muster-20260304T020000Z.backup`,
    ];
    for (const key of keys) store.objects.set(`muster/${key}`, Buffer.from("x"));
    store.objects.set(`${HUB}/muster-20260305T020000Z.backup`, Buffer.from("outside of the prefix"));
    assert.deepEqual((await place.list(HUB)).map(({ name }) => name), keys.slice(0, 3).reverse());
    assert.equal((await place.list(null)).length, 4);
  }));

const PASSING: readonly (readonly [Operation, Misbehaviour])[] = [
  ["list", { status: 500, reason: "InternalError" }],
  ["listUploads", { status: 503, reason: "ServiceUnavailable" }],
  ["begin", { status: 503, reason: "SlowDown" }],
  ["begin", "lost"],
  ["part", { status: 503, reason: "SlowDown" }],
  ["part", { status: 400, reason: "RequestTimeout" }],
  ["part", "cut"],
  ["part", "lost"],
  ["complete", { status: 500, reason: "InternalError" }],
  ["complete", "late"],
  ["complete", "cut"],
  ["complete", "lost"],
  ["read", { status: 503, reason: "SlowDown" }],
  ["read", { after: 1000 }],
  ["read", "cut"],
];

test("what passes is tried again after a pause, and the backup is whole", () =>
  withStore(async ({ store, place, file, content }) => {
    for (const [n, [operation, how]] of PASSING.entries()) {
      const name = `${HUB}/muster-20260301T0200${String(n).padStart(2, "0")}Z.backup`;
      store.misbehave(operation, how);
      await place.put(file, name, NEVER);
      assert.ok(content.equals(store.objects.get(`muster/${name}`)!), `${operation} ${JSON.stringify(how)}`);
      // Of a begin whose answer was lost, an upload without parts is left for a day.
      assert.equal([...store.uploads.values()].reduce((sum, { parts }) => sum + parts.size, 0), 0);
    }
  }));

const LASTING: readonly (readonly [Operation, Misbehaviour, RegExp])[] = [
  ["list", { status: 403, reason: "AccessDenied" }, /does not let this key list what is in it/],
  ["begin", { status: 500, reason: "InternalError" }, /did not begin an upload, with the status 500 \(InternalError\)/],
  ["part", { status: 503, reason: "SlowDown" }, /did not take the part 1, with the status 503 \(SlowDown\)/],
  ["part", "cut", /The connection to the bucket "backups" at 127\.0\.0\.1:\d+ broke off/],
  [
    "complete",
    { status: 400, reason: "InvalidPart" },
    /refused to complete the upload, with the status 400 \(InvalidPart\)/,
  ],
  ["complete", "late", /did not complete the upload/],
  ["complete", { lose: 1 }, /other than it was sent, 2999 bytes for 3000/],
  ["read", { status: 403, reason: "AccessDenied" }, /does not let this key give the backup back/],
  ["list", { status: 403, reason: "SignatureDoesNotMatch" }, /refused the key: correct AWS_ACCESS_KEY_ID/],
  ["list", { status: 403, reason: "RequestTimeTooSkewed" }, /this machine's clock is wrong/],
  ["list", { status: 404, reason: "NoSuchBucket" }, /does not exist/],
  [
    "list",
    { status: 301, reason: "PermanentRedirect", region: "eu-west-1" },
    /is elsewhere, in the region "eu-west-1"/,
  ],
];

test("what does not pass is one sentence without the key, and leaves neither parts nor a backup", () =>
  withStore(async ({ store, place, file }) => {
    for (const [operation, how, message] of LASTING) {
      // Deno sends a request again by itself where the connection broke off.
      store.misbehave(operation, how, 20);
      await assert.rejects(place.put(file, NAME, NEVER), (error: Error) => {
        assert.match(error.message, message);
        assert.match(error.message, /bucket "backups" at 127\.0\.0\.1:\d+|The store gives s3:/);
        assert.ok(!error.message.includes(KEY.accessKeyId) && !error.message.includes(KEY.secretAccessKey));
        return true;
      });
      assert.deepEqual([store.objects.size, store.uploads.size], [0, 0], `${operation} ${JSON.stringify(how)}`);
      store.clear();
    }
  }));

test(
  "a store that is silent is given up after its time",
  { skip: onlyInCheckOnDeno },
  () =>
    withStore(async ({ store, place, file, content }) => {
      store.misbehave("part", "hang", 3);
      await assert.rejects(place.put(file, NAME, NEVER), /The bucket "backups" at \S+ did not answer in 0\.5 s/);
      assert.deepEqual([store.objects.size, store.uploads.size], [0, 0]);
      store.clear();
      store.misbehave("read", "hang");
      await place.put(file, NAME, NEVER);
      assert.ok(content.equals(store.objects.get(`muster/${NAME}`)!));
    }, { limits: { answerMs: 500, partMs: 500, pausesMs: [1, 1] } }),
);

test("a backup that is stopped on its way leaves neither parts nor a backup", () =>
  withStore(async ({ store, place, file }) => {
    for (const operation of ["part", "complete", "read"] as const) {
      const stop = new AbortController();
      store.misbehave(operation, "hang");
      store.onNext(operation, () => stop.abort(new Error("stopped")));
      await assert.rejects(place.put(file, NAME, stop.signal), /stopped/);
      assert.deepEqual([store.objects.size, store.uploads.size], [0, 0], operation);
    }
  }));

test("parts that a killed process has left are deleted after a day, and nobody else's", () =>
  withStore(async ({ store, place, file }) => {
    const upload = (key: string, ago: number) => ({
      key,
      parts: new Map([[1, Buffer.from("x")]]),
      at: Date.now() - ago,
    });
    store.uploads.set("old", upload(`muster/${HUB}/muster-20260228T020000Z.backup`, DAY_MS + 60_000));
    store.uploads.set("young", upload(`muster/${HUB}/muster-20260228T020001Z.backup`, DAY_MS - 60_000));
    store.uploads.set("of another hub", upload(`muster/${OTHER}/muster-20260228T020000Z.backup`, 2 * DAY_MS));
    store.uploads.set("of another program", upload(`muster/${HUB}/film.mp4`, 2 * DAY_MS));
    await place.put(file, NAME, NEVER);
    assert.deepEqual([...store.uploads.keys()], ["young", "of another hub", "of another program"]);
    store.misbehave("listUploads", { status: 501, reason: "NotImplemented" });
    await place.put(file, NAME.replace("0000Z", "0001Z"), NEVER);
  }));

test("a key for a time has its token signed with each request", () =>
  withStore(async ({ store, file }) => {
    store.key = { ...KEY, sessionToken: "FwoGZXIvYXdzEXAMPLE//token+==" };
    await createBucketPlace({ ...store.settings, key: store.key }, { limits: QUICK, partBytes: PART }).put(
      file,
      NAME,
      NEVER,
    );
    await assert.rejects(createBucketPlace(store.settings, { limits: QUICK }).list(HUB), /refused the key/);
    const wrong = { ...store.key, secretAccessKey: `${KEY.secretAccessKey}x` };
    await assert.rejects(
      createBucketPlace({ ...store.settings, key: wrong }, { limits: QUICK }).list(HUB),
      /refused the key/,
    );
  }));

test("a store where nobody listens is named with the reason", () =>
  withStore(async ({ store, place }) => {
    await store.close();
    await assert.rejects(place.list(HUB), /The bucket "backups" at \S+ cannot be reached, as nothing listens there/);
  }));
