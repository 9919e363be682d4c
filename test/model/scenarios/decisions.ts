/** Somebody who knows the people looks at the rows that are refused, and says who is meant. */
import { encodeId } from "../../../src/model/id.ts";
import { acceptRow, releaseUser } from "../../../src/store/people/identities.ts";
import { loadUsers } from "../../../src/store/people/users.ts";
import { streamIssueRows } from "../../../src/store/runs/issues.ts";
import type { Lab } from "../../laws/lab.ts";
import { acceptRow as acceptInModel, releasePerson } from "../rules/decisions.ts";
import type { State, Verdict } from "../rules/state.ts";
import type { Seen } from "./engine.ts";
import type { Day } from "./scenario.ts";
import type { Truth } from "./truth.ts";

export interface Answer {
  readonly line: number;
  readonly way: "accept" | "release";
}

/** The rows that are decided about, in their order: those that the model refuses as well. */
export async function decideRows(
  lab: Lab,
  { run }: Seen,
  day: Day,
  { truth, doubts }: { readonly truth: Truth; readonly doubts: Verdict["doubts"] },
): Promise<Answer[]> {
  const { hub: { db }, organization: { id }, clock } = lab;
  const answers: Answer[] = [], released = new Set<number>();
  for await (const { line, key, issues } of streamIssueRows(db, id, run.id)) {
    const conflict = issues.find((issue) => issue.conflict !== undefined)?.conflict;
    const isInDoubt = doubts.some((doubt) => doubt.line === line);
    if (conflict === undefined || line === null || key === null || !isInDoubt || released.has(conflict.user)) continue;
    const known = truth.get(encodeId("usr", conflict.user)), row = day.rows[line - 2];
    const [user] = await loadUsers(db, id, [conflict.user]);
    if (known === undefined || row === undefined || user === undefined) continue;
    const named = { connectionId: run.connectionId, sourceKey: key, ...conflict };
    if (known.truth === row.truth) {
      await acceptRow(db, user, named, clock.ms);
      answers.push({ line, way: "accept" });
    } else {
      await releaseUser(db, user, named, clock.ms);
      released.add(conflict.user);
      answers.push({ line, way: "release" });
    }
  }
  return answers;
}

/** The same in the model. */
export function decideInModel(
  state: State,
  { doubts }: Verdict,
  { connection }: Day,
  answers: readonly Answer[],
): State {
  return answers.reduce((before, { line, way }) => {
    const doubt = doubts.find((each) => each.line === line);
    if (doubt === undefined) return before;
    return way === "accept" ? acceptInModel(before, connection, doubt) : releasePerson(before, connection, doubt);
  }, state);
}
