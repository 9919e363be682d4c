/** A hub that is served, and files of some megabytes that GnuPG encrypted: imported whole, or refused, beside all others. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isAtRest } from "../../src/store/runs/runs.ts";
import { createTokenText } from "../../src/security/token.ts";
import { fetch } from "../support/checked.ts";
import { createGpg, type Gpg, WITHOUT_GPG } from "../support/gpg.ts";
import { crowd, csv, HEADER } from "../support/imports.ts";
import { onlyInCheck } from "../support/rounds.ts";
import { startServing } from "../support/serve.ts";

// deno-lint-ignore no-explicit-any
type Json = any;
type Bytes = Uint8Array<ArrayBuffer>;

const PEOPLE = 20_000, KNOWN = 100;
const PACKED = ["--compress-algo", "zlib"], NOT_PACKED = ["--compress-algo", "none"], ARMORED = [...PACKED, "--armor"];
/** How long a run is waited for: many times what it takes. */
const RUN_S = 60;
const ANSWERED_WITHIN_MS = (RUN_S + 15) * 1000;
const SUCCEEDED = { status: "succeeded", code: null };

interface Organization {
  get(path: string): Promise<Json>;
  post(path: string, json: object): Promise<Json>;
  /** Hands in a file and gives its run, which is not waited for. */
  handIn(name: string, content: Bytes): Promise<Json>;
  /** Hands in a file and waits for its run; gives it as it stands when that takes too long. */
  feed(name: string, content: Bytes | string): Promise<Json>;
  /** With the key of its connection. */
  encrypt(plain: string, way: readonly string[]): Bytes;
}

