/** Encrypted files from GnuPG through the whole hub: what is applied, what is refused, and what leaves it of a report. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "drizzle-orm";
import { createRegistry } from "../../src/runtime/registry.ts";
import { type OutgoingMail, sendDueMails } from "../../src/notify/send-mails.ts";
import { createMasterKeyText, createSecrets } from "../../src/security/secrets.ts";
import { runNext } from "../../src/runs/next.ts";
import { reportToSend } from "../../src/report/file.ts";
import { resealAll } from "../../src/store/connections/sealed.ts";
import { findRun } from "../../src/store/runs/runs.ts";
import { createGpg, type Gpg, WITHOUT_GPG } from "../support/gpg.ts";
import HR_FEED from "../support/hr-feed.ts";
import { createAsk, createTestToken } from "../support/hub.ts";
import { type Content, crowd, csv, HEADER, HOUR_MS, type Importing, importing, said } from "../support/imports.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";

interface Key {
  readonly id: string;
  readonly fingerprint: string;
  readonly public_key: string;
}

interface Scene {
  readonly world: Importing;
  readonly gpg: Gpg;
  /** Makes a key of the hub's for the connection `hr`, and gives it to gpg. */
  makeKey(): Promise<Key>;
  register(armored: string): Promise<Key>;
  retire(key: Key): Promise<void>;
  /** Imports through the connection `hr`, which nobody waits for. */
  feed(content: Content, name?: string): ReturnType<Importing["import"]>;
  /** Sends the mails that are due, and gives them. */
  post(): Promise<OutgoingMail[]>;
}

function withGpg(work: (scene: Scene) => Promise<void>): Promise<void> {
  const registry = new Map([...createRegistry(), ["hr-feed", HR_FEED as never]]);
  return importing(async (world) => {
    const gpg = createGpg();
    // Keys and signatures are made by the machine's clock.
    world.hub.clock.ms = Date.now() + 2000;
    const hub = Object.assign(world.hub, { mailFrom: "Muster <muster@example.com>" });
    await world.connect("hr", { connector: "hr-feed", name: "HR feed" });
    await world.ask("/v1/organization", { method: "PATCH", json: { technical_contact: "it@acme.test" } });
    const post = async (json: object) => {
      const { status, body } = await world.post("/v1/connections/hr/pgp-keys", json);
      assert.equal(status, 201, JSON.stringify(body));
      return body as Key;
    };
    try {
      await work({
        world,
        gpg,
        async makeKey() {
          const key = await post({ type: "ecc" });
          gpg.importKey(key.public_key);
          return key;
        },
        register: (armored) => post({ public_key: armored }),
        async retire({ id }) {
          assert.equal((await world.post(`/v1/connections/hr/pgp-keys/${id}/retire`)).status, 200);
        },
        feed: (content, name = "people.csv.pgp") => world.import(content, { connection: "hr", name }),
        async post() {
          const mails: OutgoingMail[] = [];
          const send = (mail: OutgoingMail) => Promise.resolve(void mails.push(mail));
          while (await sendDueMails(hub, send, { name: "test" }) > 0);
          return mails;
        },
      });
    } finally {
      gpg.close();
    }
  }, { registry });
}

const CY = "Cy Hr <hr@acme.test>";
const GOOD = csv(HEADER, ...crowd(3));
const BAD = csv(HEADER, "1,zed@,Zed,Lopez", "2,tom@acme.test,Tom,Marsh");

test("an encrypted file is imported like a plain one, and the same people again change nothing", {
  skip: WITHOUT_GPG,
}, () =>
  withGpg(async ({ world, gpg, makeKey, feed }) => {
    const key = await makeKey();
    const file = csv(`${HEADER},title`, ...crowd(300, 1, () => ",Engineer"));
    const first = await feed(gpg.encrypt(file, [key.fingerprint]));
    assert.deepEqual([first.status, first.counts.created, said(first)], ["succeeded", 300, []]);
    const again = await feed(gpg.encrypt(file, [key.fingerprint], ["--armor"]), "people.csv.asc");
    assert.deepEqual([again.status, again.counts.unchanged], ["succeeded", 300]);
    // Plain, it is still the same file.
    assert.equal((await feed(file, "people.csv")).counts.unchanged, 300);
    const json = JSON.stringify([{ employee_id: "E0001", email: "p0001@acme.test", title: "Lead" }]);
    const other = await world.import(gpg.encrypt(json, [key.fingerprint]), {
      connection: "hr",
      name: "people.json.gpg",
      type: "application/octet-stream",
      coverage: "diff",
    });
    assert.deepEqual([other.status, other.counts.updated], ["succeeded", 1]);
  }));

