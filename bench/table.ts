/** Puts what was measured side by side, as Markdown, beside what it was to be. No I/O. No clock. */
import type { Felt } from "./serving.ts";

export interface Figure {
  readonly seconds: number;
  readonly peakMb: number | null;
  /** Measured on fewer people and multiplied. */
  readonly extrapolated?: boolean;
}

/** One scenario at one size. A system that was not asked for is null. */
export interface Result {
  readonly scenario: string;
  readonly sqlite: Figure | null;
  readonly handwritten: Figure | null;
  readonly muster: Figure | null;
  /** Users, departments and links of Muster that differ from the baseline's; null when either is absent. */
  readonly differences: number | null;
  /** Muster's time at most this many times the baseline's. */
  readonly maxRatio: number;
  /** Muster's peak memory in MB at most. */
  readonly maxPeakMb: number | null;
}

/** Muster's time at most this share of the hand-written importer's. */
const MIN_SPEED_UP = 4;

export function resultTable(people: number, results: readonly Result[]): string {
  const rows = results.map((result) => {
    const { sqlite, handwritten, muster } = result;
    const ratio = muster && sqlite ? muster.seconds / sqlite.seconds : null;
    const speedUp = muster && handwritten ? handwritten.seconds / muster.seconds : null;
    return [
      result.scenario,
      seconds(sqlite),
      seconds(handwritten),
      seconds(muster),
      judged(ratio, (value) => `${value.toFixed(2)} ×`, result.maxRatio, "≤"),
      judged(speedUp, (value) => `${value.toFixed(1)} ×`, MIN_SPEED_UP, "≥"),
      sqlite?.peakMb ? `${sqlite.peakMb}` : "–",
      judged(muster?.peakMb ?? null, (value) => `${value}`, result.maxPeakMb, "≤"),
      result.differences === null ? "–" : `${result.differences}`,
    ];
  });
  return [
    `### ${people.toLocaleString("en")} people`,
    "",
    ...table([
      "scenario",
      "sqlite3, s",
      "hand-written, s",
      "Muster, s",
      "Muster ÷ sqlite3",
      "hand-written ÷ Muster",
      "sqlite3 peak, MB",
      "Muster peak, MB",
      "differences",
    ], rows),
  ].join("\n");
}

export function servingTable(people: number, felt: Felt): string {
  const ms = (value: number) => `${value.toFixed(0)} ms`;
  return [
    `### While ${people.toLocaleString("en")} people are imported into another organization`,
    "",
    ...table(["felt by the others", "measured"], [
      ["longest stall (GET /healthz every 10 ms)", judged(felt.stallMs, ms, 100, "≤")],
      ["GET /v1/users/{id}, p99", judged(felt.readP99Ms, ms, 100, "≤")],
      [`PATCH /v1/users/{id}, p99 of ${felt.edits}`, judged(felt.editP99Ms, ms, 500, "≤")],
      ["the import, from the request to its end", `${felt.importSeconds.toFixed(1)} s`],
      ["the hub's peak memory", felt.peakMb === null ? "–" : `${felt.peakMb} MB`],
    ]),
  ].join("\n");
}

function seconds(figure: Figure | null): string {
  return figure === null ? "–" : `${figure.extrapolated ? "≈ " : ""}${figure.seconds.toFixed(2)}`;
}

/** The value, what it was to be, and whether it is. */
function judged(value: number | null, show: (value: number) => string, target: number | null, sign: "≤" | "≥"): string {
  if (value === null) return target === null ? "–" : `– (${sign} ${show(target)})`;
  if (target === null) return show(value);
  const reached = sign === "≤" ? value <= target : value >= target;
  return `${show(value)} (${sign} ${show(target)}${reached ? "" : ", **not reached**"})`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}