/** `work` gets what makes organizations, by their slugs, whose connections have a key. */
async function serving(work: (organization: (slug: string) => Promise<Organization>) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "muster-"));
  const gpg = createGpg();
  try {
    const token = createTokenText();
    const hub = await startServing({ MUSTER_DATA_DIR: folder, MUSTER_ADMIN_TOKEN: token });
    try {
      await work((slug) => makeOrganization(slug, hub.url, token, gpg));
      assert.equal(await hub.stop(), 0);
    } finally {
      await hub.stop("SIGKILL");
    }
  } finally {
    gpg.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function makeOrganization(slug: string, url: string, token: string, gpg: Gpg): Promise<Organization> {
  const call = async (path: string, as = slug, init: RequestInit = {}): Promise<Json> => {
    const answer = await fetch(`${url}/v1/${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, "muster-organization": as, ...init.headers },
      signal: AbortSignal.timeout(ANSWERED_WITHIN_MS),
    });
    assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
    return await answer.json();
  };
  const post = (path: string, json: object, as = slug) => {
    const headers = { "content-type": "application/json", prefer: `wait=${RUN_S}` };
    return call(path, as, { method: "POST", headers, body: JSON.stringify(json) });
  };
  const handIn = async (name: string, body: Bytes | string, waitS: number) => {
    const headers = { "content-type": "application/octet-stream", prefer: `wait=${waitS}` };
    return (await call(`connections/csv/drops?name=${name}`, slug, { method: "POST", headers, body })).run;
  };
  await post("organizations", { slug, name: slug, timezone: "UTC" }, "default");
  const key = await post("connections/csv/pgp-keys", { type: "ecc" });
  gpg.importKey(key.public_key);
  return {
    get: (path) => call(path),
    post: (path, json) => post(path, json),
    handIn: (name, content) => handIn(name, content, 0),
    feed: (name, content) => handIn(name, content, RUN_S),
    encrypt: (plain, way) => gpg.encrypt(plain, [key.fingerprint], way),
  };
}

/** So many people, the first few of them promoted. Titles hardly pack, so that the message has some megabytes too. */
function fileOf(people: number, promoted = 0): string {
  const words = (i: number) => createHash("sha512").update(`${i}`).digest("base64url");
  return csv(`${HEADER},title`, ...crowd(people, 1, (i) => `,${i > promoted ? "Engineer" : "Lead"} ${words(i)}`));
}

/** How a run ended, and those of its counts that are not 0. */
function endOf({ status, error, counts }: Json) {
  const counted = Object.entries(counts).filter(([, count]) => count !== 0);
  return { status, code: error?.code ?? null, ...Object.fromEntries(counted) };
}

/** With another byte near its end, which in armor is another digit. */
function changed(message: Bytes): Bytes {
  const copy = message.slice();
  let at = copy.length - 5_000;
  if (copy[at] === 0x0a) at++;
  copy[at] = copy[at] === 0x41 ? 0x42 : 0x41;
  return copy;
}

test("large encrypted files are imported whole, however they are packed, and the same plain changes nothing", {
  skip: WITHOUT_GPG || onlyInCheck,
}, () =>
  serving(async (organization) => {
    const acme = await organization("acme");
    const all = { ...SUCCEEDED, read: PEOPLE };
    const message = acme.encrypt(fileOf(PEOPLE), PACKED);
    assert.ok(message.length > 1_500_000, `${message.length} bytes`);
    const packed = await acme.feed("people.csv.gpg", message);
    assert.deepEqual(endOf(packed), { ...all, created: PEOPLE });
    // What is read of each of the next is seen by whom it promotes.
    const notPacked = await acme.feed("people.csv.pgp", acme.encrypt(fileOf(PEOPLE, 10), NOT_PACKED));
    assert.deepEqual(endOf(notPacked), { ...all, updated: 10, unchanged: PEOPLE - 10 });
    const armored = await acme.feed("people.csv.asc", acme.encrypt(fileOf(PEOPLE, 30), ARMORED));
    assert.deepEqual(endOf(armored), { ...all, updated: 20, unchanged: PEOPLE - 20 });
    const plain = await acme.feed("people.csv", fileOf(PEOPLE, 30));
    assert.deepEqual(endOf(plain), { ...all, unchanged: PEOPLE });
  }));

test("a large message that is damaged changes nobody, and other organizations are served until its run has failed", {
  skip: WITHOUT_GPG || onlyInCheck,
}, (t) =>
  serving(async (organization) => {
    const acme = await organization("acme"), other = await organization("other");
    const first = await acme.feed("people.csv", fileOf(KNOWN));
    assert.deepEqual(endOf(first), { ...SUCCEEDED, read: KNOWN, created: KNOWN });
    const people = await acme.get("users?limit=200");
    assert.equal(people.data.length, KNOWN);

    // Everybody would be promoted, and many would come.
    const text = fileOf(PEOPLE, KNOWN);
    const packed = acme.encrypt(text, PACKED), notPacked = acme.encrypt(text, NOT_PACKED);
    const armored = acme.encrypt(text, ARMORED);
    let pushed = 0;
    for (
      const [how, message] of [
        ["packed, changed", changed(packed)],
        ["not packed, cut off", notPacked.slice(0, -5_000)],
        ["armored, changed", changed(armored)],
      ] as const
    ) {
      const startedAt = performance.now();
      let run = await acme.handIn("people.csv.pgp", message);
      while (!isAtRest(run.status)) {
        assert.ok(performance.now() - startedAt < RUN_S * 1000, `${how}: ${JSON.stringify(run)}`);
        const n = ++pushed;
        const user = { employee_id: `B${n}`, email: `b${n}@acme.test`, first_name: "Bo", last_name: "Berg" };
        const { run: small } = await other.post("users/import", { users: [user] });
        assert.deepEqual(endOf(small), { ...SUCCEEDED, read: 1, created: 1 }, how);
        run = await acme.get(`runs/${run.id}`);
      }
      t.diagnostic(`${how}: ${Math.round(performance.now() - startedAt)} ms; ${pushed} pushed so far`);
      assert.deepEqual(endOf(run), { status: "failed", code: "input_incomplete" }, how);
      assert.deepEqual((await acme.get(`runs/${run.id}/changes`)).data, [], how);
    }
    assert.ok(pushed > 0);
    assert.deepEqual(await acme.get("users?limit=200"), people);
    // And its connection goes on.
    const whole = await acme.feed("people.csv.pgp", acme.encrypt(fileOf(KNOWN), PACKED));
    assert.deepEqual(endOf(whole), { ...SUCCEEDED, read: KNOWN, unchanged: KNOWN });
  }));
