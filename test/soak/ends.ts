/** What must be so at the end of a round, whatever died on the way. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { encodeId } from "../../src/model/id.ts";
import type { Organization, World } from "./world.ts";

/** Longer than any lease. A slow machine takes its time, but something ends again and again. */
const STUCK_AFTER_MS = 90_000, PAUSE_MS = 500;

/** Opens the file beside the hubs. */
export function openBeside(file: string): { rows<T extends unknown[]>(text: string): T[]; close(): void } {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 10_000 });
  return {
    rows<T extends unknown[]>(text: string) {
      const statement = database.prepare(text);
      statement.setReturnArrays(true);
      return statement.all() as unknown as T[];
    },
    close: () => database.close(),
  };
}

/** What is left to do, by table. */
export const WAITING = {
  runs: "status in ('queued', 'planning', 'planned', 'applying')",
  fetches: "ended_at is null",
  deliveries: "status = 'pending'",
  mails: "status = 'queued'",
};

/** What does not go on, for those who have to find out why. */
const STUCK = `select r.id, r.connection_id, r.status, r.attempts, r.pause, r.progress, o.lease_run, o.lease_owner,
    o.lease_until / 1000 - unixepoch() from runs r join organizations o on o.id = r.organization_id where r.${WAITING.runs}
  limit 20`;

