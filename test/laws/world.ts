/**
 * Small worlds for the laws: a dozen people at most, of few ids, addresses, managers and departments, so that they
 * collide, swap and go round in circles; inputs that follow each other, edits by hand, and days that pass.
 */
import fc from "fast-check";
import { editByHand, type Handed, type Lab, run } from "./lab.ts";
import type { Run } from "../../src/store/runs/runs.ts";
import type { Policy } from "../../src/model/policy.ts";
import type { UserPatch } from "../../src/http/api/user-patch.ts";

/** Cells by column; a cell that is not there is empty. */
export type Person = Readonly<Record<string, string>>;

/** How rows are written. */
export interface Format {
  readonly delimiter: "," | ";" | "\t";
  readonly lineEnd: "\n" | "\r\n";
  readonly quotes: boolean;
  /** Moves the columns round by this many places. */
  readonly turn: number;
  readonly without: string | null;
  readonly lastLineEnd: boolean;
}

export interface InputStep {
  readonly kind: "input";
  readonly connection: "first" | "second";
  readonly coverage: "full" | "diff";
  readonly byHand: boolean;
  readonly people: readonly Person[];
  /** Rows with this many cells too few or too many, by their place. */
  readonly ragged: readonly number[];
  readonly format: Format;
}

export type Step =
  | InputStep
  | { readonly kind: "departments"; readonly rows: readonly Person[] }
  | { readonly kind: "hand"; readonly who: string; readonly patch: UserPatch; readonly manager: string | undefined }
  | { readonly kind: "days"; readonly days: number };

export const COLUMNS = [
  "employee_id",
  "email",
  "first_name",
  "last_name",
  "title",
  "department_name",
  "manager_id",
  "manager_email",
  "is_active",
  "deactivation_date",
  "phone",
  "employment_status",
  "badge",
] as const;

export const ids = ["1", "2", "3", "4", "5", "007"];
const emails = ids.slice(0, 5).map((id) => `p${id}@example.com`);
const often = <T>(usual: readonly T[], rare: readonly T[]) =>
  fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: fc.constantFrom(...rare) });

const CELLS: Record<(typeof COLUMNS)[number], fc.Arbitrary<string>> = {
  employee_id: often(ids, ["", "'007", "7"]),
  email: often(emails, ["", "ana@", "P1@Example.com"]),
  first_name: often(["Ana", "Bo"], ["", "Cleo, Jr."]),
  last_name: often(["Lopez"], ["", "Kim"]),
  title: often(["", "Lead", "Dev"], ['The "boss"', "'t Hart", "n/a"]),
  department_name: often(["", "Sales", "IT"], ["sales ", "Ops"]),
  manager_id: often(["", "", ...ids], ["99"]),
  manager_email: often(["", "", "", "p1@example.com"], ["nobody@example.com", "p2@example.com"]),
  is_active: often(["yes", "yes", "yes", "", "no"], ["maybe"]),
  deactivation_date: often(["", "", "", ""], ["2026-01-01", "2026-03-03", "2027-01-01", "soon"]),
  phone: often(["", "+1 555 0100", "(1) 555-0100"], ["x"]),
  employment_status: often(["Active", "Active", "Contract"], ["", "Left"]),
  badge: often(["", "12", "12.5"], ["twelve"]),
};

const person: fc.Arbitrary<Person> = fc.record(CELLS);

/** Somebody without mistakes, whom nobody else resembles. */
const usualPerson = (id: string): fc.Arbitrary<Person> =>
  fc.record({
    title: fc.constantFrom("", "Lead", "Dev"),
    department_name: fc.constantFrom("", "Sales", "IT"),
    manager_id: fc.constantFrom("", ...ids),
    phone: fc.constantFrom("", "+1 555 0100"),
    employment_status: fc.constantFrom("Active", "Contract"),
    badge: fc.constantFrom("", "12"),
  }).map((rest) => ({
    ...rest,
    employee_id: id,
    email: `p${id}@example.com`,
    first_name: `First${id}`,
    last_name: "Lopez",
    manager_email: "",
    is_active: "yes",
    deactivation_date: "",
  }));

/** What becomes of a list of people by the next input. */
type Turn = (people: readonly Person[]) => Person[];

