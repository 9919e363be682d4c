/**
 * Processes that send deliveries and mails. A process has one lease for all that it has claimed, so that a claim of
 * thousands is renewed in one row. When the lease is over, or its process is known to have died, what it had claimed is
 * free again.
 */
import { eq, type SQL, sql } from "drizzle-orm";
import { type Database, setOf, type Statement, writeNamed } from "../database.ts";
import { type Holder, isFree, leaseEnd, leaseState, stateOf } from "../lease.ts";
import { senders } from "../schema.ts";

/** The statement that makes the lease or renews it: part of each claim. */
export function keepSender(db: Database, { name }: Holder): Statement {
  return db.orm.insert(senders).values({ name, until: leaseEnd() as never }).onConflictDoUpdate({
    target: senders.name,
    set: { until: leaseEnd(), beat: sql`${senders.beat} + 1` },
  });
}

/** Renews the lease. False: it was over, and what this process had claimed may be another's by now. */
export async function renewSender(db: Database, { name }: Holder): Promise<boolean> {
  const { kept } = await writeNamed(db, {
    kept: db.orm.update(senders).set({ until: leaseEnd(), beat: sql`${senders.beat} + 1` })
      .where(eq(senders.name, name)).returning({ name: senders.name }),
  });
  return kept.length > 0;
}

/** Deletes the lease, unless there is something claimed under it. */
export async function forgetSender(db: Database, { name }: Holder): Promise<void> {
  await db.write([
    db.run(sql`delete from senders where name = ${name}
      and not exists (select 1 from deliveries where sender = ${name})
      and not exists (select 1 from mails where sender = ${name} and status = 'queued')`),
  ]);
}

const STATE = leaseState({ owner: "s.name", until: "s.until", epoch: "0", beat: "s.beat" });

/**
 * Ends the leases that are over, and those of processes that have died; never the caller's own. `claimants` selects the
 * names of those who have claimed something; `release` frees what they had, given a condition on its column `sender`.
 */
export async function endLeases(
  db: Database,
  claimants: SQL,
  { name: own, isGone }: Holder,
  release: (isTheirs: SQL) => Statement,
): Promise<void> {
  const rows = await db.rows<[string, string]>(
    sql`select c.name, ${STATE} from (${claimants}) c left join senders s on s.name = c.name where c.name <> ${own}`,
  );
  const over = rows.map(([name, state]) => ({ name, state: stateOf(state) }))
    .filter(({ name, state }) => isGone?.(name) === true || isFree(db, `sender ${name}`, state));
  if (over.length === 0) return;
  await db.write([
    // One that has renewed its lease since then keeps it.
    ...over.map(({ name, state: { beat } }) =>
      db.run(sql`delete from senders where name = ${name} and (beat is ${beat} or ${isGone?.(name) === true})`)
    ),
    release(sql`sender in ${setOf(over.map(({ name }) => name))} and sender not in (select name from senders)`),
  ]);
}
