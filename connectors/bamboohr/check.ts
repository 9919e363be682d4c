/** Checks an account before the first run: whether subdomain, key and permissions suffice, and which statuses exist. */
import type { CheckResult, SourceContext } from "../../src/connector.ts";
import { type Ask, createAsk } from "./ask.ts";
import { askDatasetPage, namesOf } from "./dataset.ts";
import { askListPage, MAX_PAGE } from "./employees.ts";
import { costOf, isNeeded, type SourceName, type Wanted, wantedFields } from "./fields.ts";
import { chooseSource, readAll } from "./read.ts";
import { createSeen, hiddenFields, takeNew, withheldOf } from "./seen.ts";
import type { Settings } from "./settings.ts";
import { readStatuses, unknownStatuses } from "./statuses.ts";

export async function checkAccount(context: SourceContext<Settings>): Promise<CheckResult> {
  const ask = createAsk(context);
  const wanted = wantedFields(context.mapping);
  const source = await chooseSource(ask, context.settings.source, wanted);
  const look = await lookAtPeople(ask, source, wanted, context.today);
  const statuses = await readStatuses(ask);
  const unknown = unknownStatuses(context.onlyStatuses, statuses);
  const needed = look.missing.filter(({ field, hidden }) => hidden && isNeeded(field, context.onlyStatuses));
  const ok = look.employees > 0 && needed.length === 0 && unknown.length === 0;
  return {
    ok,
    detail: [
      look.employees === 0
        ? "BambooHR shows no employees: the key's user probably may not see any."
        : `BambooHR shows ${look.employees} employees, ${look.active} of them active.`,
      ...needed.map(({ field }) => `It does not show "${field.name}", without which ${costOf(field)}.`),
      ...unknown.map((status) => `It has no employment status "${status}".`),
      ...(ok && look.missing.length > 0 ? ["Some fields are not shown, or not of everybody."] : []),
    ].join(" "),
    found: {
      source,
      employees: look.employees,
      active: look.active,
      statuses,
      unknown_statuses: unknown,
      missing: look.missing.map(({ field, hidden }) => ({
        field: field.name,
        fills: field.fills,
        of: hidden ? "everybody" : "some",
        costs: costOf(field),
      })),
    },
  };
}

interface Look {
  readonly employees: number;
  readonly active: number;
  readonly missing: readonly { readonly field: Wanted; readonly hidden: boolean }[];
}

/** One page shows enough, where there are pages. A report can only be read whole. */
async function lookAtPeople(ask: Ask, source: SourceName, wanted: readonly Wanted[], today: string): Promise<Look> {
  const seen = createSeen();
  let employees: number, active: number;
  if (source === "employees") {
    const page = await askListPage(ask, wanted, { limit: MAX_PAGE });
    takeNew(seen, page.people, wanted);
    const [inactiveOnes, activeOnes] = await Promise.all(
      (["inactive", "active"] as const).map((status) => askListPage(ask, [], { limit: 1, status })),
    );
    active = activeOnes!.total ?? seen.active;
    employees = Math.max(page.total ?? 0, seen.ids.size, active + (inactiveOnes!.total ?? 0));
  } else if (source === "dataset") {
    const page = await askDatasetPage(ask, namesOf(wanted), { page: 1, pageSize: 1000 });
    takeNew(seen, page.people, wanted);
    const names = new Map([["status", "status"]]);
    const filter = "status in ('Active')";
    active = (await askDatasetPage(ask, names, { page: 1, pageSize: 1, filter })).total ?? seen.active;
    employees = page.total ?? seen.ids.size;
  } else {
    for await (const _ of readAll(ask, source, wanted, seen, today));
    ({ active } = seen);
    employees = seen.ids.size;
  }
  const hidden = new Set(hiddenFields(seen, wanted));
  const missing = wanted.filter(({ name }) => withheldOf(seen, name) > 0).map((field) => ({
    field,
    hidden: hidden.has(field),
  }));
  return { employees, active, missing };
}
