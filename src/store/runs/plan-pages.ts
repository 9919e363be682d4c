/** Pages of changes, stored while a run is planned. */
import { and, eq, inArray, type SQL, sql } from "drizzle-orm";
import type { Entry } from "../../reconcile/columns/entry.ts";
import type { PageStore } from "../../reconcile/columns/pages.ts";
import { toHex } from "../../std/hex.ts";
import type { Database } from "../database.ts";
import { reserve } from "../sequences.ts";
import type { Packing } from "./drop-content.ts";
import type { Renew } from "./queue.ts";
import { changePages, pageBodies } from "./schema-plans.ts";
import type { Staging } from "./staging.ts";

/** `staging`: takes pages of new people as soon as they are stored; null: there is none. */
export function createPageStore(
  db: Database,
  { id: runId, organizationId }: { readonly id: number; readonly organizationId: number },
  renew: Renew,
  packing: Packing,
  staging: Staging | null,
): PageStore {
  /** Ids of pages that are staged, by their number. */
  const staged = new Map<number, number>();
  const isPage = (number: number) => and(eq(changePages.runId, runId), eq(changePages.page, number));
  return {
    maxBytes: db.valueBytes,
    async write({ page, kind, count, body, parked }) {
      const [id, firstChange] = [await reserve(db, "page"), await reserve(db, "change", count)];
      await db.write([
        db.orm.insert(changePages).values({
          id,
          organizationId,
          runId,
          page,
          kind,
          firstChange,
          count,
          parked: parked === null ? null : JSON.stringify(parked),
        }),
        db.orm.insert(pageBodies).values({ pageId: id, body: asText(body), sha256: hashOf(packing, body) }),
        ...renew(),
      ]);
      if (kind !== "creates" || staging === null) return;
      staged.set(page, id);
      staging.add(id);
    },
    async read(number) {
      const [row] = await db.orm.select({ body: pageBodies.body }).from(changePages)
        .innerJoin(pageBodies, eq(pageBodies.pageId, changePages.id)).where(isPage(number));
      return JSON.parse(row!.body) as Entry[];
    },
    async replace(number, body, count) {
      if (staged.has(number)) staging!.remove(staged.get(number)!);
      const id = db.orm.select({ id: changePages.id }).from(changePages).where(isPage(number));
      const isBody = inArray(pageBodies.pageId, id);
      const replaced = count === 0
        ? [db.orm.delete(pageBodies).where(isBody), db.orm.delete(changePages).where(isPage(number))]
        : [
          db.orm.update(pageBodies).set({ body: asText(body), sha256: hashOf(packing, body) }).where(isBody),
          db.orm.update(changePages).set({ count }).where(isPage(number)),
        ];
      await db.write([...replaced, ...renew()]);
    },
    async setManagers(number, managers) {
      await db.write([
        db.run(sql`insert into page_managers (page_id, managers, sha256)
          select id, ${asText(managers)}, ${hashOf(packing, managers)} from change_pages
          where run_id = ${runId} and page = ${number}`),
        ...renew(),
      ]);
    },
  };
}

function hashOf(packing: Packing, bytes: Uint8Array): string {
  const hash = packing.createSha256();
  hash.update(bytes);
  return toHex(hash.digest());
}

/** UTF-8 bytes as text in SQL: a string would be encoded once more on its way. */
function asText(utf8: Uint8Array): SQL<string> {
  return sql`cast(${utf8} as text)`;
}
