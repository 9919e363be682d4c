/** Laws about people in a hub: what a second run, another order of rows and rows that come twice do to them. */
import assert from "node:assert/strict";
import type { TrialRun } from "../trial.ts";
import { assertSame } from "./compare.ts";
import { fetches, type Law } from "./law.ts";
import { inHub } from "./played-hub.ts";
import { changeLists, type ChangeRows } from "./row-lists.ts";
import { playerOf } from "./tried.ts";

const NOBODY = "the hub makes nobody of the rows of the cases";
const NO_LIST = "none of its answers is a list of rows in JSON";
const ASKS_ELSE = "it asks for something else then";

export const HUB_LAWS: readonly Law[] = [
  {
    name: "a second run over the same source changes nobody",
    applies: ({ source, drop }) => source !== undefined || drop !== undefined,
    hold: (subject, skip) =>
      inHub(subject, async (run) => {
        const first = await run();
        if (!hasPeople(first)) return skip(NOBODY);
        const second = await run({ mode: "plan" });
        assert.equal(second.error, null, `the second run fails: ${second.error?.message}`);
        assertHarmless(second, first, "the second run");
      }),
  },
  {
    name: "rows in another order give the same people",
    applies: fetches,
    async hold(subject, skip) {
      const turned = changeLists(playerOf(subject.cases.source), await subject.whole(), (rows) => [...rows].reverse());
      const asItIs = await inHub(subject, (run) => run());
      const other = await inHub(subject, (run) => run({ source: turned.source }));
      if (!hasPeople(asItIs)) return skip(NOBODY);
      if (turned.count() === 0) return skip(NO_LIST);
      if (!asksTheSame(other, asItIs)) return skip(ASKS_ELSE);
      assert.equal(other.error, null, `the rows of each list are turned round: ${other.error?.message}`);
      assertSame(shown(other), shown(asItIs), "the rows of each list are turned round");
    },
  },
  {
    name: "rows that come again on the next page do no harm to people",
    applies: fetches,
    async hold(subject, skip) {
      const repeating = changeLists(playerOf(subject.cases.source), await subject.whole(), withRowsOfPageBefore());
      await inHub(subject, async (run) => {
        const asItIs = await run();
        const again = await run({ mode: "plan", source: repeating.source, last: null });
        if (!hasPeople(asItIs)) return skip(NOBODY);
        if (repeating.count() === 0) return skip(NO_LIST);
        if (!asksTheSame(again, asItIs)) return skip(ASKS_ELSE);
        assertHarmless(again, asItIs, "each page begins with the rows of the page before");
      });
    },
  },
];

/** Fails if the source could be read in part only. */
function hasPeople({ changes, error }: TrialRun): boolean {
  if (changes.length > 0) assert.equal(error, null, `The source of the cases cannot be read: ${error?.message}`);
  return changes.length > 0;
}

/** As when people are added at the front of a list while its pages are read. */
function withRowsOfPageBefore(): ChangeRows {
  const before = new Map<string, readonly unknown[]>();
  return (rows, place) => {
    const all = [...before.get(place) ?? [], ...rows];
    before.set(place, rows);
    return all;
  };
}

/** A source may be paged by the last row of each page. What it answers then is of another read. */
function asksTheSame(run: TrialRun, other: TrialRun): boolean {
  const asked = ({ requests }: TrialRun) => [...new Set(requests.map(({ method, url }) => `${method} ${url}`))].sort();
  return asked(run).join("\n") === asked(other).join("\n");
}

/** Fails if a run changes people, misses some or refuses more rows than the one before. A run that fails does none of it. */
function assertHarmless(run: TrialRun, before: TrialRun, about: string): void {
  assert.deepEqual(shown(run).slice(0, 3), [], `${about} changes people`);
  assert.equal(run.counts.missing, 0, `${about} takes people for missing`);
  const refused = run.issues.filter(({ severity }) => severity === "error").map(({ message }) => message);
  assert.ok(run.counts.failed <= before.counts.failed, `${about} has rows refused: ${refused[0]}`);
}

/** Changes without ids, which go by the order of rows. */
function shown({ changes }: TrialRun): object[] {
  const names = new Map(
    changes.map(({ subject: { id, email, employee_id, name } }) => [id, email ?? employee_id ?? name] as const),
  );
  const named = (value: unknown) => typeof value === "string" ? names.get(value) ?? value : value;
  return changes.map(({ action, entity, fields }) => ({
    action,
    entity,
    ...Object.fromEntries(Object.entries(fields).map(([field, { after }]) => [`field ${field}`, named(after)])),
  }));
}
