/** People as files: everybody who fits the filters of the list of users, in the columns that an import reads. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { peopleFile, type PeopleFormat } from "../../report/people.ts";
import { XLSX } from "../../report/workbook.ts";
import { loadCustomFields } from "../../store/people/custom-fields.ts";
import { recordExport } from "../../store/people/exports.ts";
import { loadUsers, type StoredUser, type UserFilter } from "../../store/people/users.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { type Answer, BYTES, describe, download, route, SPREADSHEETS } from "../kit/describe.ts";
import { attachment } from "../kit/disposition.ts";
import type { Env } from "../kit/env.ts";
import { patiently } from "../kit/patiently.ts";
import { query } from "../kit/validate.ts";
import { filterOf, FILTERS, findFiltered } from "./user-filter.ts";

const INPUT = z.strictObject(FILTERS);
/** People that are read at once. */
const PAGE = 200;

const TYPES: Readonly<Record<PeopleFormat, string>> = {
  csv: "text/csv; charset=utf-8",
  xlsx: XLSX,
  ndjson: "application/x-ndjson",
};
const FILES: Readonly<Record<PeopleFormat, Answer>> = {
  ...SPREADSHEETS,
  ndjson: download({ "application/x-ndjson": BYTES }, "One object a line, as an import takes it"),
};

const exportUsers = (operationId: string, format: PeopleFormat, kind: string, more: string) =>
  route(
    describe(operationId, `Download users as ${kind}`, { 200: FILES[format] }, {
      description: `Everybody who fits the filters, in the template's columns. ${more}`,
    }),
    requires("users:read"),
    query(INPUT),
    async (c) => {
      const filter = await filterOf(c, c.req.valid("query"));
      const { db, now } = c.get("hub");
      const { id } = c.get("organization");
      const customFields = await loadCustomFields(db, id);
      const first = await readPage(c, filter, 0);
      await recordExport(db, id, now(), byOf(c));
      return new Response(peopleFile(format, pagesFrom(c, filter, first), customFields), {
        headers: { "content-type": TYPES[format], "content-disposition": attachment(`users.${format}`) },
      });
    },
  );

const AGAIN = "It can be imported again.";

export const userFileRoutes: Hono<Env> = new Hono<Env>()
  .get("/users.csv", ...exportUsers("exportUsersCsv", "csv", "CSV", AGAIN))
  .get("/users.xlsx", ...exportUsers("exportUsersWorkbook", "xlsx", "a workbook", `${AGAIN} At most 1,048,575 people.`))
  .get("/users.ndjson", ...exportUsers("exportUsersNdjson", "ndjson", "NDJSON", AGAIN));

interface Page {
  readonly users: readonly StoredUser[];
  readonly next: number | null;
}

async function readPage(c: Context<Env>, filter: UserFilter, after: number): Promise<Page> {
  const { ids, next } = await findFiltered(c, filter, { after, limit: PAGE });
  return { users: await loadUsers(c.get("hub").db, c.get("organization").id, ids), next };
}

/**
 * The first page and those behind it. Each continues after the last id, so that writes in between neither repeat nor skip
 * anybody. Once the answer has begun, a page that cannot be read now is asked for again.
 */
async function* pagesFrom(c: Context<Env>, filter: UserFilter, first: Page): AsyncGenerator<readonly StoredUser[]> {
  const { signal } = c.req.raw;
  yield first.users;
  for (let after = first.next; after !== null;) {
    const place: number = after;
    const page = await patiently(() => readPage(c, filter, place), signal);
    yield page.users;
    after = page.next;
  }
}