/** Waits until nothing is left to do, and fails where nothing goes on. Gives how long it took, in milliseconds. */
export async function waitForRest({ file, hubs, organizations }: World): Promise<number> {
  const beside = openBeside(file), begin = performance.now();
  let last = "", lastAt = begin;
  try {
    for (;;) {
      const open = Object.entries(WAITING).map(([table, condition]) =>
        [table, beside.rows<[number]>(`select count(*) from ${table} where ${condition}`)[0]![0]] as const
      );
      const isUntold = beside.rows<[number]>(
        "select count(*) from webhook_endpoints e where exists (select 1 from events v where v.organization_id = e.organization_id and v.id > e.seen_event)",
      )[0]![0] > 0;
      const isTaken = organizations.every(({ slug, files }) =>
        beside.rows<[number]>(
          `select count(distinct d.name) from drops d join organizations o on o.id = d.organization_id
           where o.slug = '${slug}' and d.sealed_at is not null`,
        )[0]![0] >= files.length
      );
      if (isTaken && !isUntold && open.every(([, count]) => count === 0)) return performance.now() - begin;
      const done = beside.rows(
        "select count(*), max(id) from events union all select count(*), 0 from delivery_attempts",
      );
      const now = JSON.stringify({ open, isUntold, isTaken, done });
      if (now !== last) [last, lastAt] = [now, performance.now()];
      if (performance.now() - lastAt > STUCK_AFTER_MS) {
        throw new Error(`Still to be done: ${now} ${JSON.stringify(beside.rows(STUCK))}\n${hubs.logs().slice(-3000)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  } finally {
    beside.close();
  }
}

export interface Figures {
  readonly files: number;
  readonly changes: number;
  readonly events: number;
  readonly deliveries: number;
  /** Deliveries of which a receiver saw more than one attempt. */
  readonly repeated: number;
  readonly mails: number;
  readonly scheduled: number;
  readonly longestTakeoverMs: number;
}

/**
 * `takeovers`: how long each run waited whose process was killed, in milliseconds. `kills`: how many processes died.
 * `moments`: of the schedule, between the slowest clock's begin and the fastest clock's end.
 */
export function checkEnd(
  world: World,
  { kills, takeovers, moments }: { kills: number; takeovers: readonly number[]; moments: number },
): Figures {
  const beside = openBeside(world.file);
  try {
    const rows = beside.rows;
    const ids = new Map(rows<[string, number]>("select slug, id from organizations"));
    for (const organization of world.organizations) checkOrganization(rows, organization, ids.get(organization.slug)!);
    const events = rows<[number, string, number | null]>("select id, type, run_id from events order by id");
    checkEvents(rows, events);
    const repeated = checkDeliveries(rows, world, kills);
    const files = world.organizations.flatMap(({ files }) => files);
    const [[mails, unsent]] = rows<[number, number]>(
      "select count(*), coalesce(sum(status <> 'sent'), 0) from mails where type = 'run.failures'",
    ) as [[number, number]];
    assert.equal(unsent, 0, "a mail about failed rows was not sent");
    const [[scheduled]] = rows<[number]>("select count(*) from runs where trigger = 'schedule'") as [[number]];
    assert.ok(scheduled <= moments, `${scheduled} scheduled runs in ${moments} moments`);
    const [[attempts]] = rows<[number]>("select coalesce(sum(attempts), 0) from deliveries") as [[number]];
    return {
      files: files.length,
      changes: sum(files.map(({ changes }) => changes)),
      events: events.length,
      deliveries: attempts,
      repeated,
      mails,
      scheduled,
      longestTakeoverMs: Math.round(Math.max(0, ...takeovers)),
    };
  } finally {
    beside.close();
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

type Rows = <T extends unknown[]>(text: string) => T[];

/** Everybody is as the files say, each file had one run, and each change is in the feed once. */
function checkOrganization(rows: Rows, { slug, series, files, sftp }: Organization, id: number): void {
  // The next moment of the schedule may have come since there was rest.
  const others = rows<[string, string, string | null]>(`select status, trigger, error from runs
    where organization_id = ${id} and status not in ('succeeded', 'partial', 'skipped')
      and not (trigger = 'schedule' and ${WAITING.runs})`);
  assert.deepEqual(others, [], slug);
  const people = rows<[string, string]>(
    `select employee_id, title from users where organization_id = ${id} and employee_id not like 'S%' and status = 'active'`,
  );
  assert.deepEqual(new Map(people), new Map(series.everybody), `people of ${slug}`);
  if (sftp !== null) return;
  // A request whose process died may be done again under its key, and then changes nobody.
  const runs = rows<[string, number]>(
    `select d.name, coalesce(r.counts ->> 'created', 0) + coalesce(r.counts ->> 'updated', 0) as changes
     from runs r join drops d on d.id = r.drop_id where r.organization_id = ${id} and r.trigger = 'drop' and changes > 0
     order by d.name`,
  );
  const expected = files.map(({ name, changes }) => [name, changes]);
  assert.deepEqual(runs.map((run) => [...run]), expected, `runs of ${slug}`);
  // Each change of a person is in the feed once, and the events of the files' runs cover the feed without a gap.
  const told = rows<[number]>(
    `select data ->> '$.run.counts.created' + data ->> '$.run.counts.updated' from events
     where organization_id = ${id} and type = 'run.completed' and run_id in (select id from runs where trigger = 'drop')`,
  ).flat();
  assert.equal(sum(told), sum(files.map(({ changes }) => changes)), `changes that events of ${slug} tell of`);
}

/** Each run that ended has one event that says so. */
function checkEvents(rows: Rows, events: readonly [number, string, number | null][]): void {
  const ends = events.filter(([, type]) => type === "run.completed").map(([, , run]) => run!);
  assert.equal(new Set(ends).size, ends.length, "a run was told of twice");
  const ended = rows<[number]>(`select id from runs where not (${WAITING.runs}) and status <> 'held'`).flat();
  assert.deepEqual(ends.toSorted((a, b) => a - b), ended.toSorted((a, b) => a - b), "runs that were told of");
}

/** Every event of its organization came to each endpoint, never twice at once, and again only where a sender died. */
function checkDeliveries(rows: Rows, { listeners }: World, kills: number): number {
  let repeated = 0;
  for (const { url, events, doubled } of listeners) {
    const due = rows<[number]>(
      `select v.id from events v join webhook_endpoints e on e.organization_id = v.organization_id where e.url = '${url}' order by v.id`,
    ).map(([id]) => encodeId("evt", id));
    assert.deepEqual([...events.keys()].toSorted(), due.toSorted(), `events that came to ${url}`);
    assert.deepEqual(doubled, [], `events that came to ${url} twice at once`);
    repeated += [...events.values()].filter((count) => count > 1).length;
  }
  assert.ok(repeated <= kills * listeners.length * 40, `${repeated} deliveries came again after ${kills} kills`);
  return repeated;
}
