/** What cells show about their whole column, which is reported once for the column instead of in every row. Pure. */

export interface ColumnNote {
  readonly code: "placeholder_value" | "html_entity" | "date_order_suspect" | "status_unclear";
  /** The field, or the header of a column that is none. */
  readonly field: string;
  /** The cell, or the part of it that is meant. */
  readonly value: string;
}

export interface ColumnNotes {
  add(notes: readonly ColumnNote[], line: number | null): void;
  /** One for each kind of note and column, in the order in which they came up. */
  all(): readonly Noted[];
}

/** How many cells there are, with the lines of the first ones, and the first values, each once. */
export interface Noted extends Pick<ColumnNote, "code" | "field"> {
  count: number;
  readonly lines: number[];
  readonly values: string[];
}

/** Lines, and values, that an issue names. */
const MOST_LINES = 5, MOST_VALUES = 10;

export function createColumnNotes(): ColumnNotes {
  const noted = new Map<string, Noted>();
  return {
    add(notes, line) {
      for (const { code, field, value } of notes) {
        const id = `${code} ${field}`;
        let known = noted.get(id);
        if (known === undefined) noted.set(id, known = { code, field, count: 0, lines: [], values: [] });
        known.count++;
        if (line !== null && known.lines.length < MOST_LINES) known.lines.push(line);
        if (known.values.length < MOST_VALUES && !known.values.includes(value)) known.values.push(value);
      }
    },
    all: () => [...noted.values()].map((each) => ({ ...each, lines: each.lines.toSorted((a, b) => a - b) })),
  };
}
