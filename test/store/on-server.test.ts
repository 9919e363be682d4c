/** The stories of runs and of the API, once more with the database on a libSQL server, and how large its requests become. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { crowd, csv, HEADER, importing } from "../support/imports.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
// Not those that move a clock past a lease: a server has its own.
const STORIES = ["runs/departments", "http/run-flow", "http/drops"];

test("the stories of runs and of the API hold on a server", { skip: onlyInCheckOnDeno }, async () => {
  const files = STORIES.map((name) => `test/${name}.test.ts`);
  const command = "Deno" in globalThis ? ["test", "-A", "--no-check", ...files] : ["--test", ...files];
  const { MUSTER_TEST_ALL: _, MUSTER_SEEN: __, NODE_TEST_CONTEXT: ___, ...env } = process.env;
  const child = spawn(process.execPath, command, {
    cwd: ROOT,
    env: { ...env, MUSTER_TEST_DATABASE: "server" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => output += data);
  assert.equal(await new Promise((resolve) => child.on("exit", resolve)), 0, output);
});

test(
  "an import of many people sends no request above 1 MiB",
  { skip: onlyInCheckOnDeno },
  () =>
    importing(async (world) => {
      const people = 20_000;
      const long = (n: number) => `${'Senior engineer of the ""northern"" works '.repeat(4)}${n}`;
      const lines = crowd(people, 1, (n) => `,"${long(n)}","${long(n)}"`);
      const run = await world.import(csv(`${HEADER},title,location`, ...lines));
      assert.deepEqual([run.status, run.counts.created], ["succeeded", people]);
      const largest = Math.max(...world.hub.server!.received.map(({ bytes }) => bytes));
      assert.ok(largest > 256 * 1024 && largest < 1024 * 1024, `${largest} bytes`);
    }, { onServer: true }),
);
