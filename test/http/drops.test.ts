import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { sql } from "drizzle-orm";
import fc from "fast-check";
import { readFormFile, splitForm } from "../../src/http/kit/multipart.ts";
import type { Bytes } from "../../src/store/runs/cut-body.ts";
import { openDrop } from "../../src/store/runs/drop-content.ts";
import { expireDrops, findDrop } from "../../src/store/runs/drops.ts";
import { runs } from "../../src/store/runs/schema.ts";
import { type RUN_STATUSES } from "../../src/model/run.ts";
import { decodeId } from "../../src/model/id.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";

const TYPE = "multipart/form-data; boundary=bound";
const CSV = "employee_id,email\n1,ana@example.com\n";
const csv = { "content-type": "text/csv" };

let hub: TestHub;
let ask: Ask;

before(async () => {
  hub = await createTestHub();
  ask = createAsk(hub, await createTestToken(hub));
});
after(() => hub.close());

async function rowsIn(table: "drops" | "drop_chunks" | "runs"): Promise<number> {
  const [row] = await hub.db.rows<[number]>(sql.raw(`select count(*) from ${table}`));
  return row![0];
}

function sha256(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}

/** Hard to compress, so that chunks are about as large stored as received. */
function noise(bytes: number): Uint8Array {
  const data = new Uint8Array(bytes);
  for (let i = 0, state = 1; i < bytes; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = state >>> 24;
  }
  return data;
}

test("a drop is answered with its run, which waits to be carried out", async () => {
  const woken = hub.woken.count;
  const answer = await ask("/v1/connections/csv/drops?name=people.csv&mode=plan&coverage=diff", {
    body: CSV,
    headers: csv,
  });
  assert.equal(answer.status, 202);
  const { run, drop } = await answer.json();
  assert.equal(answer.headers.get("location"), `/v1/runs/${run.id}`);
  assert.deepEqual(
    [run.status, run.trigger, run.mode, run.coverage, run.connection.slug, run.connector],
    ["queued", "drop", "plan", "diff", "csv", "csv-upload"],
  );
  assert.deepEqual(run.drop, { id: drop.id, name: "people.csv", bytes: CSV.length, sha256: sha256(CSV) });
  assert.equal(hub.woken.count, woken + 1);
  assert.deepEqual((await (await ask(`/v1/runs/${run.id}`)).json()).drop, run.drop);
});

test("coverage that nobody says is the policy's, else the preset's, and a connector of changes brings changes", async () => {
  const coverageOf = async (slug: string) =>
    (await (await ask(`/v1/connections/${slug}/drops`, { body: CSV, headers: csv })).json()).run.coverage;
  assert.equal(await coverageOf("csv"), "full");
  assert.equal(await coverageOf("api"), "diff");
  await ask("/v1/connections", {
    json: { connector: "csv-upload", name: "Diffs", slug: "diffs", policy: { coverage: "diff" } },
  });
  assert.equal(await coverageOf("diffs"), "diff");
  await ask("/v1/connections", { json: { connector: "csv-upload", name: "Team", slug: "team", preset: "connecteam" } });
  assert.equal(await coverageOf("team"), "diff");
  await ask("/v1/connections", {
    json: { connector: "rest-import", name: "Push", slug: "push", preset: "betterworks" },
  });
  assert.equal(await coverageOf("push"), "diff");
});

test("the content is given back as it was received, over several chunks", async () => {
  const data = noise(2 * 1024 * 1024 + 77);
  const { drop } = await (await ask("/v1/connections/csv/drops?name=a.bin", { body: data as BodyInit })).json();
  assert.equal(drop.sha256, sha256(data));
  assert.equal(drop.content_type, "application/octet-stream");
  const content = await ask(`/v1/drops/${drop.id}/content`);
  assert.equal(content.headers.get("content-disposition"), "attachment; filename*=UTF-8''a.bin");
  assert.equal(sha256(new Uint8Array(await content.arrayBuffer())), drop.sha256);

  const stored = await findDrop(hub.db, hub.organization.id, decodeId("drp", drop.id)!);
  const source = openDrop(hub.db, stored!);
  for (let time = 0; time < 2; time++) {
    assert.equal(sha256(new Uint8Array(await new Response(source.open()).arrayBuffer())), drop.sha256);
  }
});

