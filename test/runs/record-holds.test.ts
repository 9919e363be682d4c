import assert from "node:assert/strict";
import { test } from "node:test";
import { HOUR_MS, type Importing, importing } from "../support/imports.ts";

const record = (i: number, more: object = {}) => ({
  employee_id: `E${i}`,
  email: `p${i}@acme.test`,
  first_name: `P${i}`,
  last_name: "Q",
  ...more,
});
const leaver = (i: number) => record(i, { is_active: false });
const lead = (i: number) => record(i, { title: "Lead" });

interface Answer {
  readonly run: { readonly id: string; readonly status: string; readonly counts: Record<string, number> };
  readonly results: readonly { readonly result: string; readonly run?: string; readonly waits_for?: string }[];
}

/** Posts records, and carries runs until the request is answered. */
async function post(world: Importing, ...users: object[]): Promise<Answer> {
  const asked = world.ask("/v1/users/import", { json: { users }, headers: { prefer: "wait=20" } });
  let isAnswered = false;
  asked.finally(() => isAnswered = true);
  while (!isAnswered) {
    await world.carry();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const answer = await asked;
  assert.equal(answer.status, 200);
  return await answer.json();
}

const resultsOf = ({ results }: Answer) => results.map(({ result }) => result);

/** 20 people, of whom two have left within the hour; a third one more is held. Gives the held run's id. */
async function hold(world: Importing): Promise<string> {
  await post(world, ...Array.from({ length: 20 }, (_, i) => record(i)));
  await post(world, leaver(0), leaver(1));
  const { run } = await post(world, leaver(2));
  assert.equal(run.status, "held");
  return run.id;
}

async function approve(world: Importing, id: string): Promise<void> {
  const { plan_hash } = await world.run(id);
  const { status, body } = await world.post(`/v1/runs/${id}/approve`, { plan_hash });
  assert.deepEqual([status, body.code], [202, undefined]);
  await world.carry();
}

const statusOf = async (world: Importing, i: number) => (await world.person(`E${i}`)).status;
const titleOf = async (world: Importing, i: number) => (await world.person(`E${i}`)).title;

test("while a run is held, records about other people go on", () =>
  importing(async (world) => {
    const held = await hold(world);
    const { run, results } = await post(world, lead(5), record(30));
    assert.deepEqual([run.status, results.map(({ result }) => result)], ["succeeded", ["updated", "created"]]);
    assert.equal(await titleOf(world, 5), "Lead");
    assert.equal((await world.run(held)).status, "held");
  }));

test("a record about somebody in the held run waits for the decision, and is applied after it", () =>
  importing(async (world) => {
    const held = await hold(world);
    const answer = await post(world, lead(2), lead(3));
    assert.equal(answer.run.status, "succeeded");
    assert.deepEqual(resultsOf(answer), ["waiting", "updated"]);
    assert.deepEqual([answer.run.counts.read, answer.run.counts.updated], [1, 1]);
    const [waiting] = answer.results;
    assert.equal(waiting!.waits_for, held);
    assert.equal((await world.run(waiting!.run!)).status, "queued");
    assert.deepEqual([await titleOf(world, 2), await titleOf(world, 3)], [null, "Lead"]);
    await approve(world, held);
    const [left, brought] = [await world.run(held), await world.run(waiting!.run!)];
    assert.deepEqual([left.status, left.counts.deactivated], ["succeeded", 1]);
    assert.deepEqual([brought.status, brought.counts.read], ["succeeded", 1]);
    assert.equal(await titleOf(world, 2), "Lead");
  }));
