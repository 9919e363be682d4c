/**
 * The figures of /metrics, for the whole hub and the same in every process: stored sums, and counts of what is open now,
 * by an index. They take no longer as the hub grows older.
 */
import { type SQL, sql } from "drizzle-orm";
import { FAILURES_FOR_ERROR } from "../model/mail-rules.ts";
import type { Database, Statement } from "./database.ts";
import { tallies } from "./runs/schema-tallies.ts";

export interface Figures {
  /** Name → label → sum. */
  readonly tallies: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Status → runs that have not ended. */
  readonly openRuns: ReadonlyMap<string, number>;
  /** When the longest waiting run was queued; null: none waits. */
  readonly oldestQueuedAt: number | null;
  readonly connections: {
    readonly active: number;
    readonly held: number;
    readonly error: number;
    readonly paused: number;
  };
}

export async function loadFigures(db: Database): Promise<Figures> {
  const sums = new Map<string, Map<string, number>>();
  for (const { name, label, value } of await db.orm.select().from(tallies)) {
    if (!sums.has(name)) sums.set(name, new Map());
    sums.get(name)!.set(label, value);
  }
  const open = await db.rows<[string, number]>(sql`select status, count(*) from runs
    where status in ('queued', 'planning', 'applying', 'planned', 'held') group by status`);
  // A run whose source is being read waits for the source, not for the hub.
  const [oldest] = await db.rows<[number]>(sql`select created_at from runs
    where status in ('queued', 'planning', 'applying', 'planned', 'held') and status = 'queued'
      and id not in (select run_id from fetches where ended_at is null and started_at is not null) order by id limit 1`);
  // Each connection counts once: as paused, else as held, else as failing, else as active.
  const [held] = await db.rows<[number]>(sql`select count(distinct r.connection_id) from runs r
    join connections c on c.id = r.connection_id and c.paused_at is null
    where r.status in ('queued', 'planning', 'applying', 'planned', 'held') and r.status = 'held'`);
  const [all] = await db.rows<[number, number]>(sql`select count(*), count(paused_at) from connections`);
  const [error] = await db.rows<[number]>(sql`select count(*) from connections c where c.paused_at is null
    and (c.failures_in_a_row >= ${FAILURES_FOR_ERROR} or exists (select 1 from bridge_states b
      where b.connection_id = c.id and b.failures >= ${FAILURES_FOR_ERROR})) and not exists (select 1 from runs r where r.connection_id = c.id
      and r.status in ('queued', 'planning', 'applying', 'planned', 'held') and r.status = 'held')`);
  return {
    tallies: sums,
    openRuns: new Map(open.map(([status, count]) => [status, count])),
    oldestQueuedAt: oldest?.[0] ?? null,
    connections: {
      active: all![0] - all![1] - held![0] - error![0],
      held: held![0],
      error: error![0],
      paused: all![1],
    },
  };
}

/**
 * The statement that adds to a sum, if `condition` holds when it runs; for the batch that does what is counted. `label` is
 * from a fixed set.
 */
export function addToTally(db: Database, name: string, label: string, by = 1, condition: SQL = sql`1`): Statement {
  return db.run(sql`insert into ${tallies} (name, label, value) select ${name}, ${label}, ${by} where ${condition}
    on conflict (name, label) do update set value = value + excluded.value`);
}