test("a form's field file is a drop with the file's own name and type", async () => {
  const form = new FormData();
  form.set("file", new File([CSV], "from form.csv", { type: "text/csv" }));
  const answer = await ask("/v1/connections/csv/drops", { body: form });
  assert.equal(answer.status, 202, await answer.clone().text());
  const { drop } = await answer.json();
  assert.deepEqual([drop.name, drop.content_type, drop.sha256], ["from form.csv", "text/csv", sha256(CSV)]);
});

test("a form with another field, or one more after the file, is refused and stores nothing", async () => {
  const before = await rowsIn("drops");
  const other = new FormData();
  other.set("document", new File([CSV], "a.csv"));
  const two = new FormData();
  two.set("file", new File([CSV], "a.csv"));
  two.set("mode", "plan");
  for (const [form, expected] of [[other, /field "document"/], [two, /continues after its file/]] as const) {
    const refused = await ask("/v1/connections/csv/drops", { body: form });
    assert.equal(refused.status, 400);
    assert.match((await refused.json()).detail, expected);
  }
  assert.equal(await rowsIn("drops"), before);
});

test("a form's file reads the same however its bytes arrive", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom("\r\n", "--", "-", "b", "\r", "\n", "\r\n--b", "x"), { maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 20 }),
      async (pieces, sizes) => {
        const text = pieces.join("");
        const form =
          `--bound\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n${text}\r\n--bound--\r\n`;
        const bytes = new TextEncoder().encode(form);
        let at = 0;
        let turn = 0;
        const body = new ReadableStream<Uint8Array>({
          pull(controller) {
            const size = sizes[turn++ % sizes.length]!;
            if (at >= bytes.length) return controller.close();
            controller.enqueue(bytes.slice(at, at += size));
          },
        });
        const file = await readFormFile(body, "multipart/form-data; boundary=bound");
        assert.equal(await new Response(file.content).text(), text);
      },
    ),
    { numRuns: 100 },
  );
});

test("a form with several files is split into forms of one, however much of each is read", async () => {
  const part = (name: string, text: string) =>
    `--bound\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n\r\n${text}\r\n`;
  const texts = ["a\r\n--boun", "", "x".repeat(5000)], names = ["a", "b", "c"];
  const bytes = new TextEncoder().encode(`${names.map((name, i) => part(name, texts[i]!)).join("")}--bound--\r\n`);
  for (const size of [1, 7, 64, 100_000]) {
    for (const skipped of [-1, 0, 1, 2]) {
      let at = 0;
      const body = new ReadableStream<Uint8Array>({
        pull: (controller) => at < bytes.length ? controller.enqueue(bytes.slice(at, at += size)) : controller.close(),
      });
      const found: (readonly [string | null, string])[] = [];
      for await (const split of splitForm(body as Bytes, TYPE)) {
        if (found.length === skipped) {
          const reader = split.body.getReader();
          await reader.read();
          const reading = reader.read();
          await reader.cancel();
          await reading;
          found.push([split.name, texts[skipped]!]);
          continue;
        }
        const { name, content } = await readFormFile(split.body, TYPE);
        found.push([name, await new Response(content).text()]);
      }
      assert.deepEqual(found, names.map((name, i) => [name, texts[i]]), `${size} ${skipped}`);
    }
  }
});

