/**
 * The people that a run affects, as CSV: people in the order of the page in, a stream of bytes for a spreadsheet out.
 */
import { streamText } from "../../std/streams.ts";
import { BYTE_ORDER_MARK, lineOf } from "../../report/csv.ts";
import { reasonInWords } from "../../notify/words.ts";
import type { AffectedPerson } from "../../store/runs/run-people.ts";

const COLUMNS = ["name", "email", "employee_id", "change", "status", "reason", "line", "field", "before", "after"];

/** UTF-8 with a byte order mark. One line for each field that changes, and one for a person without such fields. */
export function peopleCsv(people: AsyncIterable<AffectedPerson>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return streamText(linesOf(people));
}

async function* linesOf(people: AsyncIterable<AffectedPerson>): AsyncGenerator<string, undefined> {
  yield BYTE_ORDER_MARK + lineOf(COLUMNS);
  for await (const { change, name } of people) {
    const { subject, action, status, reason, line, fields } = change;
    const who = [name, subject.email, subject.employee_id, action, status, reasonInWords(reason), line];
    const changed = Object.entries(fields);
    for (
      const [field, { before, after }] of changed.length === 0
        ? [["", { before: null, after: null }] as const]
        : changed
    ) {
      yield lineOf([...who, field, before, after].map(textOf));
    }
  }
}

function textOf(value: unknown): string {
  return value === null || value === undefined
    ? ""
    : Array.isArray(value)
    ? value.join(",")
    : typeof value === "object"
    ? JSON.stringify(value)
    : String(value);
}
