/**
 * Every route, asked with each scope alone, in a hub that is full of a person from another connection: only answers to
 * tokens that may read people show anything of that person. Neither do webhooks.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createApp } from "../../src/http/app.ts";
import { runCourier } from "../../src/notify/courier.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { type Scope, SCOPES } from "../../src/model/scope.ts";
import { createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { csv } from "../support/imports.ts";
import { loopback, type Receiver, startReceiver } from "../support/receiver.ts";
import { runNext } from "../../src/runs/next.ts";

/** In every value of people whom the token has not sent; ids by which they can be guessed are without it. */
const MARK = "zyxmark";
/** The id behind the guess `777`. */
const ZEROS = "000777";

let hub: TestHub;
let receiver: Receiver;
let ids: Readonly<Record<string, string>>;

const HEADER = "employee_id,email,first_name,last_name,title,location,phone,department_name,manager_id,badge";
const marked = (id: string, manager: string, email = `${MARK}.${id}@acme.test`) =>
  `${id},${email},${MARK} Ana,${MARK} Lopez,${MARK} lead,${MARK} town,+49 30 1234567,${MARK} people,${manager},${MARK} gold`;

// deno-lint-ignore no-explicit-any
type Json = any;

async function carry(): Promise<void> {
  while (await runNext(hub, { signal: new AbortController().signal, owner: "test", rethrow: true }) !== null);
}

before(async () => {
  receiver = await startReceiver((request, response) => void response.writeHead(200).end(request.body));
  hub = await createTestHub({ registry: createRegistry(), outbound: loopback });
  const admin = createAsk(hub, await createTestToken(hub));
  const ok = async (path: string, options: Parameters<typeof admin>[1] = {}): Promise<Json> => {
    const answer = await admin(path, options);
    const body = answer.status === 204 ? null : await answer.json();
    assert.ok(answer.ok, `${path}: ${answer.status} ${JSON.stringify(body)}`);
    return body;
  };
  const hand = async (text: string, query = "") => {
    const { run, drop } = await ok(`/v1/connections/feed/drops?name=people.csv${query}`, {
      body: text,
      headers: { "content-type": "text/csv" },
    });
    await carry();
    hub.clock.ms += 1000;
    return { run: run.id as string, drop: drop.id as string };
  };
  await ok("/v1/custom-fields/badge", { method: "PUT", json: { label: "Badge", type: "text" } });
  const feed = await ok("/v1/connections", {
    json: { connector: "csv-upload", name: "Feed", slug: "feed", policy: { priority: 10 } },
  });
  const hook = await ok("/v1/webhook-endpoints", { json: { url: receiver.url, description: "the admin's" } });
  const first = await hand(
    csv(HEADER, marked("E77", ""), marked("E78", "E77"), marked(ZEROS, ""), marked(`${MARK}-9`, "", "guess@acme.test")),
  );
  const failed = await hand(
    csv(HEADER, marked("E79", "E404").replace("@", ""), marked("E77", "E78")),
    "&coverage=diff",
  );
  // A file without a header: somebody's row is taken for one.
  await hand(csv(`${MARK} Ana,${MARK} Ana,${MARK}@acme.test`));
  await ok("/v1/connections/feed", { method: "PATCH", json: { limits: { update: { floor: 0, percent: 0 } } } });
  const held = await hand(csv(HEADER, marked("E77", "").replace("lead", "chief")), "&coverage=diff");
  const [user] = (await ok("/v1/users?employee_id=E77")).data;
  const [other] = (await ok("/v1/users?employee_id=E78")).data;
  const [department] = (await ok("/v1/departments")).data;
  await deliver();
  const deliveries = (await ok(`/v1/webhook-endpoints/${hook.id}/deliveries`)).data;
  const sent = deliveries.find(({ type }: Json) => type === "users.changed");
  const upload = (await ok("/v1/connections/feed/uploads", { json: { name: "a.csv" } })).upload;
  ids = {
    first: first.run,
    failed: failed.run,
    held: held.run,
    drop: failed.drop,
    user: user.id,
    other: other.id,
    department: department.id,
    hook: hook.id,
    delivery: sent.id,
    event: sent.event_id,
    upload: upload.id,
    connection: feed.id,
  };
  assert.equal((await ok(`/v1/runs/${held.run}`)).status, "held");
});

after(async () => {
  hub.close();
  await receiver.close();
});

async function deliver(): Promise<void> {
  await runCourier(hub, { sender: { name: "test" }, lookEveryMs: 5, untilIdle: true });
}

/** Values for the parameters of a path, by its beginning. */
const SUBJECTS: readonly (readonly [string, (keyof typeof ids)[]])[] = [
  ["/v1/connections/", ["connection"]],
  ["/v1/runs/", ["first", "failed", "held"]],
  ["/v1/drops/", ["drop"]],
  ["/v1/uploads/", ["upload"]],
  ["/v1/users/", ["user"]],
  ["/v1/departments/", ["department"]],
  ["/v1/webhook-endpoints/", ["hook"]],
  ["/v1/deliveries/", ["delivery"]],
  ["/v1/events/", ["event"]],
];

function pathsOf(route: string): string[] {
  const subjects = SUBJECTS.find(([start]) => route.startsWith(start))?.[1] ?? ["user"];
  return [
    ...new Set(
      subjects.map((name) =>
        route.replace(":id", ids[name]!).replace(":key", "badge").replace(":part", "1").replace(/:\w+/g, "x")
      ),
    ),
  ];
}

