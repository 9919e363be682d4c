/** Scenarios by chance: people who come, marry, move and leave, and the files that are made of them. */
import type { Limits } from "../../../src/model/guards.ts";
import { NO_GUARDS } from "../../laws/lab.ts";
import type { Edit } from "../rules/edit.ts";
import type { Random } from "../../fuzz/random.ts";
import { dateIn } from "../../../src/std/time.ts";
import { START } from "../../laws/lab.ts";
import type { RowCondition } from "../rules/state.ts";
import { type Human, live, newHuman, type Town } from "./humans.ts";
import { mutateDay, shuffleDay } from "./mutations.ts";
import type { Day, Scenario, Slug, Source } from "./scenario.ts";

/** How this customer's export is made. */
export interface Export {
  readonly headers: readonly string[];
  /** What shows that somebody has left. */
  readonly leavers: "dropped" | "is_active" | "deactivation_date";
}

const ALL_OFF: Limits = {
  ...NO_GUARDS,
  contradictions: { enabled: false },
};

/** A system that exports people: how, and whom and what of them it knows. */
interface System extends Export {
  readonly slug: Slug;
  readonly key: Source["key"];
  /** Humans whose number leaves this rest are not in it; null: all are. */
  readonly without: number | null;
  /** Whether it has titles of its own. */
  readonly hasOwnTitles: boolean;
  /** Whether its phones begin with 00 in place of a +. */
  readonly dials00: boolean;
}

const CONDITIONS: readonly RowCondition[] = [
  { column: "Company", is: ["acme", "Acme North"] },
  { column: "Company", is_not: ["Other"] },
];

export function generateScenario(random: Random): Scenario {
  const town: Town = { humans: [], next: 1 };
  const size = random.pick([2, 3, 4, 5, 6, 8, 10, 12, 20, 30]);
  for (let i = 0; i < size; i++) newHuman(town, random);
  const systems = [systemOf("first", random), ...random.once(2) ? [systemOf("second", random)] : []];
  const isWild = random.once(8), hasHands = random.once(3);
  const sources = systems.map(({ slug, key, headers }) => ({ slug, key, ...settingsOf(slug, headers, random) }));
  const days: Day[] = [];
  let nowMs = START;
  for (let i = 0, count = systems.length + random.below(4); i < count; i++) {
    const hours = i === 0 ? 0 : random.pick([1, 13, 24, 24, 24, 72]);
    nowMs += hours * 3_600_000;
    const today = dateIn("UTC", nowMs);
    if (i > 0) live(town, random, today);
    const system = systems[i] ?? random.pick(systems);
    const day: Day = {
      connection: system.slug,
      coverage: i > 0 && random.once(6) ? "diff" : "full",
      byHand: hasHands && random.once(3),
      edits: hasHands && i > 0 ? editsOf(town, random) : [],
      isDueSeen: random.once(2),
      hours,
      headers: system.headers,
      rows: town.humans.filter((human) => isListed(human, system)).map((human) => rowOf(human, system, town, today)),
      parts: random.once(5) ? random.pick([2, 2, 3]) : 1,
      ifHeld: random.once(3) ? "cancel" : "approve",
      decides: random.once(2),
    };
    const isShuffled = i > 0 && isWild && random.once(2);
    days.push(isShuffled ? shuffleDay(day, random) : i > 0 || random.once(4) ? mutateDay(day, random) : day);
  }
  return {
    isCompared: !isWild,
    sources,
    days,
  };
}

/** What somebody corrects in the hub: sometimes what the sources have as well, sometimes something else. */
function editsOf({ humans }: Town, random: Random): Edit[] {
  return Array.from({ length: random.below(3) }, () => {
    const { number, first, title } = random.pick(humans);
    const values = random.pick<Edit["values"]>([
      {},
      { title: "By hand" },
      { title: title === "" ? null : title },
      { title: null },
      { last_name: "Hand" },
      { mobile_phone: "+371 2012 9999" },
      { deactivation_date: "2026-03-04" },
      { email: `${first.toLowerCase()}.hand@example.com` },
    ]);
    const release = random.pick<Edit["release"]>([[], [], [], ["title", "last_name", "email"], ["manager"]]);
    const status = random.pick([null, null, "active", "inactive"] as const);
    const manager = random.pick([undefined, undefined, null, random.pick(humans).number]);
    return { number, values, status, release, manager };
  });
}

