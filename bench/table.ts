/** Puts what was measured side by side, as Markdown, beside what it was to be. No I/O. No clock. */
import type { Target } from "./days.ts";
import type { Felt } from "./serving.ts";

/** One run of one system. */
export interface Figure {
  readonly seconds: number;
  readonly cpuSeconds: number | null;
  readonly peakMb: number | null;
  /** Measured on fewer people and multiplied. */
  readonly extrapolated?: boolean;
}

/** One scenario at one size, once a round. A system that was not asked for has no figures. */
export interface Result {
  readonly scenario: string;
  readonly sqlite: readonly Figure[];
  readonly handwritten: Figure | null;
  readonly muster: readonly Figure[];
  /** Users, departments and links of Muster that differ from the baseline's; null when either is absent. */
  readonly differences: number | null;
  readonly target: Target | null;
}

/** Muster's time at most this share of the hand-written importer's. */
const MIN_SPEED_UP = 4;

export function resultTable(people: number, results: readonly Result[]): string {
  const rows = results.map(({ scenario, sqlite, handwritten, muster, differences, target }) => {
    const ratios = muster.flatMap((figure, round) => sqlite[round] ? figure.seconds / sqlite[round].seconds : []);
    const speedUp = handwritten === null ? [] : muster.map((figure) => handwritten.seconds / figure.seconds);
    const peaks = (figures: readonly Figure[]) => figures.flatMap(({ peakMb }) => peakMb ?? []);
    const megabytes = (value: number) => value.toFixed(0);
    return [
      scenario,
      times(sqlite),
      handwritten === null ? "–" : `${handwritten.extrapolated ? "≈ " : ""}${handwritten.seconds.toFixed(2)}`,
      times(muster),
      judged(ratios, (value) => `${value.toFixed(2)} ×`, target?.maxRatio ?? null, "≤"),
      judged(speedUp, (value) => `${value.toFixed(1)} ×`, MIN_SPEED_UP, "≥"),
      judged(peaks(sqlite), megabytes, null, "≤"),
      judged(peaks(muster), megabytes, target?.maxPeakMb ?? null, "≤"),
      differences === null ? "–" : `${differences}`,
    ];
  });
  return [
    `### ${people.toLocaleString("en")} people`,
    "",
    ...table([
      "scenario",
      "sqlite3, s (CPU)",
      "hand-written, s",
      "Muster, s (CPU)",
      "Muster ÷ sqlite3",
      "hand-written ÷ Muster",
      "sqlite3 peak, MB",
      "Muster peak, MB",
      "differences",
    ], rows),
  ].join("\n");
}

export function servingTable(people: number, felt: readonly Felt[]): string {
  const ms = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
  const times = (value: number) => `${value.toFixed(1)} ×`;
  const of = (pick: (felt: Felt) => number | null) => felt.flatMap((round) => pick(round) ?? []);
  const row = (what: string, name: "read" | "edit", most: number) => [
    `${what}, p99`,
    judged(of((round) => round.idle[name]), ms, null, "≤"),
    judged(of((round) => round.busy[name]), ms, null, "≤"),
    judged(of((round) => round.busy[name] / round.idle[name]), times, most, "≤"),
  ];
  const alone = (what: string, values: readonly number[], show: (value: number) => string, most: number | null) => [
    what,
    "",
    judged(values, show, most, "≤"),
    "",
  ];
  return [
    `### While ${people.toLocaleString("en")} people are imported into another organization`,
    "",
    ...table(["felt by the others", "idle", "while importing", "times as long"], [
      row("GET /v1/users/{id}", "read", 10),
      row("PATCH /v1/users/{id}", "edit", 20),
      alone("longest stall (GET /healthz every 10 ms)", of((round) => round.busy.stall), ms, 150),
      alone("the import, to its end", of((round) => round.importSeconds), (value) => `${value.toFixed(1)} s`, null),
      alone("the hub's peak memory", of((round) => round.peakMb), (value) => `${value.toFixed(0)} MB`, null),
    ]),
  ].join("\n");
}

/** What an organization felt for a while: milliseconds that 99 of 100 answers took no longer than, and the hub's peak. */
export interface Answers {
  readonly read: number;
  readonly edit: number;
  readonly imported: number;
  readonly peakMb: number | null;
}

export interface Suffered {
  /** The hostile caller. */
  readonly name: string;
  /** A file only imports much, which others may feel more. A connector runs in a process that the hub may hold back. */
  readonly by: "caller" | "file" | "connector";
  readonly answers: Answers;
}

/** As many times as long as when nobody does harm, or a few milliseconds more. */
const MAX_TIMES = 3, MAX_TIMES_OF_FILE = { read: 10, edit: 20 }, ALWAYS_FINE_MS = 25, MAX_PEAK_MB = 350;
/** What is wanted beside a connector that does harm. */
const MAX_MS_OF_CONNECTOR = 100;

export function fairnessTable(idle: Answers, suffered: readonly Suffered[]): string {
  const cell = (value: number, before: number, mostMs: number) => {
    if (value === Infinity) return "**refused, or lost**";
    const fine = value <= Math.max(mostMs, ALWAYS_FINE_MS);
    return `${value.toFixed(1)} (${(value / before).toFixed(1)} ×${fine ? "" : ", **too long**"})`;
  };
  const peak = (value: number | null) =>
    value === null ? "–" : `${value}${value <= MAX_PEAK_MB ? "" : ", **too much**"}`;
  const rows = suffered.map(({ name, by, answers }) => [
    name,
    ...(["read", "edit", "imported"] as const).map((what) => cell(answers[what], idle[what], mostOf(by, what, idle))),
    peak(answers.peakMb),
  ]);
  const quiet = ["nobody", ...[idle.read, idle.edit, idle.imported].map((ms) => ms.toFixed(1)), peak(idle.peakMb)];
  const head = [
    "hostile caller",
    "GET, p99 in ms",
    "PATCH, p99 in ms",
    "one row imported, p99 in ms",
    "the hub's peak, MB",
  ];
  return table(head, [quiet, ...rows]).join("\n");
}

/** Milliseconds. */
function mostOf(by: Suffered["by"], what: "read" | "edit" | "imported", idle: Answers): number {
  if (by === "connector") return MAX_MS_OF_CONNECTOR;
  if (by === "caller") return MAX_TIMES * idle[what];
  return what === "imported" ? Infinity : MAX_TIMES_OF_FILE[what] * idle[what];
}

/** The middle of the runs' times, from the shortest to the longest, and the middle of their processor times. */
function times(figures: readonly Figure[]): string {
  if (figures.length === 0) return "–";
  const cpu = figures.flatMap(({ cpuSeconds }) => cpuSeconds ?? []);
  const shown = judged(figures.map(({ seconds }) => seconds), (value) => value.toFixed(2), null, "≤");
  return cpu.length === 0 ? shown : `${shown} (${median(cpu).toFixed(1)})`;
}

/** The median, its spread, what it was to be, and whether it is. */
function judged(
  values: readonly number[],
  show: (value: number) => string,
  target: number | null,
  sign: "≤" | "≥",
): string {
  if (values.length === 0) return "–";
  const middle = median(values);
  const spread = values.length === 1 ? "" : ` [${show(Math.min(...values))}–${show(Math.max(...values))}]`;
  if (target === null) return show(middle) + spread;
  const reached = sign === "≤" ? middle <= target : middle >= target;
  return `${show(middle)}${spread} (${sign} ${show(target)}${reached ? "" : ", **not reached**"})`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}
