/** The audit as a file: the entries that fit the filters of the list, the latest first. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { BYTE_ORDER_MARK, lineOf } from "../../report/csv.ts";
import { streamText } from "../../std/streams.ts";
import type { AuditEntry } from "../../store/audit.ts";
import { requires } from "../kit/authorize.ts";
import { describe, download, route } from "../kit/describe.ts";
import { attachment } from "../kit/disposition.ts";
import type { Env } from "../kit/env.ts";
import { patiently } from "../kit/patiently.ts";
import { query } from "../kit/validate.ts";
import { type AuditEntryView, FILTERS, readerOf, viewEntry } from "./audit.ts";

/** Entries that are read at once. */
const PAGE = 500;
const COLUMNS = [
  "seq",
  "at",
  "action",
  "actor_kind",
  "actor_id",
  "actor_name",
  "subjects",
  "request_id",
  "address",
  "hash",
];
const ROWS = z.string().meta({ examples: [`${COLUMNS.join(",")}\r\n`] });

type Entries = readonly (AuditEntry & { hash: string | null })[];

const exportAudit = route(
  describe("exportAudit", "Download the audit as CSV", { 200: download({ "text/csv": ROWS }, "An entry a line") }, {
    description: "All entries that fit the filters, the latest first, with their hashes.",
  }),
  requires("audit:read"),
  query(z.strictObject(FILTERS)),
  async (c) => {
    const read = readerOf(c, c.req.valid("query"));
    const readPage = (before: number | null): Promise<Entries> =>
      read(c.get("hub").db, c.get("organization").id, { before, after: 0, limit: PAGE });
    return new Response(streamText(linesOf(c, await readPage(null), readPage)), {
      headers: { "content-type": "text/csv; charset=utf-8", "content-disposition": attachment("audit.csv") },
    });
  },
);

export const auditFileRoutes: Hono<Env> = new Hono<Env>().get("/audit.csv", ...exportAudit);

async function* linesOf(
  c: Context<Env>,
  first: Entries,
  readPage: (before: number) => Promise<Entries>,
): AsyncGenerator<string, undefined> {
  yield BYTE_ORDER_MARK + lineOf(COLUMNS);
  for (let page = first; page.length > 0;) {
    for (const entry of page) yield lineOf(cellsOf(viewEntry(entry)));
    const before = page.at(-1)!.seq;
    page = page.length < PAGE ? [] : await patiently(() => readPage(before), c.req.raw.signal);
  }
}

function cellsOf({ seq, at, action, actor, subjects, request_id, address, hash }: AuditEntryView): string[] {
  const { kind, id, name } = actor;
  return [seq, at, action, kind, id, name, subjects.join(" "), request_id, address, hash].map((cell) =>
    String(cell ?? "")
  );
}
