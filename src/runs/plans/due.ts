/** Plans to deactivate people whose deactivation date has come. */
import { wholeInput } from "../../reconcile/draft.ts";
import { describePerson, isActive } from "../../reconcile/person.ts";
import { IMAGE_INDEX } from "../../reconcile/image.ts";
import { createPageFiller } from "../../reconcile/columns/pages.ts";
import { protectedUser } from "../../reconcile/issues/people.ts";
import { createLookups } from "../../store/runs/lookups.ts";
import type { PlanStore } from "../../store/runs/plans.ts";
import { listDue } from "../../store/runs/due.ts";
import type { Stage } from "../stage.ts";
import { changeOf } from "./change-of.ts";
import { type Planned, planOfNobody } from "./plan.ts";

/** Users that are loaded together. */
const BATCH = 1_000;

/** `leftOut`: users whom the plan is not about. */
export async function planDue(
  stage: Stage,
  store: PlanStore,
  leftOut: ReadonlySet<number> = new Set(),
): Promise<Planned> {
  const { hub, run, policy } = stage;
  const filler = createPageFiller(store, stage.options.pageShare);
  const lookups = await createLookups(hub.db, run.organizationId, run.connectionId);
  const due = await listDue(hub.db, run.organizationId, run.connectionId, stage.today);
  const wanted = due.filter(({ id }) => !leftOut.has(id));
  const guarded = new Set(wanted.filter(({ isGuarded }) => isGuarded).map(({ id }) => id));
  let deactivated = 0, skipped = 0, unguarded = 0;
  for (let from = 0; from < wanted.length; from += BATCH) {
    for (const user of await lookups.usersById(wanted.slice(from, from + BATCH).map(({ id }) => id))) {
      if (!isActive(user)) continue;
      if (!policy.deactivate || policy.protected.has(user.id)) {
        skipped++;
        if (policy.protected.has(user.id)) {
          const who = describePerson(user, "Somebody");
          store.report(wholeInput([protectedUser(who, "deactivation_date", "the deactivation date has come")]));
        }
        continue;
      }
      deactivated++;
      // Who came with a leaving day has passed no guard of leavers yet.
      if (!guarded.has(user.id)) unguarded++;
      const after = user.image.slice();
      after[IMAGE_INDEX.status] = "inactive";
      filler.add("updates", changeOf(user, "deactivate", "due", { status: "active" }, after));
    }
    await filler.writeFull();
  }
  await filler.flush();
  return planOfNobody("users", { read: deactivated + skipped, deactivated, skipped }, {
    kind: "leavers",
    deactivated: unguarded,
    activeLinked: lookups.activeLinked,
  });
}