test(
  "no plaintext of an encrypted file is kept: the drop is what was received",
  { skip: WITHOUT_GPG },
  () =>
    withGpg(async ({ world, gpg, makeKey, feed }) => {
      const bytes = gpg.encrypt(GOOD, [(await makeKey()).fingerprint]);
      const run = await feed(bytes, "people.csv");
      assert.equal(run.status, "succeeded");
      const content = await world.ask(`/v1/drops/${run.drop!.id}/content`);
      assert.deepEqual(new Uint8Array(await content.arrayBuffer()), bytes);
    }),
);

test("after a rotation both keys open files, until the old one is retired; then a run says so and what to do", {
  skip: WITHOUT_GPG,
}, () =>
  withGpg(async ({ gpg, makeKey, retire, feed }) => {
    const old = await makeKey();
    const young = await makeKey();
    assert.equal((await feed(gpg.encrypt(GOOD, [old.fingerprint]))).status, "succeeded");
    assert.equal((await feed(gpg.encrypt(GOOD, [young.fingerprint]))).status, "succeeded");
    await retire(old);
    const run = await feed(gpg.encrypt(GOOD, [old.fingerprint]));
    assert.deepEqual([run.status, run.error?.code, said(run)], ["failed", "decryption_failed", [
      "- decryption_failed",
    ]]);
    assert.match(run.error!.message, new RegExp(`${old.fingerprint}, which was retired on .*${young.fingerprint}`));
    assert.equal((await feed(gpg.encrypt(GOOD, [young.fingerprint]))).status, "succeeded");
    // One for both is opened by the one that is left.
    assert.equal((await feed(gpg.encrypt(GOOD, [old.fingerprint, young.fingerprint]))).status, "succeeded");
  }));

test("nothing is planned of a file that was changed or cut off, however much of it could be read", {
  skip: WITHOUT_GPG,
}, () =>
  withGpg(async ({ world, gpg, makeKey, feed }) => {
    const key = await makeKey();
    const bytes = gpg.encrypt(csv(HEADER, ...crowd(2000)), [key.fingerprint], ["--compress-algo", "none"]);
    const changed = bytes.slice();
    changed[bytes.length - 30]! ^= 1;
    for (const broken of [changed, bytes.slice(0, -1), bytes.slice(0, bytes.length >> 1)]) {
      const run = await feed(broken);
      assert.deepEqual([run.status, run.error?.code, run.counts.read], ["failed", "input_incomplete", 0]);
      assert.match(run.error!.message, /not whole, or was changed on its way/);
      assert.deepEqual(said(run), ["- input_incomplete"]);
      assert.equal(run.changes.length, 0);
    }
    assert.deepEqual(await world.people(), []);
  }));

test(
  "a later file that cannot be proven takes nobody's place",
  { skip: WITHOUT_GPG },
  () =>
    withGpg(async ({ world, gpg, makeKey }) => {
      const key = await makeKey();
      const whole = gpg.encrypt(GOOD, [key.fingerprint], ["--compress-algo", "none"]);
      const broken = gpg.encrypt(csv(HEADER, ...crowd(2)), [key.fingerprint], ["--compress-algo", "none"]);
      broken[broken.length - 1]! ^= 1;
      const first = await world.handIn(whole, { connection: "hr", name: "a.csv.pgp" });
      const second = await world.handIn(broken, { connection: "hr", name: "b.csv.pgp" });
      await world.carry();
      assert.equal((await world.run(first)).status, "succeeded");
      assert.equal((await world.run(second)).error?.code, "input_incomplete");
    }),
);

