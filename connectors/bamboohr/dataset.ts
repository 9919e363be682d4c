/**
 * All people from the dataset `employee`. Its pages are numbered, so people shift when others come or go between two
 * pages.
 */
import { type Ask, askObject, isObject, listOf } from "./ask.ts";
import { nameIn, type Wanted } from "./fields.ts";
import { idOf, type Page, type Person, recordOf, type Seen, StaleRead, takeNew } from "./seen.ts";

const MAX_PAGE = 1000;
/** `Invalid field name: employee_workEmail`: a field that does not exist, or that the key may not read. */
const INVALID_FIELD = /Invalid field name: (?:employee_)?(\w+)/;

/** Throws StaleRead when people came or went between two pages, or when fewer were shown than the total. */
export async function* readDataset(ask: Ask, wanted: readonly Wanted[], seen: Seen): AsyncGenerator<Page, void> {
  const names = namesOf(wanted);
  const ids = new Set<string>();
  let total: number | null = null;
  for (let n = 1;; n++) {
    const page = await askDatasetPage(ask, names, { page: n, pageSize: MAX_PAGE });
    if (total !== null && page.total !== total) throw new StaleRead("Employees came or went while they were read");
    total = page.total;
    for (const { id } of page.people) ids.add(id);
    const people = takeNew(seen, page.people, wanted);
    if (people.length > 0) yield { origin: `/api/v2/datasets/employee/data, page ${n}`, people };
    if (n >= page.pages) break;
  }
  if (total !== null && ids.size < total) {
    throw new StaleRead(`BambooHR says that it has ${total} employees, but showed ${ids.size}`);
  }
}

export function namesOf(wanted: readonly Wanted[]): Map<string, string | null> {
  return new Map(wanted.map(({ name }) => [name, nameIn("dataset", name)]));
}

export interface DatasetPage {
  readonly people: readonly Person[];
  readonly pages: number;
  readonly total: number | null;
}

/** Removes refused fields from `names`, one after the other, so that the others can still be read. */
export async function askDatasetPage(
  ask: Ask,
  names: Map<string, string | null>,
  at: { page: number; pageSize: number; filter?: string },
): Promise<DatasetPage> {
  for (;;) {
    const fields = [...new Set(["eeid", ...[...names.values()].filter((name) => name !== null)])];
    let invalid: string | null = null;
    const reply = await askObject(
      ask,
      "/api/v2/datasets/employee/data",
      {
        method: "POST",
        headers: { "content-type": "application/json" },
        // Without an order, each page would be ordered differently.
        body: JSON.stringify({ fields, orderBy: "eeid asc", ...at }),
      },
      "the dataset of employees",
      (status, body) => {
        const refused = status === 400 && isObject(body)
          ? INVALID_FIELD.exec(String(body.detail ?? ""))?.[1]
          : undefined;
        invalid = [...names.values()].find((name) => name !== null && name === refused) ?? null;
        return invalid !== null;
      },
    );
    if (invalid === null) return pageOf(reply, names);
    for (const [name, there] of names) if (there === invalid) names.set(name, null);
  }
}

function pageOf(reply: Record<string, unknown>, names: ReadonlyMap<string, string | null>): DatasetPage {
  const meta = isObject(reply.meta) ? reply.meta : {};
  return {
    people: listOf(reply.data).map((row) => {
      const cells = isObject(row.fields) ? row.fields : {};
      const restricted = new Set(Array.isArray(row._restrictedFields) ? row._restrictedFields.map(String) : []);
      const shown = new Map([...names].map(([name, there]) => {
        return [name, restricted.has(String(there)) || restricted.has(`employee_${there}`) ? null : there];
      }));
      return { id: idOf(cells.eeid), record: recordOf(cells, shown) };
    }),
    pages: typeof meta.totalPages === "number" ? meta.totalPages : 1,
    total: typeof meta.totalItems === "number" ? meta.totalItems : null,
  };
}
