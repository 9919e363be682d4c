/** What cells show about their whole column, which is reported once for the column instead of in every row. Pure. */

export interface ColumnNote {
  readonly code: "placeholder_value" | "html_entity";
  readonly field: string;
  /** The placeholder, or the part of the cell that is meant, as an example. */
  readonly value: string;
}

export interface ColumnNotes {
  add(notes: readonly ColumnNote[], line: number | null): void;
  /** One for each kind of note and column, in the order in which they came up. */
  all(): readonly Noted[];
}

/** The example, how many cells there are, and the lines of the first ones. */
export interface Noted extends ColumnNote {
  count: number;
  readonly lines: number[];
}

/** Lines that an issue names. */
const MOST_LINES = 5;

export function createColumnNotes(): ColumnNotes {
  const noted = new Map<string, Noted>();
  return {
    add(notes, line) {
      for (const note of notes) {
        const id = `${note.code} ${note.field}`;
        let known = noted.get(id);
        if (known === undefined) noted.set(id, known = { ...note, count: 0, lines: [] });
        known.count++;
        if (line !== null && known.lines.length < MOST_LINES) known.lines.push(line);
      }
    },
    all: () => [...noted.values()].map((each) => ({ ...each, lines: each.lines.toSorted((a, b) => a - b) })),
  };
}
