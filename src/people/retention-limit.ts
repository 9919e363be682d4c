/** How many leavers may be erased in one pass without approval. */
import { resolveGuards } from "../model/guards.ts";
import type { Retention } from "../model/retention.ts";
import { guardLimit } from "../reconcile/guard.ts";
import type { Database } from "../store/database.ts";
import { countPeople } from "../store/people/leavers.ts";

/**
 * The organization's own number; else what the guard of deactivations lets pass, of all people who are stored: 5 %, at
 * least 5 and at most 500, and fewer where there are fewer than 50.
 */
export async function limitAtOnce(
  db: Database,
  organizationId: number,
  { max_at_once: own }: Retention,
): Promise<number> {
  if (own !== null) return own;
  return guardLimit(resolveGuards({}).deactivate, await countPeople(db, organizationId));
}
