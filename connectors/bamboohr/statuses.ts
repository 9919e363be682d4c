/** The company's own list of employment statuses. */
import { SourceFault } from "../../src/connector.ts";
import { type Ask, askValue, listOf } from "./ask.ts";

/** The statuses in use, as BambooHR spells them; null: the key may not read the list. */
export async function readStatuses(ask: Ask): Promise<string[] | null> {
  let lists;
  try {
    lists = listOf(await askValue(ask, "/api/v1/meta/lists", {}, "the list of employment statuses"));
  } catch (error) {
    if (error instanceof SourceFault && error.kind === "credentials") return null;
    throw error;
  }
  // A list's own id differs from its field's id.
  const list = lists.find(({ alias, fieldId }) => alias === "employmentHistoryStatus" || fieldId === 16);
  return list === undefined
    ? null
    : listOf(list.options).filter(({ archived }) => archived !== "yes").map(({ name }) => String(name).trim());
}

/** Chosen statuses that BambooHR does not have, or not any more. */
export function unknownStatuses(chosen: readonly string[] | null, known: readonly string[] | null): string[] {
  if (chosen === null || known === null) return [];
  const names = new Set(known.map(fold));
  return chosen.filter((status) => !names.has(fold(status)));
}

function fold(name: string): string {
  return name.normalize("NFC").trim().replace(/\s+/g, " ").toLowerCase();
}
