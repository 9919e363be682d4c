/** Chooses one of BambooHR's three sources of people, and reads it. */
import { SourceFault } from "../../src/connector.ts";
import type { Ask } from "./ask.ts";
import { readDataset } from "./dataset.ts";
import { askListPage, readEmployees } from "./employees.ts";
import { nameIn, type SourceName, type Wanted } from "./fields.ts";
import { readReport } from "./report.ts";
import type { Page, Seen } from "./seen.ts";
import type { Settings } from "./settings.ts";

/** For `auto`: the list of employees if it has all wanted fields, otherwise a report. */
export async function chooseSource(
  ask: Ask,
  chosen: Settings["source"],
  wanted: readonly Wanted[],
): Promise<SourceName> {
  if (chosen !== "auto") return chosen;
  if (wanted.some(({ name }) => nameIn("employees", name) === null)) return "report";
  try {
    return (await askListPage(ask, wanted, { limit: 1 })).unknown.length > 0 ? "report" : "employees";
  } catch (error) {
    // Some accounts do not have the list. If the key is bad, reading the report will show it.
    if (error instanceof SourceFault && (error.kind === "credentials" || error.kind === "answer")) return "report";
    throw error;
  }
}

export function readAll(
  ask: Ask,
  source: SourceName,
  wanted: readonly Wanted[],
  seen: Seen,
  today: string,
): AsyncIterable<Page> {
  switch (source) {
    case "employees":
      return readEmployees(ask, wanted, seen);
    case "dataset":
      return readDataset(ask, wanted, seen);
    case "report":
      return readReport(ask, wanted, seen, today);
  }
}