test("a body that breaks off leaves no drop, no content and no run", async () => {
  const counts = async () => [await rowsIn("drops"), await rowsIn("drop_chunks"), await rowsIn("runs")];
  const before = await counts();
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent++ < 3) controller.enqueue(noise(1024 * 1024));
      else controller.error(new TypeError("connection reset"));
    },
  });
  const answer = await ask("/v1/connections/csv/drops", { body, headers: csv });
  assert.equal(answer.status, 422);
  assert.equal((await answer.json()).code, "input_incomplete");
  const form = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(`--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n${CSV}`));
      controller.close();
    },
  });
  const cut = await ask("/v1/connections/csv/drops", {
    body: form,
    headers: { "content-type": "multipart/form-data; boundary=b" },
  });
  assert.equal((await cut.json()).code, "input_incomplete");
  assert.deepEqual(await counts(), before);
});

test("a body over a drop's limit, of another type, or for a connection that fetches is refused", async () => {
  const size = await ask("/v1/connections/csv/drops", {
    body: CSV,
    headers: { ...csv, "content-length": String(2 ** 30 + 1) },
  });
  assert.equal(size.status, 413);
  assert.match((await size.json()).detail, /1 GiB at most/);
  const type = await ask("/v1/connections/csv/drops", { body: CSV, headers: { "content-type": "image/png" } });
  assert.equal(type.status, 415);
  assert.match((await type.json()).detail, /"image\/png"; it should be text\/csv/);
  await ask("/v1/connections", { json: { connector: "fetched", name: "Fetched" } });
  const fetched = await ask("/v1/connections/fetched/drops", { body: CSV, headers: csv });
  assert.equal(fetched.status, 422);
  assert.match((await fetched.json()).detail, /fetches its source/);
});

