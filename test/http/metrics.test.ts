import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import test from "node:test";
import { createMetrics } from "../../src/model/metrics.ts";
import { formatFamilies, histogram } from "../../src/std/prometheus.ts";
import { addToTally, loadFigures } from "../../src/store/figures.ts";
import { without } from "../support/programs.ts";
import { createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { crowd, csv, HEADER, importing } from "../support/imports.ts";

const PROMTOOL = "/usr/bin/promtool";

/** Figures by name and labels, as they stand in the text. */
async function scrape(hub: TestHub): Promise<{ text: string; figures: Map<string, number> }> {
  const answer = await createAsk(hub, await createTestToken(hub, { scopes: ["operator"] }))("/metrics");
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  assert.equal(answer.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const figures = new Map(
    text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map((line): [string, number] => {
      const end = line.lastIndexOf(" ");
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
  return { text, figures };
}

const labelled = (name: string, label: string, figures: Map<string, number>) =>
  Object.fromEntries(
    [...figures].flatMap(([key, value]) => {
      const found = new RegExp(`^${name}\\{${label}="([^"]+)"\\}$`).exec(key)?.[1];
      return found === undefined || value === 0 ? [] : [[found, value]];
    }),
  );

test("only an operator reads the figures", async () => {
  const hub = await createTestHub();
  assert.equal((await createAsk(hub, null)("/metrics")).status, 401);
  assert.equal((await createAsk(hub, await createTestToken(hub))("/metrics")).status, 403);
  hub.close();
});

test("runs are counted by how they ended, rows by what became of them, each exactly once", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, ...crowd(10), "E9999,nowhere@,No,Where"));
    await world.import(csv(HEADER, ...crowd(10, 1, () => "").map((line) => line.replace("First0001", "Una"))));
    const again = csv(HEADER, ...crowd(10, 1, () => "").map((line) => line.replace("First0001", "Una")));
    assert.equal((await world.import(again)).status, "skipped");
    assert.equal((await world.import("nothing\n1\n")).status, "failed");
    assert.equal((await world.import(csv(HEADER, ",x@,,"))).status, "failed");
    const planned = await world.import(csv(HEADER, "E0001,p0001@acme.test,Ada,Last0001"), { mode: "plan" });
    assert.equal((await world.post(`/v1/runs/${planned.id}/cancel`)).status, 200);
    await world.handIn(csv(HEADER, ...crowd(3)));
    const waiting = await world.handIn(csv(HEADER, ...crowd(4)));
    assert.equal((await world.post(`/v1/runs/${waiting}/cancel`)).status, 200);
    world.later(90_000);

    const { figures } = await scrape(world.hub);
    assert.deepEqual(labelled("muster_runs_total", "status", figures), {
      partial: 1,
      succeeded: 1,
      skipped: 1,
      failed: 2,
      cancelled: 2,
    });
    assert.deepEqual(labelled("muster_rows_total", "outcome", figures), {
      created: 10,
      updated: 1,
      unchanged: 9,
      failed: 2,
    });
    assert.deepEqual(labelled("muster_runs_open", "status", figures), { queued: 1 });
    assert.equal(figures.get("muster_queue_depth"), 1);
    assert.equal(figures.get("muster_queue_oldest_seconds"), 90);
    assert.equal(figures.get("muster_run_plan_duration_seconds_count"), 3);
    assert.equal(figures.get("muster_run_apply_duration_seconds_count"), 2);
  }));

test("a held run is open until it is superseded, and its connection is held; a paused one is paused", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0 } });
    await world.import(csv(HEADER, ...crowd(100)));
    await world.import(csv(HEADER, ...crowd(30)));
    const before = (await scrape(world.hub)).figures;
    assert.deepEqual(labelled("muster_runs_open", "status", before), { held: 1 });
    assert.deepEqual(labelled("muster_connections", "state", before), { active: 1, held: 1 });
    await world.import(csv(HEADER, ...crowd(101)));
    await world.ask("/v1/connections/api/pause", { method: "POST" });
    const after = (await scrape(world.hub)).figures;
    assert.deepEqual(labelled("muster_runs_total", "status", after), { succeeded: 2, superseded: 1 });
    assert.deepEqual(labelled("muster_connections", "state", after), { active: 1, paused: 1 });
  }));

test("a connection whose inputs fail again and again is in error, until one works", () =>
  importing(async (world) => {
    const states = async () => labelled("muster_connections", "state", (await scrape(world.hub)).figures);
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(await states(), { active: 2 });
      await world.import(`nothing\n${i}\n`);
    }
    assert.deepEqual(await states(), { active: 1, error: 1 });
    await world.import(csv(HEADER, ...crowd(3)));
    assert.deepEqual(await states(), { active: 2 });
  }));

