/** A story to try on the model and on the engine: files of an HR department, day after day, and who is really meant. */
import type { Limits } from "../../../src/model/guards.ts";
import type { RulePolicy } from "../rules/state.ts";

/** A row of a file. `truth` is the number of the human being whom it is really about, which no engine sees. */
export interface ScenarioRow {
  readonly truth: number;
  /** By header. */
  readonly cells: Readonly<Record<string, string>>;
}

export interface Day {
  readonly coverage: "full" | "diff";
  /** Since the day before. */
  readonly hours: number;
  readonly headers: readonly string[];
  readonly rows: readonly ScenarioRow[];
  /** What somebody does with the run if it is held. */
  readonly ifHeld: "approve" | "cancel";
}

export interface Scenario {
  readonly key: "employee_id" | "email";
  readonly policy: RulePolicy;
  readonly limits: Limits;
  readonly days: readonly Day[];
  /** Whether the model has a word on all of it; if not, only the laws are looked at. */
  readonly isCompared: boolean;
}

/** The day's file. Files of different days differ in their bytes, so that none is skipped as the same again. */
export function fileOf({ headers, rows }: Day, number: number): string {
  const cell = (text: string) => /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const lines = [headers, ...rows.map(({ cells }) => headers.map((header) => cells[header]!))];
  return lines.map((cells) => cells.map(cell).join(",") + "\n").join("") + "\n".repeat(number);
}

/** As a person reads it. */
export function describeScenario({ key, policy, limits, days }: Scenario): string {
  const shown = days.map((day, index) => {
    const [header, ...lines] = fileOf(day, 0).trimEnd().split("\n");
    const rows = lines.map((line, at) => `${line.padEnd(70)} <- person ${day.rows[at]?.truth}`);
    return [`day ${index + 1}: ${day.coverage}, ${day.hours} h later, if held: ${day.ifHeld}`, header, ...rows].join(
      "\n",
    );
  });
  return [`key ${key}, policy ${JSON.stringify(policy)}, limits ${JSON.stringify(limits)}`, ...shown].join("\n");
}
