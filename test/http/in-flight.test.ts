/** What requests hold open is limited for each token and each organization, and always given back. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createApp } from "../../src/http/app.ts";
import { createInFlight, type InFlight } from "../../src/security/in-flight.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { checked } from "../support/checked.ts";
import { createTestHub, createTestToken, type TestHub } from "../support/hub.ts";

const LIMITS = {
  waits: { aToken: 2, anOrganization: 3 },
  streams: { aToken: 2, anOrganization: 3 },
  bodies: { aToken: 2, anOrganization: 3 },
  explanations: { aToken: 2, anOrganization: 3 },
};

let hub: TestHub;

before(async () => {
  hub = await createTestHub();
  await createOrganization(hub.db, { slug: "acme", name: "Acme", timezone: "UTC" }, hub.clock.ms);
});
after(() => hub.close());

interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: ReadableStream<Uint8Array> | string;
  readonly signal?: AbortSignal;
}

/** A way to ask a hub that lets so little be held at once. */
function asking(inFlight: InFlight = createInFlight(LIMITS)) {
  const app = createApp({ ...hub, inFlight });
  return async (token: string, path: string, { headers, ...init }: Sent = {}) => {
    const all = { authorization: `Bearer ${token}`, ...headers };
    return await checked(
      init.method ?? "GET",
      path,
      await app.request(path, { ...init, duplex: "half", headers: all } as RequestInit),
    );
  };
}

type AskAs = ReturnType<typeof asking>;

async function assertTooMany(answer: Response, whose: RegExp): Promise<void> {
  assert.deepEqual([answer.status, answer.headers.get("retry-after")], [429, "5"]);
  const { code, detail } = await answer.json();
  assert.equal(code, "too_many_in_flight");
  assert.match(detail, whose);
}

/** A body that ends, or breaks off, when a test says so. `begun`: somebody reads it. */
function slowBody() {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  let begin = () => {};
  const begun = new Promise<void>((resolve) => begin = resolve);
  const body = new ReadableStream<Uint8Array>({
    start: (given) => void (controller = given),
    pull: () => begin(),
  }, { highWaterMark: 0 });
  return {
    body,
    begun,
    end(text: string) {
      controller.enqueue(new TextEncoder().encode(text));
      controller.close();
    },
    breakOff: () => controller.error(new Error("The line broke")),
  };
}

const CSV = { "content-type": "text/csv" };

async function queue(ask: AskAs, token: string): Promise<string> {
  const answer = await ask(token, "/v1/connections/csv/drops", { method: "POST", headers: CSV, body: "email\n" });
  return (await answer.json()).run.id;
}

test("each token may send so many bodies at once, an organization a few more, and others are not concerned", async () => {
  const ask = asking();
  const [one, two, other] = [
    await createTestToken(hub),
    await createTestToken(hub),
    await createTestToken(hub, { organization: "acme" }),
  ];
  const send = (token: string, body: ReadableStream<Uint8Array> | string = "email\n") =>
    ask(token, "/v1/connections/csv/drops", { method: "POST", headers: CSV, body });
  const slow = Array.from({ length: 3 }, slowBody);
  const sending = [send(one, slow[0]!.body), send(one, slow[1]!.body)];
  await Promise.all([slow[0]!.begun, slow[1]!.begun]);
  await assertTooMany(await send(one), /^The token already has 2 uploads in progress/);
  sending.push(send(two, slow[2]!.body));
  await slow[2]!.begun;
  await assertTooMany(await send(two), /^The organization already has 3 uploads/);
  assert.equal((await send(other)).status, 202);

  slow[0]!.end("email\n");
  assert.equal((await sending[0]!).status, 202);
  assert.equal((await send(one)).status, 202, "one has ended");
  slow[1]!.breakOff();
  assert.ok((await sending[1]!).status >= 400);
  assert.equal((await send(one)).status, 202, "one broke off");
  slow[2]!.end("email\n");
  assert.equal((await sending[2]!).status, 202);
  // Nobody holds anything any more.
  const all = await Promise.all([send(one), send(two)]);
  assert.deepEqual(all.map(({ status }) => status), [202, 202]);
});

