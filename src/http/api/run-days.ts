/** What runs did, day by day in the organization's time zone. */
import { Hono } from "hono";
import { z } from "zod";
import { dateIn, DAY_MS, startOfDay } from "../../std/time.ts";
import { listRunQuarters, type RunQuarter } from "../../store/runs/days.ts";
import { requires } from "../kit/authorize.ts";
import { describe, json, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";

/** As many as a chart shows. */
const DAYS = 30;
const COUNT = z.int().min(0);
const DAY = z.strictObject({
  day: z.iso.date().meta({ examples: ["2026-03-01"] }),
  runs: COUNT,
  created: COUNT,
  updated: COUNT,
  deactivated: COUNT,
  reactivated: COUNT,
  failed: COUNT.meta({ description: "Rows that could not be used" }),
}).meta({ id: "RunDay" });
const DAYS_OF_RUNS = z.strictObject({ data: z.array(DAY) }).meta({ id: "RunDays" });

export type RunDayView = z.infer<typeof DAY>;

const list = route(
  describe("listRunDays", "Show what runs did by day", { 200: json(DAYS_OF_RUNS) }, {
    description:
      `People in runs that were applied on each of the last ${DAYS} days, or of as many as the latest runs reach back.`,
  }),
  requires("runs:read"),
  async (c) => {
    const { id, timezone } = c.get("organization"), { db, now } = c.get("hub");
    const days = daysUntil(dateIn(timezone, now()));
    const starts = days.map((day) => startOfDay(timezone, day)!);
    const { from, quarters } = await listRunQuarters(db, id, starts[0]!);
    const isIn = (at: number, i: number) => at >= starts[i]! && at < (starts[i + 1] ?? Infinity);
    const all = days.map((day, i) => dayOf(day, quarters.filter(({ at }) => isIn(at, i))));
    return c.json({ data: all.filter((_, i) => starts[i]! >= from) });
  },
);

export const runDayRoutes: Hono<Env> = new Hono<Env>().get("/", ...list);

/** By the calendar: where clocks change, a day has 23 or 25 hours. */
function daysUntil(last: string): string[] {
  return Array.from({ length: DAYS }, (_, i) => dateIn("UTC", Date.parse(last) - (DAYS - 1 - i) * DAY_MS));
}

function dayOf(day: string, quarters: readonly RunQuarter[]): RunDayView {
  const sum = (name: keyof RunQuarter) => quarters.reduce((total, quarter) => total + quarter[name], 0);
  return {
    day,
    runs: sum("runs"),
    created: sum("created"),
    updated: sum("updated"),
    deactivated: sum("deactivated"),
    reactivated: sum("reactivated"),
    failed: sum("failed"),
  };
}
