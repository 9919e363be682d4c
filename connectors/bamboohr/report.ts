/** All people from a custom report: one reply, cut into rows while it is read. Fields missing in it are hidden. */
import type { FetchedRecord } from "../../src/connector.ts";
import { type Ask, askOk, isObject } from "./ask.ts";
import { cutObject } from "./cut.ts";
import type { Wanted } from "./fields.ts";
import { plain } from "./normalize.ts";
import { idOf, type Page, type Person, recordOf, type Seen, StaleRead, takeNew } from "./seen.ts";

const BATCH = 500;
const ORIGIN = "/api/v1/reports/custom";
const LISTS: ReadonlySet<string> = new Set(["employees"]);
/** A report of all people takes long. */
const TIMEOUT_MS = 600_000;
/** Fields with a history, and so with future values: before a person's first day, there are only those. */
const WITH_FUTURE: ReadonlySet<string> = new Set([
  "jobTitle",
  "department",
  "division",
  "location",
  "supervisorEId",
  "supervisorId",
  "supervisorEmail",
  "employmentHistoryStatus",
]);

/** `today`: YYYY-MM-DD. Throws StaleRead when the reply breaks off. */
export async function* readReport(
  ask: Ask,
  wanted: readonly Wanted[],
  seen: Seen,
  today: string,
): AsyncGenerator<Page, void> {
  const later = new Map<string, FetchedRecord>();
  let people: Person[] = [];
  // Only current values: with future ones, people who are going to leave would have left already.
  for await (const person of readPeople(ask, wanted, true, null)) {
    if (startsAfter(person.record, today)) later.set(person.id, person.record);
    else if (people.push(person) === BATCH) {
      yield { origin: ORIGIN, people: takeNew(seen, people, wanted) };
      people = [];
    }
  }
  if (people.length > 0) yield { origin: ORIGIN, people: takeNew(seen, people, wanted) };
  const future = wanted.filter(({ name }) => WITH_FUTURE.has(name));
  if (later.size > 0 && future.length > 0) {
    for await (const { id, record } of readPeople(ask, future, false, [...later.keys()])) {
      const now = later.get(id);
      if (now !== undefined) later.set(id, { ...now, ...record });
    }
  }
  const starting = takeNew(seen, [...later].map(([id, record]) => ({ id, record })), wanted);
  if (starting.length > 0) yield { origin: ORIGIN, people: starting };
}

function startsAfter(record: FetchedRecord, today: string): boolean {
  const date = plain(record.hireDate);
  return date !== null && date > today;
}

/** `ids`: only these people; null: all. */
async function* readPeople(
  ask: Ask,
  wanted: readonly Wanted[],
  onlyCurrent: boolean,
  ids: readonly string[] | null,
): AsyncGenerator<Person, void> {
  const names = new Map(wanted.map(({ name }) => [name, name]));
  const answer = await askOk(ask, `${ORIGIN}?format=json&onlyCurrent=${onlyCurrent}`, {
    method: "POST",
    // With a charset appended, BambooHR would parse the body as XML.
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      title: "Muster",
      fields: [...new Set(["id", ...names.keys()])],
      ...(ids === null ? {} : { filters: { employeeIds: ids.map(Number) } }),
    }),
    timeoutMs: TIMEOUT_MS,
  }, "the report of employees");
  try {
    for await (const { name, value } of cutObject(textOf(answer), LISTS)) {
      if (name === "employees" && isObject(value)) yield { id: idOf(value.id), record: recordOf(value, names) };
    }
  } catch (error) {
    throw error instanceof StaleRead ? error : new StaleRead("BambooHR's report broke off", { cause: error });
  }
}

async function* textOf(answer: Response): AsyncGenerator<string, void> {
  if (answer.body === null) return;
  yield* answer.body.pipeThrough(new TextDecoderStream());
}
