/** A scenario's days through a hub, and what it says and holds, in the words of the model. */
import { cancelRun } from "../../../src/runs/approve.ts";
import { listRunChanges } from "../../../src/store/runs/changes.ts";
import { listIssues } from "../../../src/store/runs/issues.ts";
import type { ChangeView } from "../../../src/model/change.ts";
import type { Run } from "../../../src/store/runs/runs.ts";
import { tick } from "../../../src/upkeep/tick.ts";
import { approve, carryAll, createLab, editByHand, hand, type Lab, rowsOf, runOf } from "../../laws/lab.ts";
import { FIELDS } from "../rules/state.ts";
import { type Day, fileOf, type Scenario } from "./scenario.ts";

const ALL = { after: 0, limit: 10_000 };

/** What the hub did with a file, or would do once it is approved. */
export interface Seen {
  readonly run: Run;
  readonly status: string;
  readonly error: string | null;
  readonly changes: readonly ChangeView[];
  /** The codes of the errors of each row that has one, by line. */
  readonly errors: ReadonlyMap<number, readonly string[]>;
  readonly heldBy: readonly string[];
}

export async function openEngine({ sources }: Scenario): Promise<Lab> {
  return await createLab(...sources);
}

/** Lets the time pass until the day's file comes. */
export function passTime(lab: Lab, day: Day): void {
  lab.clock.ms += day.hours * 3_600_000;
}

/** What the day itself and hands do to people before its file comes. Returns how many runs of leaving days were held. */
export async function beginDay(lab: Lab, { edits, isDueSeen, ifHeld }: Day): Promise<number> {
  let held = 0;
  if (isDueSeen) {
    await tick(lab.hub);
    await carryAll(lab);
    for (const { id, status } of await rowsOf(lab.hub.db, "runs")) {
      if (status !== "held") continue;
      held++;
      await answer(lab, await runOf(lab, id as number), ifHeld);
    }
  }
  for (const { number, values, status, release, manager } of edits) {
    const patch = { ...values, ...status === null ? {} : { status }, release: [...release] };
    await editByHand(lab, number, patch, manager);
  }
  return held;
}

export async function sendDay(lab: Lab, day: Day, number: number, mode: "auto" | "plan" = "auto"): Promise<Seen> {
  const [id] = await sendFiles(lab, [day], number, mode);
  return await lookAt(lab, id!);
}

/** Sends files together. Returns their runs. */
export async function sendFiles(
  lab: Lab,
  files: readonly Day[],
  number: number,
  mode: "auto" | "plan" = "auto",
): Promise<number[]> {
  const ids: number[] = [];
  for (const [at, file] of files.entries()) {
    const { connection, coverage, byHand } = file, name = `${["people", "north", "south"][at]}.csv`;
    ids.push(
      await hand(lab, { connection, coverage, byHand, entity: "users", text: fileOf(file, number), name, mode }),
    );
  }
  await carryAll(lab, { shortcut: mode === "auto" });
  return ids;
}

export async function lookAt(lab: Lab, id: number): Promise<Seen> {
  const done = await runOf(lab, id);
  const { changes } = await listRunChanges(lab.hub.db, lab.organization.id, done.id, ALL);
  const { issues } = await listIssues(lab.hub.db, lab.organization.id, done.id, ALL);
  const errors = new Map<number, string[]>();
  for (const { line, severity, code } of issues) {
    if (line === null || severity !== "error") continue;
    errors.set(line, [...errors.get(line) ?? [], code]);
  }
  return {
    run: done,
    status: done.status,
    // Where every row is an error, each says so itself.
    error: done.error === null || done.error.code === "rows_rejected" ? null : done.error.code,
    changes,
    errors,
    heldBy: [...new Set((done.heldBy ?? []).map(({ guard }) => guard))].toSorted(),
  };
}

/** What somebody does with a run that is held. */
export async function answer(lab: Lab, run: Run, ifHeld: Day["ifHeld"]): Promise<void> {
  if (ifHeld === "approve") await approve(lab, run);
  else {
    await cancelRun(lab.hub, lab.organization.id, run.id);
    await carryAll(lab, { shortcut: true });
  }
}

export interface Held {
  /** Fields of everybody, each as one line, in order. */
  readonly people: readonly string[];
  /** Connection, key, person, and whether they are missing. */
  readonly links: readonly string[];
}

export async function whatIsHeld(lab: Lab): Promise<Held> {
  const users = await rowsOf(lab.hub.db, "users"), links = await rowsOf(lab.hub.db, "links");
  const slugs = new Map((await rowsOf(lab.hub.db, "connections")).map(({ id, slug }) => [id, slug]));
  const departments = new Map((await rowsOf(lab.hub.db, "departments")).map(({ id, name }) => [id, name]));
  const names = new Map(users.map(({ id, employee_id, email }) => [id, `under ${employee_id ?? email}`]));
  const lines = new Map(users.map((user) => {
    const seen = { ...user, department_name: departments.get(user.department_id) ?? null };
    const values = FIELDS.map((field) => seen[field as keyof typeof seen] as string | null);
    return [user.id, lineOf([...values, names.get(user.manager_id) ?? null], user.status === "active")];
  }));
  return {
    people: [...lines.values()].toSorted(),
    links: links.map(({ connection_id: connection, source_key: key, user_id: user, missing_since: since }) =>
      `${slugs.get(connection)} ${key} -> ${lines.get(user)}${since === null ? "" : " missing"}`
    ).toSorted(),
  };
}

export function lineOf(values: readonly (string | null)[], active: boolean): string {
  return [...values.map((value) => value ?? "_"), active ? "active" : "inactive"].join(" | ");
}
