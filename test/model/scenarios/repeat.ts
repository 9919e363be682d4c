/** The same input a second time plans nothing, and the order of rows does not matter: each tried on a copy of the hub. */
import type { Lab } from "../../laws/lab.ts";
import { type Seen, sendDay, whatIsHeld } from "./engine.ts";
import type { Day } from "./scenario.ts";

/** The day's file with its rows turned round, sent to a copy of the hub as it was before. */
export async function breachesOfOrder(
  before: Lab,
  day: Day,
  number: number,
  seen: Seen,
  held: unknown,
): Promise<string[]> {
  const turned = { ...day, rows: day.rows.toReversed() };
  const other = await sendDay(before, turned, number);
  const differences: string[] = [];
  const same = (what: string, left: unknown, right: unknown) => {
    const [a, b] = [JSON.stringify(left), JSON.stringify(right)];
    if (a !== b) differences.push(`${what} with the rows turned round: ${b} instead of ${a}`);
  };
  same("status", seen.status, other.status);
  same("held by", seen.heldBy, other.heldBy);
  same("counts", seen.run.counts, other.run.counts);
  if (seen.status !== "held") same("what is held", held, await whatIsHeld(before));
  return differences;
}

/** The same file once more, looked at row by row; who is only missing may leave the second time. */
export async function breachesOfRepeat(lab: Lab, day: Day, number: number, { errors }: Seen): Promise<string[]> {
  const copy = await lab.copy();
  try {
    const again = await sendDay(copy, day, number, "plan");
    const changes = again.changes.filter(({ line }) => line !== null);
    return changes.map(({ line, action, fields }) =>
      `a second time, line ${line}${errors.has(line!) ? " that was refused" : ""} plans: ${action} ${
        JSON.stringify(fields)
      }`
    );
  } finally {
    copy.close();
  }
}