function systemOf(slug: Slug, random: Random): System {
  const made = exportOf(random), { headers } = made;
  return {
    ...made,
    slug,
    key: headers.includes("mobile_phone") && random.once(2) ? "mobile_phone" : random.once(4) ? "email" : "employee_id",
    without: slug === "second" && random.once(2) ? random.below(3) : null,
    hasOwnTitles: slug === "second" && random.once(2),
    dials00: random.once(3),
  };
}

function settingsOf(slug: Slug, headers: readonly string[], random: Random): Pick<Source, "policy" | "limits"> {
  return {
    policy: {
      missing: random.pick(["keep", "deactivate", "deactivate"]),
      missing_after_runs: random.pick([1, 2, 2]),
      missing_after_hours: random.pick([0, 12]),
      empty_cells: random.pick(["clear", "clear", "keep"]),
      leavers: random.pick(["on_date", "on_date", "after_date"]),
      ...random.once(4) ? { manual_edits: "keep" as const } : {},
      ...random.once(3) ? { pick: "all" as const } : {},
      ...headers.includes("employment_status") && random.once(2) ? { only_statuses: ["regular", "Trainee"] } : {},
      ...headers.includes("Company") ? { only_rows: [random.pick(CONDITIONS)] } : {},
      ...slug === "second" && random.once(3) ? { priority: random.pick([-1, 1]) } : {},
    },
    limits: random.pick<Limits>([ALL_OFF, ALL_OFF, NO_GUARDS, {}, {}, { update: { enabled: false } }]),
  };
}

function exportOf(random: Random): Export {
  const leavers = random.pick(["dropped", "is_active", "is_active", "deactivation_date"] as const);
  const headers = ["employee_id", "email", "first_name", "last_name"];
  if (leavers === "is_active" || random.once(3)) headers.push("is_active");
  if (leavers === "deactivation_date" || random.once(3)) headers.push("deactivation_date");
  if (random.once(3)) headers.push("mobile_phone");
  if (random.once(2)) headers.push("hire_date");
  if (!random.once(3)) headers.push("title");
  if (random.once(3)) headers.push("department_name");
  if (random.once(4)) headers.push("employment_status");
  if (random.once(6)) headers.push("Company");
  if (random.once(3)) headers.push("manager_id");
  if (random.once(6)) headers.push("manager_email");
  return { headers, leavers };
}

function isListed({ left, truth }: Human, { leavers, without }: System): boolean {
  return (left === null || leavers !== "dropped") && (without === null || truth % 3 !== without);
}

function rowOf(
  human: Human,
  { leavers, hasOwnTitles, dials00 }: System,
  { humans }: Town,
  today: string,
): Day["rows"][number] {
  const boss = humans.find(({ truth }) => truth === human.boss);
  const hasLeft = human.left !== null && human.left <= today;
  return {
    truth: human.truth,
    cells: {
      employee_id: human.number,
      email: human.email,
      mobile_phone: dials00 ? human.phone.replace("+", "00") : human.phone,
      first_name: human.first,
      last_name: human.last,
      department_name: human.department,
      employment_status: human.kind,
      Company: human.company,
      title: hasOwnTitles && human.title !== "" ? `Our ${human.title}` : human.title,
      hire_date: human.hired,
      manager_id: boss?.number ?? "",
      manager_email: boss?.email ?? "",
      is_active: leavers === "is_active" && hasLeft ? "no" : "yes",
      deactivation_date: leavers === "deactivation_date" ? human.left ?? "" : "",
    },
  };
}