const place = fc.nat(11);
const at = (people: readonly Person[], n: number) => n % Math.max(1, people.length);
const turn: fc.Arbitrary<Turn> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(
      place,
      fc.constantFrom(...COLUMNS).chain((column) => CELLS[column].map((cell) => [column, cell] as const)),
    ).map(
      ([n, [column, cell]]): Turn => (people) =>
        people.map((each, index) => index === at(people, n) ? { ...each, [column]: cell } : each),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(place, place, fc.constantFrom("email", "email", "employee_id", "manager_id")).map(
      ([a, b, column]): Turn => (people) =>
        people.map((each, index) =>
          index === at(people, a)
            ? { ...each, [column]: people[at(people, b)]![column]! }
            : index === at(people, b)
            ? { ...each, [column]: people[at(people, a)]![column]! }
            : each
        ),
    ),
  },
  place.map((n): Turn => (people) => people.filter((_, index) => index !== at(people, n))),
  place.map((n): Turn => (people) => people.length === 0 ? [] : [...people, people[at(people, n)]!]),
  fc.tuple(person, place).map(([each, n]): Turn => (people) => people.toSpliced(at(people, n), 0, each)),
  place.map((n): Turn => (people) => [...people.slice(at(people, n)), ...people.slice(0, at(people, n))]),
);

const format: fc.Arbitrary<Format> = fc.record({
  delimiter: fc.constantFrom(",", ",", ";", "\t"),
  lineEnd: fc.constantFrom("\n", "\n", "\r\n"),
  quotes: fc.boolean(),
  turn: fc.constantFrom(0, 0, 0, 1, 5),
  without: fc.constantFrom(
    null,
    null,
    null,
    null,
    "manager_id",
    "manager_email",
    "is_active",
    "email",
    "department_name",
  ),
  lastLineEnd: fc.constantFrom(true, true, true, false),
});

/** What somebody does by hand. */
export const patch: fc.Arbitrary<{ patch: UserPatch; manager: string | undefined }> = fc.oneof(
  fc.constantFrom<UserPatch[]>(
    { title: "By hand" },
    { title: null },
    { first_name: "Hand" },
    { phone: "+1 555 0199" },
    { status: "inactive" },
    { status: "active" },
    { department: null },
    { manager: null },
    { deactivation_date: "2026-03-04" },
    { custom: { badge: 99 } },
    { release: ["title"] },
  ).map((each) => ({ patch: each, manager: undefined })),
  fc.constantFrom(...ids).map((manager) => ({ patch: {}, manager })),
);

const departmentRow: fc.Arbitrary<Person> = fc.record({
  name: fc.constantFrom("Sales", "IT", "Ops", "sales"),
  parent: fc.constantFrom("", "", "Sales", "IT", "Nowhere"),
  department_id: fc.constantFrom("", "", "d1", "d2"),
  is_active: fc.constantFrom("yes", "yes", "yes", "no"),
});

const people: fc.Arbitrary<Person[]> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.integer({ min: 1, max: ids.length }).chain((count) =>
      fc.tuple(...ids.slice(0, count).map(usualPerson))
    ),
  },
  { weight: 1, arbitrary: fc.array(person, { minLength: 1, maxLength: 6 }) },
);

interface Follow {
  readonly connection: "first" | "second";
  readonly coverage: "full" | "diff";
  readonly byHand: boolean;
  readonly turns: readonly Turn[];
  readonly ragged: readonly number[];
  /** Null: as last time. */
  readonly format: Format | null;
}

const follow: fc.Arbitrary<Follow> = fc.record({
  connection: fc.constantFrom("first", "first", "first", "second"),
  coverage: fc.constantFrom("full", "full", "diff"),
  byHand: fc.constantFrom(false, false, false, true),
  turns: fc.array(turn, { maxLength: 4 }),
  ragged: fc.oneof({ weight: 8, arbitrary: fc.constant([]) }, {
    weight: 1,
    arbitrary: fc.array(place, { maxLength: 1 }),
  }),
  format: fc.option(format, { nil: null, freq: 1 }),
});

const other: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(fc.constantFrom(...ids), patch).map(([who, edit]): Step => ({ kind: "hand", who, ...edit })),
  },
  {
    weight: 1,
    arbitrary: fc.array(departmentRow, { minLength: 1, maxLength: 3 }).map((rows): Step => ({
      kind: "departments",
      rows,
    })),
  },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }).map((days): Step => ({ kind: "days", days })) },
);

