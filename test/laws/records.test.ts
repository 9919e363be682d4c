/**
 * Records that come one by one, while runs are held, approved and cancelled in any order: each person's records are applied
 * in the order in which they came, none twice, and none is lost that nobody has cancelled.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HOUR_MS, type Importing, importing, type Person } from "../support/imports.ts";
import { roundsOnDeno } from "../support/rounds.ts";

const STEPS = 25, PEOPLE = 20;
/** Few, so that their records meet. */
const BUSY = 7;

/** Numbers from 0 to below 1, the same for the same seed. */
function createChance(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

const person = (i: number, more: object) => ({ employee_id: `E${i}`, first_name: `P${i}`, last_name: "Q", ...more });

const send = (world: Importing, users: readonly object[]) =>
  world.handIn(JSON.stringify({ users }), { connection: "api", name: "users.json", type: "application/json" });

const heldRuns = async (world: Importing) => (await world.runs()).filter(({ status }) => status === "held");

/** `mayLose`: records may be refused, and runs cancelled. Gives the title that was sent last, by employee_id. */
async function live(world: Importing, chance: () => number, mayLose: boolean): Promise<ReadonlyMap<string, string>> {
  const sent = new Map<string, string>();
  const any = (n: number) => Math.floor(chance() * n);
  const changed = (i: number, step: number) => {
    const title = `T${String(step).padStart(3, "0")}`, email = `${step}.${i}@acme.test`;
    const taken = mayLose ? `p${any(BUSY)}@acme.test` : email;
    sent.set(`E${i}`, title);
    const more = [{ is_active: false }, { is_active: false }, { is_active: true }, { email }, { email: taken }, {}];
    return person(i, { title, ...more[any(more.length)] });
  };
  for (let step = 0; step < STEPS; step++) {
    const what = chance();
    if (what < 0.75) {
      const people = new Set(Array.from({ length: 1 + any(3) }, () => any(BUSY)));
      await send(world, [...people].map((i) => changed(i, step)));
    } else if (what < 0.95) {
      const [run] = await heldRuns(world);
      if (run !== undefined && mayLose && chance() < 0.3) await world.post(`/v1/runs/${run.id}/cancel`);
      else if (run !== undefined) await world.post(`/v1/runs/${run.id}/approve`, { plan_hash: run.plan_hash });
    } else world.later(HOUR_MS / 2);
    if (chance() < 0.7) await world.carry();
  }
  await world.carry();
  for (let held = await heldRuns(world); held.length > 0; held = await heldRuns(world)) {
    const { id, plan_hash } = held[0]!;
    await world.post(`/v1/runs/${id}/approve`, { plan_hash });
    await world.carry();
  }
  return sent;
}

async function titlesOf(world: Importing, { id }: Person): Promise<string[]> {
  const { data } = await (await world.ask(`/v1/users/${id}/history?limit=200`)).json();
  return data.flatMap(({ fields }: { fields: { title?: { after: string } } }) => fields.title?.after ?? []).reverse();
}

for (let seed = 1; seed <= roundsOnDeno(30, 2); seed++) {
  const mayLose = seed % 2 === 0;
  test(`records keep their order for each person, and ${mayLose ? "none is undone" : "none is lost"}: ${seed}`, () =>
    importing(async (world) => {
      const everybody = Array.from({ length: PEOPLE }, (_, i) => person(i, { email: `p${i}@acme.test` }));
      await send(world, everybody);
      await world.carry();
      const sent = await live(world, createChance(seed), mayLose);
      const open = (await world.runs()).filter(({ finished_at }) => finished_at === null);
      assert.deepEqual(open, []);
      for (const each of await world.people()) {
        const titles = await titlesOf(world, each);
        assert.deepEqual(titles, [...titles].sort(), each.employee_id!);
        if (!mayLose) assert.equal(each.title, sent.get(each.employee_id!) ?? null, each.employee_id!);
      }
    }));
}
