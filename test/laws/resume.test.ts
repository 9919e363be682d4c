/** A plan is only a plan, what is applied is what was planned, and a death in between is not noticed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeId } from "../../src/model/id.ts";
import { failureCsv } from "../../src/report/report.ts";
import { runNext } from "../../src/runs/next.ts";
import { listRunChanges } from "../../src/store/runs/changes.ts";
import { type ChangeView } from "../../src/model/change.ts";
import type { Statement } from "../../src/store/database.ts";
import { streamIssueRows } from "../../src/store/runs/issues.ts";
import type { Run } from "../../src/store/runs/runs.ts";
import { roundsOnDeno } from "../support/rounds.ts";
import { approve, createLab, editByHand, hand, holds, type Lab, rowsOf, run, runOf } from "./lab.ts";
import { accountOf, stateOf } from "./state.ts";
import { ids, inputOf, type InputStep, key, live, patch, policy, type Step, steps } from "./world.ts";

const world = (most: number) => fc.record({ key, policy, steps: steps({ steps: most }) });

/** Does all steps but the last input; gives that. */
async function liveUntilLast(lab: Lab, steps: readonly Step[]): Promise<InputStep> {
  const last = steps.findLastIndex((step) => step.kind === "input");
  for (const [index, step] of steps.entries()) if (index !== last) await live(lab, step);
  return steps[last] as InputStep;
}

test("a process that dies between any two writes, again and again, leaves what one that lives leaves", async () => {
  const deaths = fc.array(fc.record({ after: fc.nat(25), done: fc.boolean() }), { minLength: 1, maxLength: 5 });
  await holds(
    fc.record({ world: world(3), deaths }),
    roundsOnDeno(70, 4),
    async ({ world: { steps, ...rules }, deaths }, open) => {
      const lab = await open(createLab(rules));
      const input = inputOf(await liveUntilLast(lab, steps));
      const dying = await open(lab.copy());
      const whole = await run(lab, input);
      const id = await hand(dying, input);
      for (const [life, death] of deaths.entries()) await carryUntilDeath(dying, `life ${life}`, death);
      await carryUntilDeath(dying, "the last life", null);
      const resumed = await runOf(dying, id);
      assert.deepEqual(await accountOf(dying, resumed), await accountOf(lab, whole));
      assert.deepEqual(await stateOf(dying, { digests: true }), await stateOf(lab, { digests: true }));
      const [organization] = await rowsOf(dying.hub.db, "organizations");
      assert.equal(organization!.lease_owner, null);
    },
  );
});

/** Longer than any pause after a death. */
const PAUSE_MS = 20_000;

/** Carries runs until the write number `after`, which is done or not, and after which nothing is written any more. */
async function carryUntilDeath(lab: Lab, owner: string, death: { after: number; done: boolean } | null): Promise<void> {
  const { db } = lab.hub;
  // The run of a process that died is begun again after a pause.
  lab.clock.ms += PAUSE_MS;
  let writes = 0;
  const write = async (statements: readonly Statement[]) => {
    if (death === null || writes++ < death.after) return await db.write(statements);
    if (death.done && writes === death.after + 1) await db.write(statements);
    throw new Error("The process is dead");
  };
  const signal = new AbortController().signal;
  const isGone = () => true;
  const hub = { ...lab.hub, db: { ...db, write } };
  try {
    while (await runNext(hub, { signal, owner, isGone, rethrow: true }) !== null);
  } catch (error) {
    if (death === null || writes <= death.after) throw error;
  }
}