test("parts of uploads and people pushed as JSON are bodies as well, whether they are taken or refused", async () => {
  const ask = asking();
  const token = await createTestToken(hub);
  const json = { "content-type": "application/json" };
  const opened = await ask(token, "/v1/connections/csv/uploads", {
    method: "POST",
    headers: json,
    body: '{"name":"people.csv"}',
  });
  const { upload } = await opened.json();
  const put = (body: ReadableStream<Uint8Array> | string) =>
    ask(token, `/v1/uploads/${upload.id}/parts/1`, { method: "PUT", body });
  const push = (body: ReadableStream<Uint8Array> | string) =>
    ask(token, "/v1/users/import", { method: "POST", headers: { ...json, prefer: "wait=0" }, body });
  const slow = [slowBody(), slowBody()];
  const sending = [put(slow[0]!.body), push(slow[1]!.body)];
  await Promise.all(slow.map(({ begun }) => begun));
  await assertTooMany(await put("email\n"), /^The token already has 2 uploads/);
  await assertTooMany(await push('{"users":[]}'), /^The token already has 2 uploads/);
  slow[0]!.end("email\n");
  assert.equal((await sending[0]!).status, 204);
  slow[1]!.end("nothing that can be read");
  assert.equal((await sending[1]!).status, 400);
  assert.equal((await push('{"users":[]}')).status, 202);
  assert.equal((await put("email\n")).status, 204);
});

test("a body that is sent again under its key is one as well", async () => {
  const ask = asking();
  const token = await createTestToken(hub);
  const send = (body: ReadableStream<Uint8Array> | string) =>
    ask(token, "/v1/connections/csv/drops", { method: "POST", headers: { ...CSV, "idempotency-key": "one" }, body });
  assert.equal((await send("email\n")).status, 202);
  const slow = [slowBody(), slowBody()];
  const sending = slow.map(({ body }) => send(body));
  await Promise.all(slow.map(({ begun }) => begun));
  await assertTooMany(await send("email\n"), /^The token already has 2 uploads/);
  for (const each of slow) each.end("email\n");
  for (const answer of await Promise.all(sending)) {
    assert.deepEqual([answer.status, answer.headers.get("idempotency-replayed")], [202, "true"]);
  }
  assert.equal((await send("email\n")).status, 202);
});

test("beyond the waits of a token a read is refused; what was asked for is done, and answered without waiting", async () => {
  const inFlight = createInFlight(LIMITS);
  let entered = 0, enteredTwice = () => {};
  const both = new Promise<void>((resolve) => enteredTwice = resolve);
  const ask = asking({
    enter(kind, holder) {
      if (kind === "waits" && ++entered === 2) enteredTwice();
      return inFlight.enter(kind, holder);
    },
  });
  const token = await createTestToken(hub);
  const run = await queue(ask, token);
  const wait = { headers: { prefer: "wait=60" } };
  const leaving = new AbortController();
  const waiting = [1, 2].map(() => ask(token, `/v1/runs/${run}`, { ...wait, signal: leaving.signal }));
  await both;
  await assertTooMany(await ask(token, `/v1/runs/${run}`, wait), /^The token already has 2 waiting requests/);
  assert.equal((await ask(token, `/v1/runs/${run}`)).status, 200, "without waiting");
  const dropped = await ask(token, "/v1/connections/csv/drops", {
    method: "POST",
    headers: { ...CSV, prefer: "wait=60" },
    body: "email\n",
  });
  assert.deepEqual([dropped.status, dropped.headers.get("preference-applied")], [202, null]);
  assert.equal((await dropped.json()).run.status, "queued");
  // A client that is gone no longer waits.
  leaving.abort();
  await Promise.all(waiting);
  const brief = await ask(token, `/v1/runs/${run}`, { headers: { prefer: "wait=1" } });
  assert.deepEqual([brief.status, brief.headers.get("preference-applied")], [200, "wait=1"]);
});

test("a run is watched by so many of a token, and each that ends or goes away makes room", async () => {
  const ask = asking();
  const token = await createTestToken(hub);
  const path = `/v1/runs/${await queue(ask, token)}/events`;
  const first = await ask(token, path);
  const second = await ask(token, path);
  await assertTooMany(await ask(token, path), /^The token already has 2 open event streams/);
  const reader = first.body!.getReader();
  await reader.read();
  await reader.cancel();
  let third = await ask(token, path);
  for (let i = 0; third.status === 429 && i < 100; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    third = await ask(token, path);
  }
  assert.equal(third.status, 200);
  await Promise.all([second.body!.cancel(), third.body!.cancel()]);
});

test("what is counted in is counted out once, however often that is asked for", () => {
  const inFlight = createInFlight(LIMITS);
  const holder = { key: "tok_1", organizationId: 1 };
  const [a, b] = [inFlight.enter("waits", holder), inFlight.enter("waits", holder)];
  assert.ok(a.isIn && b.isIn && !inFlight.enter("waits", holder).isIn);
  assert.ok(inFlight.enter("streams", holder).isIn, "each kind has its own count");
  a.leave();
  a.leave();
  assert.ok(inFlight.enter("waits", holder).isIn);
  assert.deepEqual(inFlight.enter("waits", holder), { isIn: false, of: "token", limit: 2 });
});