test(
  "where signatures are required, only what the customer has signed is used",
  { skip: WITHOUT_GPG },
  () =>
    withGpg(async ({ world, gpg, makeKey, register, retire, feed }) => {
      const key = await makeKey();
      const theirs = await register(gpg.makeKey(CY));
      gpg.makeKey("Eve <eve@acme.test>");
      await world.set("hr", { policy: { signature: "required" } });
      const signedBy = (who: string) => gpg.encrypt(GOOD, [key.fingerprint], ["--sign", "--local-user", who]);
      assert.equal((await feed(signedBy("hr@acme.test"))).status, "succeeded");
      for (
        const [content, name, message] of [
          [GOOD, "people.csv", /neither encrypted nor signed/],
          [gpg.encrypt(GOOD, [key.fingerprint]), "people.csv.pgp", /is not signed/],
          [signedBy("eve@acme.test"), "people.csv.pgp", /which is not registered here: .* or register the other one/],
        ] as const
      ) {
        const run = await feed(content, name);
        assert.deepEqual([run.status, run.error?.code], ["failed", "decryption_failed"]);
        assert.match(run.error!.message, message);
      }
      await retire(theirs);
      assert.match((await feed(signedBy("hr@acme.test"))).error!.message, /knows no key to verify them with: register/);
    }),
);

test("a file for a connection without a key, or with a password, fails and says what to make", {
  skip: WITHOUT_GPG,
}, () =>
  withGpg(async ({ gpg, makeKey, feed }) => {
    gpg.makeKey(CY);
    const none = await feed(gpg.encrypt(GOOD, [CY]));
    assert.deepEqual([none.status, none.error?.code], ["failed", "decryption_failed"]);
    assert.match(none.error!.message, /the connection has no key to open it with: make a key for the connection first/);
    const key = await makeKey();
    const locked = gpg.run(["--pinentry-mode", "loopback", "--passphrase", "x", "--symmetric"], GOOD);
    assert.match((await feed(locked)).error!.message, new RegExp(`with a password.*${key.fingerprint}`));
    assert.match((await feed(GOOD, "people.csv.gpg")).error!.message, /not an OpenPGP message/);
  }));

test("the report of a connection with PGP is mailed encrypted for the customer, and no value stands in the mail", {
  skip: WITHOUT_GPG,
}, () =>
  withGpg(async ({ world, gpg, makeKey, register, feed, post }) => {
    const key = await makeKey();
    await register(gpg.makeKey(CY));
    const run = await feed(gpg.encrypt(BAD, [key.fingerprint]));
    assert.equal(run.status, "partial");
    const [mail] = await post();
    assert.equal(mail!.attachment!.name, "people.failures.csv.pgp");
    const plain = await world.failures(run);
    assert.match(plain, /zed@/);
    assert.equal(gpg.decrypt(mail!.attachment!.bytes), `\ufeff${plain}`);
    assert.doesNotMatch(`${mail!.subject} ${mail!.text} ${mail!.html}`, /zed@|Lopez/);
    assert.match(mail!.text, /Line 2: email: The value is not an email address\. Correct the address/);
    assert.match(mail!.text, /encrypted with your key/);
    // Corrected and encrypted again, it is a diff as ever.
    const corrected = gpg.decrypt(mail!.attachment!.bytes).replace("zed@,", "zed@acme.test,");
    const again = await feed(gpg.encrypt(corrected, [key.fingerprint]), "people.failures.csv.pgp");
    assert.deepEqual([again.status, again.coverage, again.counts.created], ["succeeded", "diff", 1]);
  }));

