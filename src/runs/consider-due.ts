/**
 * Plans to deactivate people whose day has come, where records come one by one: those about whom another run waits for a
 * decision are left for a later day.
 */
import { nameOfUser } from "../reconcile/row-names.ts";
import { listDue } from "../store/runs/due.ts";
import { EVERYBODY, findAhead, MAX_ROWS_NAMED, placeOf } from "../store/runs/run-names.ts";
import type { Considered } from "./division.ts";
import { guard } from "./guard.ts";
import { namer } from "./namer.ts";
import { makePlan } from "./plan.ts";
import type { Stage } from "./stage.ts";

export async function considerDue(stage: Stage): Promise<Considered> {
  const { hub: { db }, run, connection } = stage;
  const nameOf = namer(connection);
  const people = new Map(
    (await listDue(db, run.organizationId, run.connectionId, stage.today)).map((
      { id },
    ) => [id, nameOf(nameOfUser(id))]),
  );
  const place = await placeOf(db, run);
  const ahead = await findAhead(db, run, place, [...people.values()]);
  const leftOut = new Set([...people.keys()].filter((id) => ahead.has(EVERYBODY) || ahead.has(people.get(id)!)));
  const plan = await makePlan(stage, { kind: "none", leftOut });
  const own = [...people].filter(([id]) => !leftOut.has(id)).map(([, name]) => name);
  const names = own.length > MAX_ROWS_NAMED ? [EVERYBODY] : own;
  const division = { place, names, mustWait: false, leftOut: new Set<number>(), waiting: null, stopped: null };
  return { plan, guarded: await guard(stage, plan), division };
}
