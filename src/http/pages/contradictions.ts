/**
 * The rows of a run that would make their user somebody else, as its page shows them: who is there, who comes, and what was
 * decided.
 *
 * A reader sees people who are linked to the run's connection or were until a decision here, and everybody by a link that
 * was made for them with a token, or signed in. Who is not shown is not decided about.
 */
import { createWording } from "../../report/wording.ts";
import { type ConflictingRow, type IdentityDecision, listDecisions } from "../../store/people/identities.ts";
import { loadUsers, type StoredUser } from "../../store/people/users.ts";
import { type Decider, listDeciders } from "../../store/runs/deciders.ts";
import type { Contradiction } from "../../store/runs/contradictions.ts";
import { worded } from "../../store/runs/issues.ts";
import type { Database } from "../../store/database.ts";
import type { StoredRun } from "../../store/runs/runs.ts";

export interface Question {
  /** The row's place in the input, which names it in forms. */
  readonly n: number;
  readonly line: number | null;
  readonly row: ConflictingRow;
  /** Why the row was refused, as the reader may read it. */
  readonly message: string;
  /** The user as it is now; null: the reader may not see it, or it was erased. */
  readonly there: StoredUser | null;
  /** Name and values of the user; empty where `there` is null. */
  readonly known: readonly string[];
  /** Name and values of the row. */
  readonly comes: readonly string[];
  /** What was decided and is still so; null: nothing. */
  readonly decision: IdentityDecision | null;
  /** Who decided it; null: nothing was, or nobody knows any more. */
  readonly decider: Decider | null;
  /** Whether nothing was decided, and the row would no longer find this user: there is nothing to decide. */
  readonly isMoot: boolean;
}

const ROW_FIELDS = ["email", "mobile_phone", "employee_id", "source_id", "hire_date", "title"];

export async function questionsOf(
  db: Database,
  { run }: StoredRun,
  seesEverybody: boolean,
  rows: readonly Contradiction[],
): Promise<Question[]> {
  if (rows.length === 0) return [];
  const { organizationId, connectionId } = run;
  const ids = [...new Set(rows.map(({ issues: [{ conflict }] }) => conflict.user))];
  const users = new Map((await loadUsers(db, organizationId, ids)).map((found) => [found.user.id, found]));
  const decisions = await listDecisions(db, organizationId, connectionId, ids);
  const shown = await worded(db, organizationId, rows, seesEverybody ? "people" : { connectionId });
  const deciders = await listDeciders(db, decisions);
  const { valuesOf, inTheirWords } = createWording(run.input);
  return rows.map((row, place) => {
    const { user: userId, field, fingerprint } = row.issues[0].conflict, found = users.get(userId) ?? null;
    const theirs = decisions.filter((decision) => decision.userId === userId);
    const isLinked = found?.links.some((each) => each.connectionId === connectionId) ?? false;
    const isSeen = seesEverybody || isLinked || theirs.some(({ kind }) => kind === "release");
    const known = found === null || !isSeen ? [] : valuesOfUser(found);
    const name = valuesOf(row.cells, ["first_name", "last_name"]).join(" ");
    const values = valuesOf(row.cells, ROW_FIELDS), decision = decisionOn(row, theirs, isLinked);
    return {
      n: row.n,
      line: row.line,
      row: { connectionId, sourceKey: row.key, field, fingerprint },
      message: inTheirWords(shown[place]!.issues[0]!).message,
      there: known.length === 0 ? null : found,
      known,
      comes: [name, ...values].filter(Boolean),
      decision,
      decider: decision === null ? null : deciders.get(decision.id) ?? null,
      isMoot: decision === null && known.length > 0 && !isFoundBy(found!, row, connectionId, values),
    };
  });
}

/** A released user is not found by any row of the connection until it is linked again. */
function decisionOn(
  { issues: [{ conflict }] }: Contradiction,
  theirs: readonly IdentityDecision[],
  isLinked: boolean,
): IdentityDecision | null {
  const released = theirs.find(({ kind }) => kind === "release");
  if (released !== undefined && !isLinked) return released;
  return theirs.find(({ kind, fingerprint }) => kind === "accept" && fingerprint === conflict.fingerprint) ?? null;
}

/** Whether the row would still find the user: by its key, or by the value that it found it by, as far as can be compared here. */
function isFoundBy(
  { user, links }: StoredUser,
  { key, issues: [{ conflict: { field } }] }: Contradiction,
  connectionId: number,
  values: readonly string[],
): boolean {
  if (links.some((each) => each.connectionId === connectionId && each.sourceKey === key)) return true;
  if (field === "source_id") return links.some((each) => each.connectionId === connectionId);
  if (values.length === 0) return true;
  if (field === "mobile_phone") return user.mobilePhone !== null;
  const own = field === "email" ? user.email : user.employeeId;
  return own !== null && values.some((value) => value.toLowerCase() === own.toLowerCase());
}

function valuesOfUser({ user }: StoredUser): string[] {
  const name = [user.firstName, user.lastName].filter(Boolean).join(" ");
  const values = [name, user.email, user.mobilePhone, user.employeeId, user.hireDate, user.title];
  return values.flatMap((value) => value || []);
}
