/** Where the engine does something else than the model says. */
import type { Lab } from "../../laws/lab.ts";
import { type Due, leaveOnTheirDay } from "../rules/due.ts";
import { editByHand } from "../rules/edit.ts";
import type { Part } from "../rules/parts.ts";
import { planInput } from "../rules/plan.ts";
import { FIELDS, type Input, NEW_MEMORY, type State, type Verdict } from "../rules/state.ts";
import { dateIn } from "../../../src/std/time.ts";
import { type Held, lineOf, type Seen } from "./engine.ts";
import type { Day, Scenario } from "./scenario.ts";

export function emptyState({ sources }: Scenario): State {
  return {
    people: [],
    links: [],
    waiting: [],
    accepted: [],
    lastDue: new Map(),
    connections: sources.map((source) => ({ ...source, memory: NEW_MEMORY })),
  };
}

/** `held`: runs of leaving days that were held. */
export function beginDay(state: State, { edits, isDueSeen, ifHeld }: Day, lab: Lab): Due {
  const today = dateIn("UTC", lab.clock.ms);
  const { after, held } = isDueSeen ? leaveOnTheirDay(state, today, ifHeld) : { after: state, held: 0 };
  return { held, after: edits.reduce((before, edit) => editByHand(before, edit, today), after) };
}

export function planDay(state: State, day: Day, part: Part, lab: Lab): Verdict {
  const input: Input = {
    connection: day.connection,
    coverage: day.coverage,
    byHand: day.byHand,
    headers: day.headers,
    rows: day.rows.map(({ cells }) => cells),
    nowMs: lab.clock.ms,
    today: dateIn("UTC", lab.clock.ms),
    part,
  };
  return planInput(state, input);
}

/** What differs between the run that the model expects and the one that was seen. */
export function compareRuns(wanted: Verdict, seen: Seen, state: State): string[] {
  const differences: string[] = [];
  const differ = (what: string, model: unknown, engine: unknown) => {
    const [left, right] = [JSON.stringify(model), JSON.stringify(engine)];
    if (left !== right) differences.push(`${what}: model ${left}, engine ${right}`);
  };
  differ("status", [wanted.status, wanted.error], [seen.status, seen.error]);
  differ("held by", wanted.heldBy, seen.heldBy);
  const { counts } = seen.run;
  if (wanted.error !== null || seen.error !== null || counts === null) return differences;

  const actions = new Map(seen.changes.map(({ line, action }) => [line, `${action}d`]));
  for (const { line, outcome, code } of wanted.rows) {
    const errors = seen.errors.get(line);
    const model = outcome === "skipped" || outcome === "unchanged" ? "no change" : outcome;
    const engine = errors !== undefined ? "failed" : actions.get(line) ?? "no change";
    differ(`line ${line}`, model, engine);
    if (code !== null && errors !== undefined && !errors.includes(code)) differ(`line ${line}`, code, errors);
  }
  for (
    const outcome of ["failed", "created", "reactivated", "deactivated", "updated", "skipped", "unchanged"] as const
  ) {
    const rows = wanted.rows.filter((row) => row.outcome === outcome).length;
    differ(`rows ${outcome}`, rows, counts[outcome]);
  }
  const numbers = wanted.leavers.map((id) => state.people.find((person) => person.id === id)!.values.employee_id);
  const ofNoRow = seen.changes.filter(({ line, action }) => line === null && action === "deactivate");
  const gone = ofNoRow.map(({ subject }) => subject.employee_id ?? null);
  differ("deactivated as missing", numbers.toSorted(), gone.toSorted());
  return differences;
}

export function compareStates(wanted: State, held: Held): string[] {
  const lines = new Map(wanted.people.map((person) => [
    person.id,
    lineOf([...FIELDS.map((field) => person.values[field]), nameOf(wanted, person.manager)], person.active),
  ]));
  const links = wanted.links.map(({ connection, key, person, missingSince }) =>
    `${connection} ${key} -> ${lines.get(person)}${missingSince === null ? "" : " missing"}`
  );
  return [
    ...differences("person", [...lines.values()], held.people),
    ...differences("link", links, held.links),
  ];
}

/** A manager as people are told apart here: by number, or address. */
function nameOf({ people }: State, manager: number | null): string | null {
  const values = people.find(({ id }) => id === manager)?.values;
  return values === undefined ? null : `under ${values.employee_id ?? values.email}`;
}

function differences(what: string, model: readonly string[], engine: readonly string[]): string[] {
  const rest = [...engine], extra: string[] = [];
  for (const line of model) {
    const at = rest.indexOf(line);
    if (at < 0) extra.push(line);
    else rest.splice(at, 1);
  }
  return [
    ...extra.map((line) => `${what} in the model only: ${line}`),
    ...rest.map((line) => `${what} in the engine only: ${line}`),
  ];
}
