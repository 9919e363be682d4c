/**
 * Where each value of a user comes from: the last change of the field in the user's history, and the connection that wrote
 * it. The history may be shorter than the user's life: then only the connection is known.
 */
import type { ChangeView } from "../model/change.ts";
import { decodeId, encodeId } from "../model/id.ts";
import type { Database } from "../store/database.ts";
import { type Hand, loadHands, loadOtherWords, loadRunOrigins, type RunOrigin } from "../store/people/provenance.ts";
import type { StoredUser, User } from "../store/people/users.ts";
import { listUserHistory } from "../store/runs/changes.ts";

/** Changes that are looked at. Older ones are not looked for: nobody has that many who is not changed each day. */
const MAX_CHANGES = 500;
const PAGE = 100;

export interface Provenance {
  readonly field: string;
  readonly value: unknown;
  /** When it was last changed, in milliseconds since 1970; null: before the history that is kept. */
  readonly since: number | null;
  /** Null: a person wrote it by hand. */
  readonly connectionId: number | null;
  /** The run, file and line that brought it. Null: not known, or written by hand. */
  readonly run: { readonly id: number; readonly drop: string | null; readonly line: number | null } | null;
  /** Who wrote it by hand; null: a connection did, or it is not known. */
  readonly hand: Hand | null;
  /** What other connections say of it, where that is known to differ. */
  readonly others: readonly { readonly connectionId: number; readonly value: string }[];
}

/** Of every field that has a value, had one, or of which somebody says something else; in the order of the API's user. */
export async function loadProvenance(db: Database, stored: StoredUser): Promise<Provenance[]> {
  const { user } = stored, { organizationId, id } = user;
  const values = valuesOf(stored);
  const last = await lastChanges(db, organizationId, id, values);
  const changes = [...last.values()];
  const runs = await loadRunOrigins(db, organizationId, [...new Set(changes.flatMap((each) => runOf(each) ?? []))]);
  const byHand = changes.filter(({ run }) => run === null).map(atOf);
  const hands = await loadHands(db, organizationId, id, [...new Set(byHand.filter((at) => at !== null))]);
  const words = await loadOtherWords(db, organizationId, id);
  const origins = { user, last, runs, hands };
  const fields = [...values].filter(([field, value]) =>
    value !== null || last.has(field) || words.some((word) => field in word.values)
  );
  return fields.map(([field, value]) => ({
    field,
    value,
    ...originOf(origins, field),
    others: words.flatMap(({ connectionId, values }) =>
      field in values ? [{ connectionId, value: values[field]! }] : []
    ),
  }));
}

/** By the names that history and sources have for them. */
function valuesOf({ user, department, manager }: StoredUser): Map<string, unknown> {
  return new Map<string, unknown>([
    ["employee_id", user.employeeId],
    ["email", user.email],
    ["first_name", user.firstName],
    ["last_name", user.lastName],
    ["preferred_name", user.preferredName],
    ["username", user.username],
    ["title", user.title],
    ["department_name", department?.name ?? null],
    ["manager", manager === null ? null : manager.id],
    ["location", user.location],
    ["phone", user.phone],
    ["mobile_phone", user.mobilePhone],
    ["hire_date", user.hireDate],
    ["deactivation_date", user.deactivationDate],
    ["employment_status", user.employmentStatus],
    ["on_leave", user.onLeave],
    ["timezone", user.timezone],
    ["language", user.language],
    ["status", user.status],
    ...Object.entries(user.custom ?? {}),
  ]);
}

/** The last applied change of each field. */
async function lastChanges(
  db: Database,
  organizationId: number,
  userId: number,
  values: ReadonlyMap<string, unknown>,
): Promise<Map<string, ChangeView>> {
  const last = new Map<string, ChangeView>();
  let before: number | null = null;
  for (let looked = 0; looked < MAX_CHANGES; looked += PAGE) {
    const { changes, next } = await listUserHistory(db, organizationId, userId, { before, limit: PAGE });
    // A history has that of somebody who was merged into the user, too: those were values of the former record.
    const own = changes.filter(({ status, subject }) => status === "applied" && subject.id === encodeId("usr", userId));
    for (const change of own) {
      for (const field of Object.keys(change.fields)) if (!last.has(field)) last.set(field, change);
      // A new person gets all fields; only those with a value are named.
      if (change.action === "create") return last;
    }
    if (next === null || [...values.keys()].every((field) => last.has(field))) return last;
    before = next;
  }
  return last;
}

interface Origins {
  readonly user: User;
  readonly last: ReadonlyMap<string, ChangeView>;
  readonly runs: ReadonlyMap<number, RunOrigin>;
  readonly hands: ReadonlyMap<number, Hand>;
}

function originOf(
  { user, last, runs, hands }: Origins,
  field: string,
): Pick<Provenance, "since" | "connectionId" | "run" | "hand"> {
  const change = last.get(field), since = change === undefined ? null : atOf(change);
  const isByHand = user.editedByHand?.includes(field) === true;
  // 0: by hand. What no other connection wrote is of the one that made the user.
  const connectionId = isByHand ? null : (user.fieldSources?.[field] ?? user.sourceId) || null;
  const runId = change === undefined ? null : runOf(change), origin = runs.get(runId ?? -1);
  const isOfRun = origin !== undefined && runId !== null;
  return {
    since,
    connectionId: connectionId ?? (isByHand || !isOfRun ? null : origin.connectionId),
    run: isOfRun ? { id: runId, drop: origin.drop, line: change!.line } : null,
    hand: runId === null && since !== null ? hands.get(since) ?? null : null,
  };
}

function runOf({ run }: ChangeView): number | null {
  return run === null ? null : decodeId("run", run);
}

function atOf({ applied_at: at }: ChangeView): number | null {
  return at === null ? null : Date.parse(at);
}
