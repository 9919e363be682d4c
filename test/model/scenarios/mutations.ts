/** What goes wrong with a file on its way: exports, spreadsheets, hands. */
import type { Random } from "../../fuzz/random.ts";
import type { Day, ScenarioRow } from "./scenario.ts";

type Mutation = (day: Day, random: Random) => Day;

const WRONG: Readonly<Record<string, readonly string[]>> = {
  employee_id: ["n/a", "x".repeat(101)],
  email: ["ana@", "n/a", "Ana@Example.com "],
  mobile_phone: ["ask Ana", "n/a", "2012 3402", "+371 20123403", "1".repeat(51)],
  first_name: ["-", "x".repeat(255)],
  last_name: ["Arden Birch", "O'Cole"],
  department_name: ["x".repeat(255), "NULL", "Works"],
  employment_status: ["x".repeat(255), "n/a", "Trainee"],
  title: ["x".repeat(255), "NULL", 'Head, of "all"'],
  hire_date: ["soon", "2026-02-30"],
  manager_id: ["n/a", "999", "001", "102", "x".repeat(101)],
  manager_email: ["boss@", "-", "nobody@example.com", "bo@example.com"],
  is_active: ["maybe", "-", "0", "TRUE", "left"],
  deactivation_date: ["soon", "2026-01-31", "2026-03-04", "2027-12-31", "n/a"],
};

const change = (day: Day, at: number, cells: Record<string, string>): Day => ({
  ...day,
  rows: day.rows.map((row, index) => index === at ? { ...row, cells: { ...row.cells, ...cells } } : row),
});
const changeAll = (day: Day, cells: (row: ScenarioRow, index: number) => Record<string, string>): Day => ({
  ...day,
  rows: day.rows.map((row, index) => ({ ...row, cells: { ...row.cells, ...cells(row, index) } })),
});

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  blankCell: (day, random) => change(day, random.below(day.rows.length), { [random.pick(day.headers)]: "" }),
  blankColumn: (day, random) => {
    const header = random.pick(day.headers);
    return changeAll(day, () => ({ [header]: "" }));
  },
  wrongCell: (day, random) => {
    const header = random.pick(day.headers.filter((name) => name in WRONG));
    return change(day, random.below(day.rows.length), { [header]: random.pick(WRONG[header]!) });
  },
  saysInactive: (day, random) => change(day, random.below(day.rows.length), { is_active: "no" }),
  renamedColumn: (day, random) => {
    const header = random.pick(day.headers), name = `${header} zz new`;
    return {
      ...changeAll(day, ({ cells }) => ({ [name]: cells[header]! })),
      headers: day.headers.map((each) => each === header ? name : each),
    };
  },
  droppedColumn: (day, random) => {
    const header = random.pick(day.headers);
    return { ...day, headers: day.headers.filter((each) => each !== header) };
  },
  lostZeros: (day) => changeAll(day, ({ cells }) => ({ employee_id: cells.employee_id!.replace(/^0+/, "") })),
  lostZerosOfOne: (day, random) => {
    const at = random.below(day.rows.length);
    return change(day, at, { employee_id: day.rows[at]!.cells.employee_id!.replace(/^0+/, "") });
  },
  /** Without the country, which nobody writes at home. */
  nationalPhones: (day, random) => {
    const isAll = random.once(2), at = random.below(day.rows.length);
    const national = (phone: string) => phone.replace(/^(\+|00)371 ?/, "");
    return changeAll(
      day,
      ({ cells }, index): Record<string, string> =>
        isAll || index === at ? { mobile_phone: national(cells.mobile_phone!) } : {},
    );
  },
  swappedNames: (day) =>
    changeAll(day, ({ cells }) => ({ first_name: cells.last_name!, last_name: cells.first_name! })),
  half: (day, random) => ({ ...day, rows: day.rows.slice(0, Math.ceil(day.rows.length / random.pick([2, 2, 3]))) }),
  lostRow: (day, random) => {
    const at = random.below(day.rows.length);
    return day.rows.length < 2 ? day : { ...day, rows: day.rows.filter((_, index) => index !== at) };
  },
  doubledRow: (day, random) => ({ ...day, rows: [...day.rows, random.pick(day.rows)] }),
  doubledRowThatDiffers: (day, random) => {
    const row = random.pick(day.rows), header = random.pick(day.headers);
    const cells = { ...row.cells, [header]: header in WRONG ? random.pick(WRONG[header]!) : "" };
    return { ...day, rows: [...day.rows, { ...row, cells }] };
  },
  inactiveTwin: (day, random) => {
    const row = random.pick(day.rows);
    return { ...day, rows: [...day.rows, { ...row, cells: { ...row.cells, is_active: "no", title: "Before" } }] };
  },
  turned: (day, random) => {
    const at = random.below(day.rows.length);
    return { ...day, rows: [...day.rows.slice(at), ...day.rows.slice(0, at)] };
  },
  nobody: (day) => ({ ...day, rows: [] }),
};
const USUAL = Object.keys(MUTATIONS).filter((name) => name !== "nobody");

/** The day's file as it arrives: often as it was made. */
export function mutateDay(day: Day, random: Random): Day {
  let mutated = day;
  for (let i = 0, count = random.pick([0, 0, 1, 1, 1, 2]); i < count && mutated.rows.length > 0; i++) {
    mutated = MUTATIONS[random.once(60) ? "nobody" : random.pick(USUAL)]!(mutated, random);
  }
  return mutated;
}

/** Values of a column, or of several, under the neighbour's: a sheet of which only a part was sorted. */
function shift(day: Day, random: Random, headers: readonly string[]): Day {
  const from = random.below(day.rows.length), to = Math.min(day.rows.length, from + 2 + random.below(4));
  return changeAll(day, ({ cells }, index) => {
    if (index < from || index >= to) return cells;
    const other = day.rows[index + 1 < to ? index + 1 : from]!;
    return { ...cells, ...Object.fromEntries(headers.map((header) => [header, other.cells[header]!])) };
  });
}

/**
 * What puts data of people beside those of others. The model has no word on rows that give people each other's address or
 * names, so these scenarios are tried on the laws alone.
 */
const SHUFFLES: Readonly<Record<string, Mutation>> = {
  addresses: (day, random) => shift(day, random, ["email"]),
  names: (day, random) => shift(day, random, ["first_name", "last_name"]),
  lastNames: (day, random) => shift(day, random, ["last_name"]),
  numbers: (day, random) => shift(day, random, ["employee_id"]),
  phones: (day, random) => shift(day, random, ["mobile_phone"]),
  leavingDays: (day, random) => shift(day, random, ["is_active", "deactivation_date"]),
  newNumberBesideOld: (day, random) => {
    const row = random.pick(day.rows), header = random.pick(["email", "first_name", "last_name", "title"]);
    const old = { ...row, cells: { ...row.cells, is_active: "no" } };
    const fresh = {
      ...row,
      cells: { ...row.cells, employee_id: `7${random.below(900)}`, [header]: "new@example.com" },
    };
    return { ...day, rows: [...day.rows.filter((each) => each !== row), ...random.pick([[fresh], [old, fresh]])] };
  },
};

export function shuffleDay(day: Day, random: Random): Day {
  return day.rows.length < 2 ? day : SHUFFLES[random.pick(Object.keys(SHUFFLES))]!(day, random);
}
