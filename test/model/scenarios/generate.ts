/** Scenarios by chance: people who come, marry, move and leave, and the files that are made of them. */
import type { Limits } from "../../../src/model/guards.ts";
import { NO_GUARDS } from "../../laws/lab.ts";
import type { Random } from "../../fuzz/random.ts";
import { dateIn } from "../../../src/std/time.ts";
import { START } from "../../laws/lab.ts";
import { type Human, live, newHuman, type Town } from "./humans.ts";
import { mutateDay, shuffleDay } from "./mutations.ts";
import type { Day, Scenario } from "./scenario.ts";

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

export function generateScenario(random: Random): Scenario {
  const town: Town = { humans: [], next: 1 };
  const size = random.pick([2, 3, 4, 5, 6, 8, 10, 12, 20, 30]);
  for (let i = 0; i < size; i++) newHuman(town, random);
  const made = exportOf(random), isWild = random.once(8);
  const days: Day[] = [];
  let nowMs = START;
  for (let i = 0, count = 1 + random.below(4); i < count; i++) {
    const hours = i === 0 ? 0 : random.pick([1, 13, 24, 24, 24, 72]);
    nowMs += hours * 3_600_000;
    const today = dateIn("UTC", nowMs);
    if (i > 0) live(town, random, today);
    const day: Day = {
      coverage: i > 0 && random.once(6) ? "diff" : "full",
      hours,
      headers: made.headers,
      rows: town.humans.filter((human) => isListed(human, made)).map((human) => rowOf(human, made, today)),
      ifHeld: random.once(3) ? "cancel" : "approve",
    };
    const isShuffled = i > 0 && isWild && random.once(2);
    days.push(isShuffled ? shuffleDay(day, random) : i > 0 || random.once(4) ? mutateDay(day, random) : day);
  }
  return {
    isCompared: !isWild,
    key: random.once(4) ? "email" : "employee_id",
    policy: {
      missing: random.pick(["keep", "deactivate", "deactivate"]),
      missing_after_runs: random.pick([1, 2, 2]),
      missing_after_hours: random.pick([0, 12]),
      empty_cells: random.pick(["clear", "clear", "keep"]),
      leavers: random.pick(["on_date", "on_date", "after_date"]),
    },
    limits: random.pick<Limits>([ALL_OFF, ALL_OFF, NO_GUARDS, {}, {}, { update: { enabled: false } }]),
    days,
  };
}

function exportOf(random: Random): Export {
  const leavers = random.pick(["dropped", "is_active", "is_active", "deactivation_date"] as const);
  const headers = ["employee_id", "email", "first_name", "last_name"];
  if (leavers === "is_active" || random.once(3)) headers.push("is_active");
  if (leavers === "deactivation_date" || random.once(3)) headers.push("deactivation_date");
  if (random.once(2)) headers.push("hire_date");
  if (!random.once(3)) headers.push("title");
  return { headers, leavers };
}

function isListed({ left }: Human, { leavers }: Export): boolean {
  return left === null || leavers !== "dropped";
}

function rowOf(human: Human, { leavers }: Export, today: string): Day["rows"][number] {
  const hasLeft = human.left !== null && human.left <= today;
  return {
    truth: human.truth,
    cells: {
      employee_id: human.number,
      email: human.email,
      first_name: human.first,
      last_name: human.last,
      title: human.title,
      hire_date: human.hired,
      is_active: leavers === "is_active" && hasLeft ? "no" : "yes",
      deactivation_date: leavers === "deactivation_date" ? human.left ?? "" : "",
    },
  };
}