test("whatever a drop is called, its download keeps the name in the form of RFC 8187", async () => {
  const name = 'it\'s (1)*; "märz" 名.csv';
  const { drop } = await (await ask(`/v1/connections/csv/drops?name=${encodeURIComponent(name)}`, {
    body: CSV,
    headers: csv,
  })).json();
  assert.equal(drop.name, name);
  const header = (await ask(`/v1/drops/${drop.id}/content`)).headers.get("content-disposition")!;
  const [, value] = /^attachment; filename\*=UTF-8''([A-Za-z0-9!#$&+.^_`|~%-]+)$/.exec(header)!;
  assert.equal(decodeURIComponent(value!), name);
});

test("a connection has so many uploads open at a time; one that is given up or has expired makes room", async () => {
  await ask("/v1/connections", { json: { connector: "csv-upload", name: "Opened" } });
  const open = () => ask("/v1/connections/opened/uploads", { json: { name: "x.csv" } });
  const answers = [];
  for (let i = 0; i < 21; i++) answers.push(await open());
  assert.deepEqual(answers.map(({ status }) => status), [...Array(20).fill(201), 409]);
  assert.match((await answers[20]!.json()).detail, /^The connection "opened" has 20 unsealed uploads/);
  assert.equal((await ask("/v1/connections/csv/uploads", { json: { name: "x.csv" } })).status, 201);
  const { upload } = await answers[0]!.json();
  assert.equal((await ask(`/v1/uploads/${upload.id}`, { method: "DELETE" })).status, 204);
  assert.deepEqual([(await open()).status, (await open()).status], [201, 409]);
  hub.clock.ms += 25 * 3_600_000;
  assert.equal((await open()).status, 201);
});

test("an upload's parts, sent in any order and again, are sealed into one drop with one run", async () => {
  const { upload } = await (await ask("/v1/connections/csv/uploads", { json: { name: "big.csv", coverage: "diff" } }))
    .json();
  assert.match(upload.id, /^upl_/);
  const put = (part: number, body: string) => ask(`/v1/uploads/${upload.id}/parts/${part}`, { method: "PUT", body });
  assert.equal((await put(2, "2,bo@example.com\n")).status, 204);
  assert.equal((await put(1, "broken")).status, 204);
  const gap = await put(4, "4,d@example.com\n");
  assert.equal(gap.status, 204);
  assert.equal((await put(1, "employee_id,email\n")).status, 204);

  const early = await ask(`/v1/uploads/${upload.id}/seal`, { json: {} });
  assert.equal(early.status, 422);
  assert.equal((await early.json()).detail, "Part 3 is missing, but part 4 exists");
  await put(3, "3,c@example.com\n");

  const whole = "employee_id,email\n2,bo@example.com\n3,c@example.com\n4,d@example.com\n";
  for (const wrong of [{ bytes: 1 }, { sha256: "0".repeat(64) }]) {
    const refused = await ask(`/v1/uploads/${upload.id}/seal`, { json: wrong });
    assert.equal(refused.status, 422);
    assert.equal((await refused.json()).code, "input_incomplete");
  }
  const seal = { bytes: whole.length, sha256: sha256(whole), rows: 3 };
  const answers = await Promise.all([1, 2, 3].map(() => ask(`/v1/uploads/${upload.id}/seal`, { json: seal })));
  const sealed = answers.filter(({ status }) => status === 202);
  assert.ok(sealed.length >= 1 && answers.every(({ status }) => status === 202 || status === 409));
  const { run, drop } = await sealed[0]!.json();
  assert.deepEqual([run.coverage, run.drop.name, drop.sha256], ["diff", "big.csv", sha256(whole)]);
  assert.equal(await (await ask(`/v1/drops/${drop.id}/content`)).text(), whole);

  const again = await (await ask(`/v1/uploads/${upload.id}/seal`, { json: seal })).json();
  assert.equal(again.run.id, run.id);
  const queued = await hub.db.orm.select().from(runs).where(sql`drop_id = ${decodeId("drp", drop.id)}`);
  assert.equal(queued.length, 1);
  assert.equal((await put(5, "late")).status, 409);
  assert.equal((await ask(`/v1/uploads/${upload.id}`, { method: "DELETE" })).status, 409);
});

test("a part over its limit, or with a number that is none, is refused; a part that breaks off keeps the one before", async () => {
  const { upload } = await (await ask("/v1/connections/csv/uploads", { json: { name: "parts.csv" } })).json();
  const put = (part: string, body: BodyInit) => ask(`/v1/uploads/${upload.id}/parts/${part}`, { method: "PUT", body });
  const large = await put("1", noise(8 * 1024 * 1024 + 1) as BodyInit);
  assert.equal(large.status, 413);
  assert.match((await large.json()).detail, /8 MiB at most/);
  for (const part of ["0", "10001", "one", "-1"]) assert.equal((await put(part, "x")).status, 400, part);
  await put("1", CSV);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("other"));
    },
    pull(controller) {
      controller.error(new TypeError("connection reset"));
    },
  });
  assert.equal((await put("1", body)).status, 422);
  const { drop } = await (await ask(`/v1/uploads/${upload.id}/seal`, { json: {} })).json();
  assert.equal(drop.sha256, sha256(CSV));
});

test("an upload can be given up, and one that is never sealed goes after a day", async () => {
  const open = async () =>
    (await (await ask("/v1/connections/csv/uploads", { json: { name: "a.csv" } })).json()).upload;
  const first = await open();
  assert.equal((await ask(`/v1/uploads/${first.id}`, { method: "DELETE" })).status, 204);
  assert.equal((await ask(`/v1/uploads/${first.id}/parts/1`, { method: "PUT", body: "x" })).status, 404);

  const second = await open();
  await ask(`/v1/uploads/${second.id}/parts/1`, { method: "PUT", body: CSV });
  assert.equal((await ask(`/v1/drops/${second.id.replace("upl_", "drp_")}`)).status, 404, "an upload is no drop yet");
  await expireDrops(hub.db, hub.clock.ms + 23 * 3600_000);
  assert.equal((await ask(`/v1/uploads/${second.id}/parts/2`, { method: "PUT", body: CSV })).status, 204);
  await expireDrops(hub.db, hub.clock.ms + 25 * 3600_000);
  assert.equal((await ask(`/v1/uploads/${second.id}/seal`, { json: {} })).status, 404);
});

