/** One input through a hub: all of it is applied or none, it counts each row once, and a second time it changes nothing. */
import assert from "node:assert/strict";
import type { Importing, Outcome } from "../support/imports.ts";
import type { Input } from "./shapes.ts";

const DONE: ReadonlySet<string> = new Set(["succeeded", "partial", "failed", "held", "skipped"]);
const COUNTED = ["created", "updated", "unchanged", "deactivated", "reactivated", "skipped", "failed"] as const;

/** Fails if the hub does what it must not. Gives the run's status, with the error of a whole input. */
export async function importOnce(world: Importing, { name, type, bytes }: Input): Promise<string> {
  const before = await world.people();
  const run = await imported(world, { name, type, bytes }, "auto");
  assert.ok(DONE.has(run.status), run.status);
  if (run.error !== null) {
    assert.ok(run.error.message.length > 20, `${run.error.code} says what is wrong`);
    assert.deepEqual(await world.people(), before, "an input that fails changes nobody");
  } else {
    const counts = COUNTED.reduce((sum, kind) => sum + run.counts[kind], 0);
    assert.equal(counts, run.counts.read, "each row counts once");
  }
  for (const issue of run.issues) assert.ok(issue.message !== "" && issue.suggestion !== "", issue.code);
  if (run.status === "held") {
    await world.post(`/v1/runs/${run.id}/cancel`);
  } else if (run.error === null) {
    const again = await imported(world, { name, type, bytes }, "plan");
    assert.deepEqual(again.changes, [], "the same input a second time plans nothing");
    if (again.status === "planned") await world.post(`/v1/runs/${again.id}/cancel`);
  }
  return run.error === null ? run.status : `${run.status}: ${run.error.code}`;
}

async function imported(world: Importing, { name, type, bytes }: Input, mode: "auto" | "plan"): Promise<Outcome> {
  return await world.import(bytes, { name, type, mode, coverage: "diff" });
}