export const PLAIN: Format = {
  delimiter: ",",
  lineEnd: "\n",
  quotes: false,
  turn: 0,
  without: null,
  lastLineEnd: true,
};

/** Steps one after the other; each input grows out of the one before it. */
export function steps(max: { steps: number }): fc.Arbitrary<Step[]> {
  return fc.tuple(
    people,
    fc.array(fc.oneof({ weight: 3, arbitrary: follow }, { weight: 1, arbitrary: other }), {
      minLength: 1,
      maxLength: max.steps,
    }),
  ).map(([start, list]) => {
    const result: Step[] = [
      { kind: "input", connection: "first", coverage: "full", byHand: false, people: start, ragged: [], format: PLAIN },
    ];
    let now = start, last = PLAIN;
    for (const each of list) {
      if ("kind" in each) {
        result.push(each);
        continue;
      }
      now = each.turns.reduce<Person[]>((all, change) => change(all), now);
      last = each.format ?? last;
      const { connection, coverage, byHand, ragged } = each;
      result.push({ kind: "input", connection, coverage, byHand, people: now, ragged, format: last });
    }
    return withWords(result);
  });
}

/** Makes a failed world readable: files as files. */
function withWords(list: Step[]): Step[] {
  const words = () =>
    list.map((step) =>
      step.kind === "input"
        ? `${step.connection} ${step.coverage}${step.byHand ? " by hand" : ""}\n${
          write(step.people, step.format, step.ragged)
        }`
        : JSON.stringify(step)
    ).join("\n");
  return Object.defineProperty(list, fc.toStringMethod, { value: words });
}

export const key: fc.Arbitrary<"employee_id" | "email" | null> = fc.constantFrom(
  "employee_id",
  "employee_id",
  "email",
  null,
);

/** The policy of both connections; `missing` people leave at once where they leave. */
export const policy = fc.record({
  empty_cells: fc.constantFrom("clear", "clear", "keep"),
  manual_edits: fc.constantFrom("overwrite", "keep"),
  missing: fc.constantFrom("keep", "keep", "deactivate"),
  missing_after_runs: fc.constantFrom(1, 2),
  missing_after_hours: fc.constant(0),
  only_statuses: fc.constantFrom(null, null, ["Active"]),
  update: fc.constantFrom(true, true, true, true, false),
  deactivate: fc.constantFrom(true, true, true, true, false),
  reactivate: fc.constantFrom(true, true, true, true, false),
}, { noNullPrototype: true }) as fc.Arbitrary<Policy>;

/** People as a file in this format. */
export function write(people: readonly Person[], format: Format, ragged: readonly number[] = []): string {
  const columns = COLUMNS.filter((column) => column !== format.without);
  const order = [...columns.slice(format.turn), ...columns.slice(0, format.turn)];
  return writeRows(order, people.map((each) => order.map((column) => each[column] ?? "")), format, ragged);
}

export function writeRows(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  format: Format,
  ragged: readonly number[] = [],
): string {
  const bad = new Set(rows.length === 0 ? [] : ragged.map((n) => n % rows.length));
  const cell = (text: string) =>
    format.quotes || /["\r\n]/.test(text) || text.includes(format.delimiter) ? `"${text.replaceAll('"', '""')}"` : text;
  const lines = [columns, ...rows.map((row, index) => (bad.has(index) ? row.slice(0, -1) : row))]
    .map((cells) => cells.map(cell).join(format.delimiter));
  return lines.join(format.lineEnd) + (format.lastLineEnd ? format.lineEnd : "");
}

export function inputOf(step: InputStep): Handed {
  return {
    connection: step.connection,
    coverage: step.coverage,
    byHand: step.byHand,
    entity: "users",
    text: write(step.people, step.format, step.ragged),
  };
}

/** Does the step; gives its run, or null where it has none. */
export async function live(lab: Lab, step: Step): Promise<Run | null> {
  lab.clock.ms += 60_000;
  if (step.kind === "days") lab.clock.ms += step.days * 86_400_000;
  if (step.kind === "hand") await editByHand(lab, step.who, step.patch, step.manager);
  if (step.kind === "input") return await run(lab, inputOf(step));
  if (step.kind === "departments") {
    const columns = ["name", "parent", "department_id", "is_active"];
    const text = writeRows(columns, step.rows.map((row) => columns.map((column) => row[column]!)), PLAIN);
    return await run(lab, { connection: "first", entity: "departments", text });
  }
  return null;
}