test("a run that is asked to stop goes on where it stopped", async () => {
  const stops = fc.array(fc.nat(8), { minLength: 1, maxLength: 4 });
  await holds(
    fc.record({ world: world(3), stops }),
    roundsOnDeno(40, 3),
    async ({ world: { steps, ...rules }, stops }, open) => {
      const lab = await open(createLab(rules));
      const input = inputOf(await liveUntilLast(lab, steps));
      const stopping = await open(lab.copy());
      const whole = await run(lab, input);
      const id = await hand(stopping, input);
      for (const after of [...stops, Infinity]) {
        const stop = new AbortController();
        let pauses = 0;
        const pause = () => {
          if (pauses++ === after) stop.abort();
          return Promise.resolve();
        };
        while (
          !stop.signal.aborted && await runNext(stopping.hub, { signal: stop.signal, owner: "law", pause }) !== null
        );
      }
      assert.deepEqual(await accountOf(stopping, await runOf(stopping, id)), await accountOf(lab, whole));
      assert.deepEqual(await stateOf(stopping, { digests: true }), await stateOf(lab, { digests: true }));
    },
  );
});

/** The row as it was; a digest may be voided at any time, as that only means that its row is looked at. */
function withoutVoided(was: Record<string, unknown>, is: Record<string, unknown>): Record<string, unknown> {
  return "digest" in was && is.digest === null && is.canonical === null
    ? { ...was, digest: null, canonical: null }
    : was;
}

const KEPT = ["users", "links", "departments", "pending_managers", "connections"];

test("planning writes no user, no link, no department; what is approved is what is applied", async () => {
  await holds(world(4), roundsOnDeno(70, 4), async ({ steps, ...rules }, open) => {
    const lab = await open(createLab(rules));
    const input = inputOf(await liveUntilLast(lab, steps));
    const before = await Promise.all(KEPT.map((table) => rowsOf(lab.hub.db, table)));
    const planned = await run(lab, { ...input, mode: "plan" });
    const after = await Promise.all(KEPT.map((table) => rowsOf(lab.hub.db, table)));
    assert.deepEqual(after, before.map((rows, i) => rows.map((row, j) => withoutVoided(row, after[i]![j]!))));
    if (planned.status !== "planned") return assert.equal(planned.status, "failed");

    const was = await viewUsers(lab);
    const wanted = await changes(lab, planned);
    assert.ok(
      wanted.every((change) => change.status === "planned" && change.applied_at === null && change.seq === null),
    );
    const applied = await approve(lab, planned);
    assert.ok(applied.status === "succeeded" || applied.status === "partial");
    const made = await changes(lab, applied);
    assert.ok(made.every((change) => change.status === "applied"));
    assert.deepEqual(made.map(planOnly), wanted.map(planOnly));

    const is = await viewUsers(lab);
    const changed = new Map(
      made.filter(({ entity }) => entity === "user").map((change) => [change.subject.id, change]),
    );
    assert.equal(changed.size, made.filter(({ entity }) => entity === "user").length);
    for (const [id, now] of is) {
      const change = changed.get(id), old = was.get(id);
      if (change === undefined) {
        assert.deepEqual(now, old);
        continue;
      }
      assert.equal(old === undefined, change.action === "create");
      for (const field of Object.keys(now)) {
        const written: ChangeView["fields"][string] | undefined = change.fields[field];
        assert.deepEqual([field, written?.before ?? null], [
          field,
          written === undefined ? null : old?.[field] ?? null,
        ]);
        assert.deepEqual([field, now[field]], [
          field,
          written === undefined ? old?.[field] ?? now[field] : written.after,
        ]);
        if (old !== undefined && written === undefined) assert.deepEqual(now[field], old[field]);
      }
    }
  });
});

const planOnly = ({ status: _, applied_at: _at, seq: _seq, ...change }: ChangeView) => change;

async function changes(lab: Lab, run: Run): Promise<readonly ChangeView[]> {
  return (await listRunChanges(lab.hub.db, lab.organization.id, run.id, { after: 0, limit: 10_000 })).changes;
}

/** Everybody's fields as changes name them. */
async function viewUsers(lab: Lab): Promise<Map<string, Record<string, unknown>>> {
  const departments = new Map((await rowsOf(lab.hub.db, "departments")).map(({ id, name }) => [id, name]));
  return new Map((await rowsOf(lab.hub.db, "users")).map((user) => {
    const custom = JSON.parse(user.custom as string | null ?? "{}");
    return [encodeId("usr", user.id as number), {
      employee_id: user.employee_id,
      email: user.email,
      first_name: user.first_name,
      last_name: user.last_name,
      title: user.title,
      phone: user.phone,
      employment_status: user.employment_status,
      deactivation_date: user.deactivation_date,
      status: user.status,
      department_name: departments.get(user.department_id) ?? null,
      manager: user.manager_id === null ? null : encodeId("usr", user.manager_id as number),
      badge: custom.badge ?? null,
    }];
  }));
}