test("a sealed drop's content goes after the days it is kept; what it was stays, and so does what a run still needs", async () => {
  const { drop, run } = await (await ask("/v1/connections/csv/drops", { body: CSV, headers: csv })).json();
  const late = hub.clock.ms + 31 * 24 * 3600_000;
  const content = async () => (await ask(`/v1/drops/${drop.id}/content`)).status;
  for (const status of ["queued", "planning", "planned", "held", "applying"] as const) {
    await setStatus(run.id, status);
    await expireDrops(hub.db, late);
    assert.equal(await content(), 200, status);
  }
  await setStatus(run.id, "succeeded");
  await expireDrops(hub.db, hub.clock.ms + 29 * 24 * 3600_000);
  assert.equal(await content(), 200);
  await expireDrops(hub.db, late);
  assert.equal((await (await ask(`/v1/drops/${drop.id}`)).json()).sha256, sha256(CSV));
  const gone = await ask(`/v1/drops/${drop.id}/content`);
  assert.equal(gone.status, 404);
  assert.match((await gone.json()).detail, /no longer kept/);
});

test("a connection keeps the content of its ten youngest drops, and of older ones whose run has not ended", async () => {
  const handIn = async (connection: string) =>
    await (await ask(`/v1/connections/${connection}/drops`, { body: CSV, headers: csv })).json();
  await ask("/v1/connections", { json: { connector: "csv-upload", name: "Many", slug: "many" } });
  await ask("/v1/connections", { json: { connector: "csv-upload", name: "Few", slug: "few" } });
  const other = await handIn("few");
  await setStatus(other.run.id, "succeeded");
  const handed: { run: { id: string }; drop: { id: string } }[] = [];
  for (let i = 0; i < 13; i++) handed.push(await handIn("many"));
  for (const { run } of handed.slice(1)) await setStatus(run.id, "succeeded");
  await setStatus(handed[0]!.run.id, "held");

  await expireDrops(hub.db, hub.clock.ms);
  const kept = async () =>
    await Promise.all(handed.map(async ({ drop }) => (await ask(`/v1/drops/${drop.id}/content`)).status === 200));
  assert.deepEqual(await kept(), [true, false, false, ...Array(10).fill(true)]);
  assert.equal((await ask(`/v1/drops/${other.drop.id}/content`)).status, 200);

  await setStatus(handed[0]!.run.id, "cancelled");
  await expireDrops(hub.db, hub.clock.ms);
  assert.deepEqual(await kept(), [false, false, false, ...Array(10).fill(true)]);
});

async function setStatus(run: string, status: (typeof RUN_STATUSES)[number]): Promise<void> {
  await hub.db.write([hub.db.orm.update(runs).set({ status }).where(sql`id = ${decodeId("run", run)}`)]);
}

test("Prefer: wait answers 200 once the run is at rest, and 202 when it is not in time", async () => {
  const early = await ask("/v1/connections/csv/drops", { body: CSV, headers: { ...csv, prefer: "wait=1" } });
  assert.equal(early.status, 202);
  const { run } = await early.json();
  const waiting = ask(`/v1/runs/${run.id}`, { headers: { prefer: "wait=30" } });
  await hub.db.write([hub.db.orm.update(runs).set({ status: "planned" }).where(sql`id = ${decodeId("run", run.id)}`)]);
  assert.equal((await (await waiting).json()).status, "planned");
});

test("an upload for a connection that fetches is refused", async () => {
  await ask("/v1/connections", { json: { connector: "fetched", name: "Fetches for itself" } });
  const refused = await ask("/v1/connections/fetches-for-itself/uploads", { json: { name: "a.csv" } });
  assert.equal(refused.status, 422);
});
