/** Closing departments. */
import { departmentHasActiveUsers } from "../issues/departments.ts";
import type { DepartmentPlanContext } from "./context.ts";
import { isPlanned, type Item } from "./item.ts";

/** A department is closed only once the last active person has left it. */
export async function holdClosures(context: DepartmentPlanContext, items: readonly Item[]): Promise<void> {
  const closing = items.filter((item) =>
    isPlanned(item) && item.known?.image.active === 1 && item.record!.active === false &&
    context.deactivate
  );
  if (closing.length === 0) return;
  const people = await context.activeUsers(closing.map((item) => item.id));
  for (const item of closing) {
    const count = people.get(item.id) ?? 0;
    if (count === 0) continue;
    item.waits = true;
    item.issues.push(departmentHasActiveUsers(item.known!.image.name, count));
  }
}
