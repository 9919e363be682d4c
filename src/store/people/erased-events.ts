/** Where events hold a person's values, and the statements that empty them. What happened, and to which user, stays. */
import { sql } from "drizzle-orm";
import { encodeId } from "../../model/id.ts";
import { type Database, setOf, type Statement } from "../database.ts";

/** The free text of an event. */
export interface EventWords {
  readonly id: number;
  /** Why a run failed. */
  readonly message: string | null;
  readonly issues: readonly EventIssue[];
}

/** Where an issue may name a person: the key of its row, and its field, where a file without a header has values. */
export interface EventIssue {
  readonly field: string | null;
  readonly source_key?: string | null;
}

const WINDOW = 100;

/** Events with an error message or issues. */
export async function* readEventWords(db: Database, organizationId: number): AsyncGenerator<EventWords> {
  const message = sql`coalesce(data ->> '$.run.error.message', data ->> '$.last_error.message')`;
  for (let after = 0;;) {
    const rows = await db.rows<[number, string | null, string | null]>(sql`
      select id, ${message}, data -> '$.issues' from events where organization_id = ${organizationId} and id > ${after}
        and type <> 'users.changed' and (${message} is not null or data -> '$.issues' is not null)
      order by id limit ${WINDOW}`);
    for (const [id, text, issues] of rows) {
      yield { id, message: text, issues: issues === null ? [] : JSON.parse(issues) };
    }
    if (rows.length < WINDOW) return;
    after = rows.at(-1)![0];
  }
}

/** What is to be emptied in events, besides the person's own changes. */
export interface FoundInEvents {
  /** Events whose message may name the person. */
  readonly messages: readonly number[];
  /** Events with issues that name the person in a field, and the issues that replace them. */
  readonly issues: readonly (readonly [event: number, issues: readonly unknown[]])[];
}

/** `connections`: those whose drops are deleted, so the drops' names must go too. `erased`: replaces a message. */
export function emptyEvents(
  db: Database,
  { organizationId, userId }: { organizationId: number; userId: number },
  found: FoundInEvents,
  connections: readonly number[],
  erased: string,
): Statement[] {
  const user = encodeId("usr", userId);
  const ids = JSON.stringify(found.messages);
  return [
    // Their changes keep only ids, like changes that are too long for an event. The outer json(…) is needed because not
    // every SQLite recognizes the result of a subquery as JSON.
    db.run(sql`update events set data = json_set(data, '$.changes', json((
        select json_group_array(json(case when c.value ->> '$.subject.id' = ${user}
          then json_object('id', c.value ->> '$.id', 'action', c.value ->> '$.action', 'entity', c.value ->> '$.entity',
            'subject', json_object('id', ${user}), 'run', c.value ->> '$.run', 'seq', c.value ->> '$.seq')
          else c.value end)) from json_each(data, '$.changes') c)))
      where organization_id = ${organizationId} and type = 'users.changed' and instr(data, ${user}) > 0`),
    ...["run.error", "last_error"].map((place) =>
      db.run(sql`update events set data = json_set(data, ${`$.${place}.message`}, ${erased})
        where id in (select value from json_each(${ids})) and organization_id = ${organizationId}
          and data ->> ${`$.${place}.message`} is not null`)
    ),
    ...found.issues.map(([id, issues]) =>
      db.run(sql`update events set data = json_set(data, '$.issues', json(${JSON.stringify(issues)}))
        where id = ${id} and organization_id = ${organizationId}`)
    ),
    db.run(sql`update events set data = json_set(data, '$.run.drop', null)
      where organization_id = ${organizationId} and json_type(data, '$.run.drop') = 'object'
        and connection_id in ${setOf(connections)}`),
  ];
}