test("times of planning and applying are measured by the hub's clock, in buckets that add up", () =>
  importing(async (world) => {
    const id = await world.handIn(csv(HEADER, ...crowd(5)));
    await world.carry({ onProgress: ({ phase }) => void (world.hub.clock.ms += phase === "apply" ? 2_000 : 300) });
    assert.equal((await world.run(id)).status, "succeeded");
    const { figures } = await scrape(world.hub);
    const plan = figures.get("muster_run_plan_duration_seconds_sum")!;
    const apply = figures.get("muster_run_apply_duration_seconds_sum")!;
    assert.ok(plan >= 0.3 && plan < 2, String(plan));
    assert.ok(apply >= 2, String(apply));
    assert.equal(figures.get('muster_run_apply_duration_seconds_bucket{le="1"}'), 0);
    assert.equal(figures.get('muster_run_apply_duration_seconds_bucket{le="+Inf"}'), 1);
  }));

test("requests are counted by route, never by what was asked for, and a made-up method is one of many", async () => {
  const hub = Object.assign(await createTestHub(), { metrics: createMetrics(0, () => ({ resident: 1, heap: 2 })) });
  const ask = createAsk(hub, await createTestToken(hub));
  await ask("/v1/users?email=ana@example.com");
  await ask("/v1/users/usr_00000000001");
  await ask("/v1/users/usr_00000000002");
  await ask("/ana@example.com");
  await ask("/v1/users", { method: "ANA" });
  const { text, figures } = await scrape(hub);
  const count = (method: string, route: string, status: number) =>
    figures.get(`muster_http_requests_total{method="${method}",route="${route}",status="${status}"}`);
  assert.equal(count("GET", "/v1/users", 200), 1);
  assert.equal(count("GET", "/v1/users/:id", 404), 2);
  assert.equal(count("GET", "none", 404), 1);
  assert.equal(count("OTHER", "none", 405), 1);
  assert.equal(figures.get('muster_http_request_duration_seconds_count{method="GET",route="/v1/users/:id"}'), 2);
  assert.equal(figures.get("process_resident_memory_bytes"), 1);
  assert.ok(!/ana|usr_|ANA/.test(text), text);
  hub.close();
});

test("the figures of runs are the same after a restart and in another process: they are in the database", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, ...crowd(3)));
    const one = Object.assign({ ...world.hub }, { metrics: createMetrics(0) });
    const other = Object.assign({ ...world.hub }, { metrics: createMetrics(0) });
    const pick = ({ figures }: Awaited<ReturnType<typeof scrape>>) =>
      [...figures].filter(([name]) => name.startsWith("muster_r") || name.startsWith("muster_c"));
    assert.deepEqual(pick(await scrape(one)), pick(await scrape(other)));
  }));

test("what others count is one more row of a sum, in the write that does it", async () => {
  const hub = await createTestHub();
  await hub.db.write([
    addToTally(hub.db, "muster_things_total", "good"),
    addToTally(hub.db, "muster_things_total", "good", 2),
  ]);
  assert.equal((await loadFigures(hub.db)).tallies.get("muster_things_total")?.get("good"), 3);
  hub.close();
});

test("labels and help are written as the format asks", () => {
  const text = formatFamilies([
    { name: "a", type: "gauge", help: "Back\\slash.", samples: [{ labels: { x: 'q"\\\n' }, value: 1 }] },
    { name: "none", type: "gauge", help: "Nothing.", samples: [] },
    { name: "h_seconds", type: "histogram", help: "H.", samples: histogram([1, 2], [3, 0, 4], 9.5) },
  ]);
  assert.equal(
    text,
    [
      "# HELP a Back\\\\slash.",
      "# TYPE a gauge",
      'a{x="q\\"\\\\\\n"} 1',
      "# HELP h_seconds H.",
      "# TYPE h_seconds histogram",
      'h_seconds_bucket{le="1"} 3',
      'h_seconds_bucket{le="2"} 3',
      'h_seconds_bucket{le="+Inf"} 7',
      "h_seconds_sum 9.5",
      "h_seconds_count 7",
      "",
    ].join("\n"),
  );
});

test(
  "promtool has nothing to say against the figures",
  { skip: without(PROMTOOL, "prometheus") },
  () =>
    importing(async (world) => {
      await world.import(csv(HEADER, ...crowd(3)));
      const hub = Object.assign(world.hub, { metrics: createMetrics(0, () => ({ resident: 1, heap: 2 })) });
      await scrape(hub);
      const { text } = await scrape(hub);
      const child = spawn(PROMTOOL, ["check", "metrics"], { stdio: ["pipe", "pipe", "pipe"] });
      let output = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => output += data);
      child.stdin.end(text);
      assert.equal(await new Promise((resolve) => child.on("close", resolve)), 0, output);
      assert.equal(output.trim(), "");
    }),
);