test("counts add up to the rows, and to the rows with issues", async () => {
  await holds(world(4), roundsOnDeno(60, 4), async ({ steps, ...rules }, open) => {
    const lab = await open(createLab(rules));
    for (const step of steps) {
      const done = await live(lab, step);
      if (done?.counts == null || step.kind === "hand" || step.kind === "days") continue;
      const { created, updated, unchanged, deactivated, reactivated, skipped, failed, warned, read } = done.counts;
      const rows = step.kind === "input" ? step.people : step.rows;
      assert.equal(read, rows.length);
      assert.equal(created + updated + unchanged + deactivated + reactivated + skipped + failed, read);
      let errors = 0, warnings = 0;
      const places = new Set<number>();
      for await (const row of streamIssueRows(lab.hub.db, lab.organization.id, done.id)) {
        assert.ok(row.issues.length > 0);
        if (row.n < 0) continue;
        assert.ok(!places.has(row.n));
        places.add(row.n);
        // A row without quotes is a line, and the header is the first.
        assert.equal(row.line, row.n + 2);
        if (row.issues.some(({ severity }) => severity === "error")) errors++;
        else warnings++;
      }
      assert.deepEqual({ errors, warnings }, { errors: failed, warnings: warned });
      const report = await new Response(failureCsv(
        streamIssueRows(lab.hub.db, lab.organization.id, done.id),
        done.input!,
      )).text();
      assert.ok(report.trimEnd().split("\r\n").length > errors + warnings);
      if (done.outcomes !== null) {
        const counted = [...done.outcomes].filter((letter) => letter === "f").length;
        assert.equal(counted, failed);
      }
    }
  });
});

test("an edit by hand while a run is carried is neither lost nor taken for a value of the input", async () => {
  const edit = fc.record({ who: fc.constantFrom(...ids), written: patch, at: fc.nat(12) });
  const edits = fc.array(edit, { minLength: 1, maxLength: 3 });
  await holds(
    fc.record({ world: world(3), edits }),
    roundsOnDeno(50, 4),
    async ({ world: { steps, ...rules }, edits }, open) => {
      const lab = await open(createLab(rules));
      const input = inputOf(await liveUntilLast(lab, steps));
      await hand(lab, input);
      let writes = 0;
      let busy = false;
      const { db } = lab.hub;
      // Between two writes of the run, as the thread that answers requests does.
      const write = async (statements: readonly Statement[]) => {
        writes++;
        for (const { who, written, at } of busy ? [] : edits) {
          if (at !== writes) continue;
          busy = true;
          await editByHand(lab, who, written.patch, written.manager);
          busy = false;
        }
        return await db.write(statements);
      };
      const hub = { ...lab.hub, db: { ...db, write } };
      const signal = new AbortController().signal;
      while (await runNext(hub, { signal, owner: "law", rethrow: true }) !== null);

      const users = new Set((await rowsOf(db, "users")).map(({ id }) => id));
      const departments = new Set((await rowsOf(db, "departments")).map(({ id }) => id));
      for (const user of await rowsOf(db, "users")) {
        assert.ok(user.manager_id === null || users.has(user.manager_id), "the manager is there");
        assert.ok(user.department_id === null || departments.has(user.department_id), "the department is there");
      }
      for (const link of await rowsOf(db, "links")) assert.ok(users.has(link.user_id), "the linked person is there");
      const [fast, slow] = [await open(lab.copy()), await open(lab.copy())];
      const passed = await run(fast, { ...input, mode: "plan" });
      const looked = await run(slow, { ...input, mode: "plan" }, { shortcut: false });
      assert.deepEqual(await accountOf(fast, passed), await accountOf(slow, looked));
    },
  );
});
