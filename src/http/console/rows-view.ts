/** The rows of a file that failed, as a form: what is wrong beside each cell, and what was typed on other pages kept. No I/O. */
import type { Context } from "hono";
import { html } from "hono/html";
import { Fault } from "../../model/errors.ts";
import { count } from "../../notify/words.ts";
import type { FailedCell, FailedRow } from "../../report/corrections.ts";
import type { Env } from "../kit/env.ts";
import type { Html } from "../pages/frame.ts";
import { type Typed, viewArea, viewChoice, viewFolded, viewInput } from "./fields.ts";
import { onceField, viewRefused } from "./forms.ts";
import { formFields } from "./frame.ts";

/** Of one page. A row whose cells are longer has a page of its own. */
const ROWS_A_PAGE = 10, CHARACTERS_A_PAGE = 50_000;
/** Longer ones are corrected in the report. */
const MAX_CELL = 2_000;

export interface RowsPage {
  /** Of the run's page. */
  readonly path: string;
  readonly title: string;
  readonly plan: string;
  readonly rows: readonly FailedRow[];
  readonly pages: readonly (readonly FailedRow[])[];
  /** Which of the pages is shown. */
  readonly at: number;
  /** Whether there are more rows, which are not on any page. */
  readonly isCut: boolean;
}

export function cellName(n: number, place: number): string {
  return `cell-${n}-${place}`;
}

export function extraName(n: number): string {
  return `extra-${n}`;
}

/** The cells of the row that can be corrected on a page. */
export function cellsOf({ cells }: FailedRow): readonly FailedCell[] {
  return cells.filter(({ text }) => text.length <= MAX_CELL);
}

/** Whether a field was left as it was: browsers write some characters in another way. */
export function isSame(typed: string, text: string): boolean {
  return asTyped(typed) === asTyped(text);
}

function asTyped(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text.replace(/\r\n?/g, "\n").replaceAll("\0", "\ufffd")));
}

export function pagesOf(rows: readonly FailedRow[]): FailedRow[][] {
  const pages: FailedRow[][] = [];
  let characters = Infinity;
  for (const row of rows) {
    const own = cellsOf(row).reduce((sum, { text }) => sum + text.length, 0);
    if (characters + own > CHARACTERS_A_PAGE || pages.at(-1)!.length === ROWS_A_PAGE) {
      pages.push([]);
      characters = 0;
    }
    pages.at(-1)!.push(row);
    characters += own;
  }
  return pages;
}

export function viewRows(c: Context<Env>, page: RowsPage, typed: Typed): Html {
  const { path, title, plan, rows, pages, at, isCut } = page, shown = pages[at] ?? [];
  return html`
    <p><a href="${path}">${title}</a></p>
    <h1>Correct rows</h1>
    ${viewRefused(typed.refused, "Nothing was sent")}
    ${rows.length === 0
      ? html`
        <section class="card">
          <p>There is no row to correct here.</p>
        </section>
      `
      : html`
        <p>${count(rows.length, "row")} could not be used. Correct what is wrong: only rows that you have changed are
          sent again, everybody else stays as they are. You see first what would change.${isCut
            ? " There are more rows than these; the report has all of them."
            : ""}</p>
        <form method="post" action="${path}/rows" class="form">
          ${formFields(c)}${onceField(typed.form?.get("once"))}
          <input type="hidden" name="plan" value="${plan}"><input type="hidden" name="page" value="${at}">
          ${rows.filter((row) => !shown.includes(row)).map((row) => viewKept(row, typed))}
          ${shown.map((row) => viewRow(row, typed))}
          ${viewButtons(page)}
        </form>
      `}
  `;
}

/** What was typed into rows of other pages. */
function viewKept({ row, ...failed }: FailedRow, { form }: Typed): Html {
  const kept = form === null ? [] : cellsOf({ row, ...failed }).flatMap(({ place, text }) => {
    const name = cellName(row.n, place), value = form.get(name);
    return value === null || isSame(value, text) ? [] : [[name, value]];
  });
  const extra = form?.has(extraName(row.n)) ? [[extraName(row.n), "yes"]] : [];
  return html`${
    [...kept, ...extra].map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)
  }`;
}

function viewRow(failed: FailedRow, typed: Typed): Html {
  const { row, problems, extra, who } = failed, id = `row-${row.n}`;
  const wrong = { form: typed.form, refused: problemsOf(failed) };
  const all = cellsOf(failed), first = all.filter((cell) => cell.problems.length > 0);
  const others = all.filter((cell) => cell.problems.length === 0);
  const isTyped = ({ place, text }: FailedCell) => !isSame(typed.form?.get(cellName(row.n, place)) ?? text, text);
  return html`
    <section class="card" aria-labelledby="${id}">
      <h2 id="${id}">${[`Line ${row.line ?? row.n + 1}`, who].filter(Boolean).join(", ")}</h2>
      ${problems.map((problem) => html`<p class="wrong">${problem}</p>`)}
      ${first.map((cell) => viewCell(row.n, cell, wrong))}
      ${extra.length === 0 ? "" : viewChoice(
        {
          name: extraName(row.n),
          value: "yes",
          label: `Leave out what is beyond the last column: ${extra.join(", ").slice(0, 200)}`,
        },
        [],
        typed,
      )}
      ${others.length === 0 ? "" : viewFolded(
        first.length === 0 ? "The cells of this row" : "The other cells of this row",
        first.length === 0 || others.some(isTyped),
        html`${others.map((cell) => viewCell(row.n, cell, wrong))}`,
      )}
    </section>
  `;
}

/** What is wrong with the cells, as refusals of the form's fields. */
function problemsOf({ row, cells }: FailedRow): Fault {
  const errors = cells.flatMap(({ place, problems }) =>
    problems.length === 0 ? [] : [{ pointer: `/${cellName(row.n, place)}`, detail: problems.join(". ") }]
  );
  return new Fault("invalid_request", "Some cells could not be used", { errors });
}

function viewCell(n: number, { place, column, text }: FailedCell, typed: Typed): Html {
  const field = { name: cellName(n, place), label: column === "" ? `Column ${place + 1}` : column, value: text };
  return /[\r\n]/.test(text) ? viewArea(field, typed) : viewInput(field, typed);
}

function viewButtons({ path, pages, at }: RowsPage): Html {
  return html`
    ${pages.length === 1
      ? ""
      : html`<p class="soft">Page ${at + 1} of ${pages.length}. What you have typed on other pages is
      kept, and sent together.</p>`}
    <div class="decide"><button class="go" name="to" value="send">Send the corrected rows</button>
      ${at + 1 < pages.length ? html`<button name="to" value="${at + 1}">Next rows</button>` : ""}
      ${at > 0 ? html`<button name="to" value="${at - 1}">Rows before</button>` : ""}
      <a class="button" href="${path}">Back without sending</a></div>
  `;
}