test(
  "without a key of the customer's that is good, the report comes as a link alone",
  { skip: WITHOUT_GPG },
  () =>
    withGpg(async ({ world, gpg, makeKey, register, feed, post }) => {
      const key = await makeKey();
      await feed(gpg.encrypt(BAD, [key.fingerprint]));
      const [mail] = await post();
      assert.equal(mail!.attachment, null);
      assert.match(mail!.text, /not attached, because this connection uses PGP and has no key of yours/);
      assert.doesNotMatch(mail!.text, /zed@|Lopez/);
      assert.match(mail!.text, /http:\/\/hub\.example\.com\/reports\//);
      // One that has run out can no longer be encrypted for.
      await register(gpg.makeKey("Short <short@acme.test>", "future-default", "1d"));
      world.later(48 * HOUR_MS);
      await feed(gpg.encrypt(csv(HEADER, "1,zed@,Zed,Lopez", "9,bo@,Bo,Berg"), [key.fingerprint]));
      assert.deepEqual((await post()).map(({ attachment }) => attachment), [null]);
    }),
);

test("what is sent of a report: plain without PGP, else encrypted or nothing, whatever becomes of the keys", {
  skip: WITHOUT_GPG,
}, () =>
  withGpg(async ({ world, gpg, makeKey, register, feed }) => {
    const { hub } = world;
    const toSend = async (id: string) =>
      await reportToSend(hub, (await findRun(hub.db, hub.organization.id, world.number("run", id)))!);
    const open = await feed(BAD, "people.csv");
    assert.deepEqual([(await toSend(open.id)).isOpen, (await toSend(open.id)).file?.name], [
      true,
      "people.failures.csv",
    ]);
    const key = await makeKey();
    const closed = await feed(gpg.encrypt(BAD, [key.fingerprint]));
    // A plain file of a connection that has keys is no exception.
    assert.deepEqual((await toSend(open.id)).file, null);
    const theirs = await register(gpg.makeKey(CY));
    for (const { id } of [open, closed]) {
      const { isOpen, file } = await toSend(id);
      assert.deepEqual([isOpen, file?.name], [false, "people.failures.csv.pgp"]);
      const bytes = new Uint8Array(
        await new Response(await file!.open() as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer(),
      );
      assert.match(gpg.decrypt(bytes), /zed@/);
    }
    for (const { id } of [key, theirs]) {
      assert.equal((await world.ask(`/v1/connections/hr/pgp-keys/${id}`, { method: "DELETE" })).status, 204);
    }
    assert.equal((await toSend(open.id)).file?.name, "people.failures.csv");
    assert.equal((await toSend(closed.id)).file, null, "its input came encrypted");
    assert.equal((await world.ask("/v1/connections/hr", { method: "DELETE" })).status, 204);
    assert.equal((await toSend(closed.id)).file, null);
  }));

test("private keys are sealed, moved to a new master key with all other secrets, and gone once retired", {
  skip: WITHOUT_GPG,
}, () =>
  withGpg(async ({ world, gpg, makeKey, retire, feed }) => {
    const key = await makeKey();
    const stored = () => world.hub.db.rows<[string | null]>(sql`select private_key from pgp_keys`);
    const [[sealed] = [null]] = await stored();
    assert.match(sealed!, /^eyJ[\w-]+\.\./);
    const old = createMasterKeyText();
    const before = await createSecrets([old]);
    const both = await createSecrets([createMasterKeyText(), old]);
    const again = await before.seal(`pgp-key:1`, await world.hub.secrets.open("pgp-key:1", sealed!));
    await world.hub.db.write([world.hub.db.orm.run(sql`update pgp_keys set private_key = ${again}`) as never]);
    assert.equal(await resealAll(world.hub.db, both), 1);
    const hub = Object.assign(world.hub, { secrets: both });
    const ask = createAsk(hub, await createTestToken(hub));
    assert.equal((await ask("/v1/connections/hr/pgp-keys")).status, 200);
    assert.equal((await feed(gpg.encrypt(GOOD, [key.fingerprint]))).status, "succeeded");
    await retire(key);
    assert.deepEqual(await stored(), [[null]]);
  }));

test(
  "killed while it is proven, a run begins anew and ends as if nothing had been",
  { skip: WITHOUT_GPG || onlyInCheckOnDeno },
  () =>
    withGpg(async ({ world, gpg, makeKey }) => {
      const key = await makeKey();
      const file = csv(HEADER, ...crowd(12_000));
      const id = await world.handIn(gpg.encrypt(file, [key.fingerprint], ["--compress-algo", "none"]), {
        connection: "hr",
        name: "people.csv.pgp",
      });
      const stop = new AbortController();
      await runNext(world.hub, {
        signal: stop.signal,
        owner: "gone",
        onProgress: ({ phase }) => phase === "decrypt" && stop.abort(),
      });
      assert.ok(stop.signal.aborted);
      assert.deepEqual(await world.people().then(({ length }) => length), 0);
      world.later(60_000);
      await world.carry();
      const run = await world.run(id);
      assert.deepEqual([run.status, run.counts.created], ["succeeded", 12_000]);
    }),
);
