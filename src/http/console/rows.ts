/** Correcting the failed rows of a file: those that were corrected are sent again, and nobody else changes. */
import type { Context } from "hono";
import { encodeId } from "../../model/id.ts";
import { Fault } from "../../model/errors.ts";
import { correctedReport, type Correction, listFailedRows } from "../../report/corrections.ts";
import { sourceOf } from "../../report/source.ts";
import type { StoredRun } from "../../store/runs/runs.ts";
import { requireHistory } from "../api/retention.ts";
import { loadRun } from "../api/runs.ts";
import { route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { readsInput, readsPeople, requireInput } from "../kit/reading.ts";
import { runTitle } from "../pages/run-page-model.ts";
import type { Typed } from "./fields.ts";
import { statusOf, tryChange } from "./forms.ts";
import { answerConsole, may, pathIn } from "./frame.ts";
import { PAGE, readOwnForm } from "./guards.ts";
import { planFile } from "./import.ts";
import { RECORDS } from "./lists.ts";
import { cellName, cellsOf, extraName, isSame, pagesOf, viewRows } from "./rows-view.ts";

/** Of a page of rows, in the encoding of forms. */
const MAX_ROWS_FORM_BYTES = 2 * 1024 * 1024;

/** Runs whose plan has been made, and has not been given up. */
const CORRECTABLE: ReadonlySet<string> = new Set(["planned", "held", "succeeded", "partial"]);

/** Whether failed rows of the run came in a file that who is signed in may send again. */
export function mayCorrect(c: Context<Env>, found: StoredRun): boolean {
  return isFile(c, found) && CORRECTABLE.has(found.run.status) && readsInput(c, found.drop) && may(c, "drops:write");
}

function isFile(c: Context<Env>, found: StoredRun): boolean {
  const { drop, connection } = found;
  return drop !== null && connection !== null && !RECORDS.has(connection.connector) &&
    sourceOf(c.get("hub"), found) === null;
}

export const showRows = route(PAGE, async (c) => {
  const found = await load(c);
  return await answerRows(c, found, { form: null, refused: null }, c.req.query("page") ?? "0");
});

/** Shows another page of rows with what was typed so far, or sends what was corrected on all of them. */
export const sendRows = route(PAGE, async (c) => {
  const form = await readOwnForm(c, MAX_ROWS_FORM_BYTES), found = await load(c);
  const to = form.get("to") ?? "send", page = to === "send" ? form.get("page") ?? "0" : to;
  if (to !== "send") return await answerRows(c, found, { form, refused: null }, page);
  const tried = await tryChange(async () => {
    if (form.get("plan") !== planOf(found)) throw new Fault("conflict", READ_AGAIN);
    const corrections = await readCorrections(c, found, form);
    if (corrections.length === 0) throw new Fault("invalid_request", NOTHING);
    const { name, contentType, content } = correctedReport(found, corrections);
    return await planFile(c, encodeId("con", found.run.connectionId), {
      body: content,
      type: contentType,
      query: { name, entity: found.run.entity },
      once: form.get("once"),
    });
  });
  if ("refused" in tried) return await answerRows(c, found, { form, ...tried }, page);
  return c.redirect(pathIn(c, `/runs/${tried.done.id}`), 303);
});

const NOTHING = "No cell is other than in the file; correct one, and send it then";
const READ_AGAIN = "The file was read again since you opened the page; look at its rows, and send them then";

async function load(c: Context<Env>): Promise<StoredRun> {
  const found = await loadRun(c);
  requireHistory(c, found.run);
  if (!isFile(c, found)) throw new Fault("not_found", "This run has no file whose rows could be corrected here");
  requireInput(c, found.drop);
  if (!may(c, "drops:write")) throw new Fault("forbidden", "You may not send files");
  if (CORRECTABLE.has(found.run.status)) return found;
  throw new Fault("conflict", "Rows of this run cannot be corrected: it was not applied, and waits for no decision");
}

function readRows(c: Context<Env>, found: StoredRun) {
  return listFailedRows(c.get("hub").db, found, readsPeople(c) ? "people" : "row");
}

/** Changes when the run is planned again. */
function planOf({ run }: StoredRun): string {
  return run.planHash ?? "";
}

/** The rows of which something is other than in the file. */
async function readCorrections(c: Context<Env>, found: StoredRun, form: URLSearchParams): Promise<Correction[]> {
  const { rows } = await readRows(c, found);
  return rows.flatMap((failed) => {
    const { row } = failed, isCut = form.has(extraName(row.n));
    const cells = new Map(
      cellsOf(failed).flatMap(({ place, text }) => {
        const typed = form.get(cellName(row.n, place));
        return typed === null || isSame(typed, text) ? [] : [[place, typed.replaceAll("\r\n", "\n")]];
      }),
    );
    return cells.size === 0 && !isCut ? [] : [{ row, cells, isCut }];
  });
}

async function answerRows(c: Context<Env>, found: StoredRun, typed: Typed, page: string): Promise<Response> {
  const { rows, isCut } = await readRows(c, found), pages = pagesOf(rows);
  const at = /^\d{1,4}$/.test(page) ? Math.min(Number(page), Math.max(pages.length - 1, 0)) : 0;
  const path = pathIn(c, `/runs/${encodeId("run", found.run.id)}`), title = runTitle(found);
  const main = viewRows(c, { path, title, plan: planOf(found), rows, pages, at, isCut }, typed);
  return await answerConsole(c, { title: `Correct rows of ${title}`, section: "/runs", main }, statusOf(typed.refused));
}
