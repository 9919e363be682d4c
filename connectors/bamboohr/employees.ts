/**
 * All people from the list of employees, page by page with a cursor. People who have left may need a second request.
 */
import { type Ask, askObject, isObject, listOf } from "./ask.ts";
import { nameIn, type Wanted } from "./fields.ts";
import { idOf, type Page, type Person, recordOf, type Seen, StaleRead, takeNew } from "./seen.ts";

export const MAX_PAGE = 2500;

export interface ListPage {
  readonly people: readonly Person[];
  readonly next: string | null;
  /** Null: BambooHR did not report it. */
  readonly total: number | null;
  /** Fields that this page does not have. */
  readonly unknown: readonly Wanted[];
}

/** Throws StaleRead when a cursor is not valid any more, or when fewer people were shown than the total. */
export async function* readEmployees(ask: Ask, wanted: readonly Wanted[], seen: Seen): AsyncGenerator<Page, void> {
  yield* readScope(ask, wanted, seen, null);
  // Some accounts' lists seem to show people who have left only on request.
  if (seen.inactive === 0) yield* readScope(ask, wanted, seen, "inactive");
}

async function* readScope(
  ask: Ask,
  wanted: readonly Wanted[],
  seen: Seen,
  status: "inactive" | null,
): AsyncGenerator<Page, void> {
  // For all people, `seen` has the ids already.
  const ids = status === null ? seen.ids : new Set<string>();
  for (let cursor: string | null = null, n = 1;; n++) {
    const page = await askListPage(ask, wanted, { limit: MAX_PAGE, after: cursor, status });
    const people = takeNew(seen, page.people, wanted);
    for (const { id } of page.people) ids.add(id);
    if (people.length > 0) yield { origin: `/api/v1/employees, page ${n}`, people };
    if (page.next === null) {
      if (page.total !== null && ids.size < page.total) {
        throw new StaleRead(`BambooHR says that it has ${page.total} employees, but showed ${ids.size}`);
      }
      return;
    }
    if (page.next === cursor || page.people.length === 0) throw new StaleRead("BambooHR's pages lead nowhere");
    cursor = page.next;
  }
}

export async function askListPage(
  ask: Ask,
  wanted: readonly Wanted[],
  at: { limit: number; after?: string | null; status?: "active" | "inactive" | null },
): Promise<ListPage> {
  const names = new Map(wanted.map(({ name }) => [name, nameIn("employees", name)]));
  const query = new URLSearchParams({
    fields: [...names.values()].filter((name) => name !== null).join(","),
    "page[limit]": String(at.limit),
    ...(at.status ? { "filter[status]": at.status } : {}),
    ...(at.after ? { "page[after]": at.after } : {}),
  });
  const reply = await askObject(ask, `/api/v1/employees?${query}`, {}, "the list of employees", (status, body) => {
    const code = isObject(body) && isObject(body.error) ? body.error.code : null;
    if (status === 400 && code === "BadPage") throw new StaleRead("BambooHR has lost the place in its list");
  });
  const rows = listOf(reply.data);
  const meta = isObject(reply.meta) ? reply.meta : {};
  const place = isObject(meta.page) ? meta.page : {};
  return {
    people: rows.map((row) => ({ id: idOf(row.employeeId), record: recordOf(row, shown(row, names)) })),
    // Only the cursor is used: a link could lead to another host.
    next: typeof place.nextCursor === "string" && place.nextCursor !== "" ? place.nextCursor : null,
    total: typeof meta.total === "number" ? meta.total : null,
    unknown: wanted.filter(({ name }) => {
      const there = names.get(name)!;
      return there === null || (rows.length > 0 && rows.every((row) => !(there in row)));
    }),
  };
}

/** The names without restricted fields, whose value is null but unknown. */
function shown(row: Record<string, unknown>, names: ReadonlyMap<string, string | null>): Map<string, string | null> {
  const restricted = new Set(Array.isArray(row._restrictedFields) ? row._restrictedFields : []);
  return new Map([...names].map(([name, there]) => [name, restricted.has(there) ? null : there]));
}