const GUESSES = [
  { employee_id: "E77", email: "x@acme.test", first_name: "X", last_name: "Y" },
  { employee_id: "777", email: "z@acme.test", first_name: "X", last_name: "Y" },
  { employee_id: "E500", email: "guess@acme.test", first_name: "X", last_name: "Y" },
  { employee_id: "E78", title: "Guess", manager_id: "777" },
];

/** What is asked where an empty body would say little. */
const BODIES: Readonly<Record<string, () => readonly unknown[]>> = {
  "POST /v1/users/import": () => [
    { users: GUESSES, mode: "plan" },
    { users: [{ employee_id: "E77", manager_id: "E78" }], mode: "plan" },
  ],
  "PATCH /v1/users/:id": () => [
    { title: "Guess" },
    { email: "guess@acme.test" },
    { manager: { id: ids.other } },
    { employee_id: ZEROS.slice(3) },
  ],
  "PATCH /v1/departments/:id": () => [{ active: false }, { parent: { id: ids.department } }, {}],
  "POST /v1/webhook-endpoints": () => [{ url: `${receiver.url}/thief` }],
  "PATCH /v1/webhook-endpoints/:id": () => [{ url: `${receiver.url}/thief` }, { event_types: ["users.changed"] }],
  "POST /v1/webhook-endpoints/:id/replay": () => [{ since: "2026-01-01" }],
  // A pair that is quickly made.
  "POST /v1/connections/:id/pgp-keys": () => [{ type: "ecc" }],
  "POST /v1/runs/:id/approve": () => [{ plan_hash: "0" }],
};

/** Every route of the API, once each. */
function routes(): { method: string; path: string }[] {
  const all = createApp(hub).routes.filter(({ path, method }) =>
    (path.startsWith("/v1/") || path === "/metrics") && method !== "ALL" && !path.endsWith("*")
  );
  return [...new Map(all.map(({ method, path }) => [`${method} ${path}`, { method, path }])).values()];
}

/** What is erased or deleted shows nothing any more. */
const ORDER = ["GET", "POST", "PUT", "PATCH", "DELETE", "ERASE"];

/** Alone, each of them; those that hold others are not one scope. */
const ALONE = SCOPES.filter((scope) => !["users:read", "admin", "operator"].includes(scope));

test("a token that may read people sees them, so that there was something to be seen", async () => {
  const ask = createAsk(hub, await createTestToken(hub, { scopes: ["users:read", "runs:read", "webhooks:read"] }));
  for (
    const path of [
      "/v1/users",
      `/v1/runs/${ids.first}/changes`,
      `/v1/runs/${ids.failed}/issues`,
      `/v1/runs/${ids.failed}/failures.csv`,
      `/v1/drops/${ids.drop}/content`,
      "/v1/events",
      "/v1/runs",
    ]
  ) assert.ok((await (await ask(path)).text()).toLowerCase().includes(MARK), path);
});

test("an endpoint that webhooks:write alone has made is sent nothing of people, not by a replay, and no link", async () => {
  const thief = createAsk(hub, await createTestToken(hub, { scopes: ["webhooks:write"] }));
  const made = await (await thief("/v1/webhook-endpoints", { json: { url: `${receiver.url}/thief` } })).json();
  assert.deepEqual(made.scopes, ["webhooks:write"]);
  assert.equal((await thief(`/v1/webhook-endpoints/${made.id}/replay`, { json: { since: "2026-01-01" } })).status, 202);
  await deliver();
  const stolen = receiver.received.filter(({ path }) => path === "/thief").map(({ body }) => body);
  for (const type of ["users.changed", "run.held", "run.failures"]) {
    assert.ok(stolen.some((body) => body.includes(`"${type}"`)), `a ${type} was replayed to it`);
  }
  assert.deepEqual(stolen.filter((body) => body.toLowerCase().includes(MARK)), []);
  assert.deepEqual(stolen.filter((body) => /\/r\/|\/reports\//.test(body)), []);
});

test("no scope alone but users:read shows anything of people whom the token did not send", async () => {
  const asks = new Map<Scope, ReturnType<typeof createAsk>>();
  for (const scope of ALONE) asks.set(scope, createAsk(hub, await createTestToken(hub, { scopes: [scope] })));
  let answered = 0;
  const leaks: string[] = [];
  const last = ({ method, path }: { method: string; path: string }) =>
    ORDER.indexOf(path.endsWith("/erase") ? "ERASE" : method);
  const all = routes().sort((a, b) => last(a) - last(b));
  for (const { method, path } of all) {
    for (const [scope, ask] of asks) {
      for (const filled of pathsOf(path)) {
        for (const json of BODIES[`${method} ${path}`]?.() ?? [{}]) {
          // Uploads are planned at once, so that an import is answered record by record.
          const asked = ask(filled, { method, ...(method === "GET" || method === "DELETE" ? {} : { json }) });
          const carried = path === "/v1/users/import" ? carryUntil(asked) : asked;
          const answer = await carried;
          const text = `${await answer.text()} ${JSON.stringify([...answer.headers])}`;
          if (answer.ok) answered++;
          if (text.toLowerCase().includes(MARK) || text.includes(ZEROS)) {
            leaks.push(`${scope}: ${method} ${filled} ${answer.status}: ${text.slice(0, 1000)}`);
          }
        }
      }
    }
  }
  assert.deepEqual(leaks, []);
  assert.ok(answered >= 40, `only ${answered} requests were let through, so little was looked at`);
});

async function carryUntil(asked: Promise<Response>): Promise<Response> {
  let done = false;
  const answer = asked.finally(() => done = true);
  while (!done) {
    await carry();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return await answer;
}
