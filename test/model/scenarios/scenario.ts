/** A story to try on the model and on the engine: files of an HR department, day after day, and who is really meant. */
import type { Limits } from "../../../src/model/guards.ts";
import type { Edit } from "../rules/edit.ts";
import type { KeyField, RulePolicy } from "../rules/state.ts";

/** A row of a file. `truth` is the number of the human being whom it is really about, which no engine sees. */
export interface ScenarioRow {
  readonly truth: number;
  /** By header. */
  readonly cells: Readonly<Record<string, string>>;
}

export type Slug = "first" | "second";

export interface Day {
  /** The connection whose input it is. */
  readonly connection: Slug;
  readonly coverage: "full" | "diff";
  /** Whether somebody sends the file in place of editing people. */
  readonly byHand: boolean;
  /** What is edited in the hub just before. */
  readonly edits: readonly Edit[];
  /** Whether the hub looks, before that, whose leaving day has come. */
  readonly isDueSeen: boolean;
  /** Since the day before. */
  readonly hours: number;
  readonly headers: readonly string[];
  readonly rows: readonly ScenarioRow[];
  /** In how many files the rows come together: parts of one full input. */
  readonly parts: number;
  /** What somebody does with the run if it is held. */
  readonly ifHeld: "approve" | "cancel";
  /** Whether somebody says of the rows that are refused whether they are about the same person, or about somebody new. */
  readonly decides: boolean;
}

export interface Source {
  readonly slug: Slug;
  readonly key: KeyField;
  readonly policy: RulePolicy;
  readonly limits: Limits;
}

export interface Scenario {
  /** One connection, or two that know the same people; the older first. */
  readonly sources: readonly Source[];
  readonly days: readonly Day[];
  /** Whether the model has a word on all of it; if not, only the laws are looked at. */
  readonly isCompared: boolean;
}

/** The day's files, each as a day of its own. */
export function filesOf(day: Day): readonly Day[] {
  const { rows } = day, count = day.coverage === "full" ? Math.max(1, Math.min(day.parts, rows.length)) : 1;
  const size = Math.ceil(rows.length / count);
  return Array.from({ length: count }, (_, i) => ({ ...day, rows: rows.slice(i * size, (i + 1) * size) }))
    .filter((file) => count === 1 || file.rows.length > 0);
}

/** The day's file. Files of different days differ in their bytes, so that none is skipped as the same again. */
export function fileOf({ headers, rows }: Day, number: number): string {
  const cell = (text: string) => /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const lines = [headers, ...rows.map(({ cells }) => headers.map((header) => cells[header]!))];
  return lines.map((cells) => cells.map(cell).join(",") + "\n").join("") + "\n".repeat(number);
}

/** As a person reads it. */
export function describeScenario({ sources, days }: Scenario): string {
  const shown = days.map((day, index) => {
    const [header, ...lines] = fileOf(day, 0).trimEnd().split("\n");
    const rows = lines.map((line, at) => `${line.padEnd(70)} <- person ${day.rows[at]?.truth}`);
    const { connection, coverage, byHand, edits, hours, ifHeld, decides, isDueSeen } = day, files = filesOf(day);
    const parts = files.length > 1 ? `, in parts of ${files.map((file) => file.rows.length).join(", ")} rows` : "";
    const title = `${connection}, ${coverage}${byHand ? " by hand" : ""}, ${hours} h later, if held: ${ifHeld}${
      decides ? ", decides" : ""
    }${isDueSeen ? ", leaving days seen" : ""}${parts}`;
    const edited = edits.map((edit) => `edited by hand: ${JSON.stringify(edit)}`);
    return [`day ${index + 1}: ${title}`, ...edited, header, ...rows].join("\n");
  });
  const settings = sources.map(({ slug, key, policy, limits }) =>
    `${slug}: key ${key}, policy ${JSON.stringify(policy)}, limits ${JSON.stringify(limits)}`
  );
  return [...settings, ...shown].join("\n");
}
