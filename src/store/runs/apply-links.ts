/** Applies pages of what accompanies changes: links, digests, missing people, pending managers and recalls. */
import { type SQL, sql } from "drizzle-orm";
import { LINK } from "../../reconcile/columns/entry.ts";
import {
  isActive,
  isFiltered,
  ofDigest,
  ofLink,
  ofMissing,
  ofPending,
  ofSighting,
  withheldOf,
} from "./entry-places.ts";
import { eachEntry, type PageContext, unlessLookedAtAgain, withEntries } from "./page-entries.ts";
import type { OpenPage } from "./plans.ts";

const LINK_SAYS = `(v ->> ${LINK.active})`;

/** `hasMoved`: another process has written since the plan was made. */
export function linkStatements(context: PageContext, page: OpenPage, hasMoved: boolean): SQL[] {
  const { connectionId, edits } = context;
  // These rows changed nothing when they were planned, which may not be true of a user who has changed since.
  const digestOf = hasMoved ? () => sql`null` : unlessLookedAtAgain;
  // By user too: another person may have the key by now.
  const former = sql`(source_key, user_id) in (select ${ofLink("value", "movedFrom")}, ${ofLink("value", "userId")}
    from ${eachEntry(page)} where ${ofLink("value", "movedFrom")} is not null)`;
  // An automated file may have had the user under the key before.
  const isByHand = edits === null ? sql`0` : sql`iif(${ofLink("v", "byItself")} = 1, 0, 1)`;
  return [
    ...removeLinks(context, former),
    sql`insert into links (connection_id, source_key, user_id, digest, canonical, active, filtered, said, by_hand)
      ${withEntries(page, null)}
      select ${connectionId}, ${ofLink("v", "key")}, ${ofLink("v", "userId")},
        ${digestOf(ofLink("v", "digest"))}, ${digestOf(ofLink("v", "canonical"))}, ${sql.raw(isActive(LINK_SAYS))},
        ${sql.raw(isFiltered(LINK_SAYS))}, ${withheldOf("v")}, ${isByHand} from r left join m on m.k = r.k where true
      on conflict (connection_id, source_key) do update set user_id = excluded.user_id, active = excluded.active,
         filtered = excluded.filtered,
         by_hand = iif(links.user_id = excluded.user_id, min(links.by_hand, excluded.by_hand), excluded.by_hand), digest = excluded.digest, canonical = excluded.canonical, said = excluded.said,
        missing_since = null, missing_from = null, absent_from = null`,
  ];
}

/**
 * Ends that people were set active by hand, where a record has shown them since. Somebody who has changed since they were
 * seen is left alone: the next record shows them again.
 */
export function sightingStatements({ organizationId }: PageContext, page: OpenPage): SQL[] {
  return [
    sql`with s(id, version) as materialized (select ${ofSighting("value", "userId")}, ${ofSighting("value", "version")}
        from ${eachEntry(page)})
      update users set edited_by_hand = (select nullif(json_group_array(e.value), '[]')
        from json_each(users.edited_by_hand) e where e.value <> 'status')
      from s where users.id = s.id and users.version = s.version and users.organization_id = ${organizationId}
        and users.status = 'active'`,
  ];
}

export function unlinkStatements(context: PageContext, page: OpenPage): SQL[] {
  return removeLinks(context, sql`source_key in (select value from ${eachEntry(page)})`);
}

/** Users who lose a key are recalled: rows that name one of these keys may now mean another person. */
function removeLinks({ organizationId, connectionId }: PageContext, which: SQL): SQL[] {
  return [
    sql`insert or ignore into recalls (organization_id, user_id) select ${organizationId}, user_id
      from links where connection_id = ${connectionId} and ${which}`,
    sql`delete from links where connection_id = ${connectionId} and ${which}`,
  ];
}

/** A link whose digests were voided since then belongs to a user who has changed: the new digest does not apply to it. */
export function digestStatements({ connectionId }: PageContext, page: OpenPage): SQL[] {
  const places = [ofDigest("value", "userId"), ofDigest("value", "digest"), sql`null`, sql`null`];
  return [
    sql`with ${withLinks(page, places, sql`l.user_id = r.k and +l.connection_id = ${connectionId}`)}
      update links set digest = s.a, canonical = iif(s.a is null, null, canonical) from s
      where links.rowid = s.id and links.canonical is not null`,
  ];
}

export function missingStatements({ connectionId }: PageContext, page: OpenPage): SQL[] {
  const places = [ofMissing("value", "key"), ofMissing("value", "since"), ofMissing("value", "fromInput")];
  const part = ofMissing("value", "fromPart");
  return [
    sql`with ${withLinks(page, [...places, part], sql`l.source_key = r.k and l.connection_id = ${connectionId}`)}
      update links set missing_since = s.a, missing_from = s.b, absent_from = s.c from s where links.rowid = s.id`,
  ];
}

/**
 * The connection's links `s(id, a, b, c)` of the page's entries, found from the entries' side. `places`: k, a, b and c of an
 * entry. `+` keeps a condition from choosing an index: a user has few links, and a connection may have a million.
 */
function withLinks(page: OpenPage, places: readonly SQL[], on: SQL): SQL {
  return sql`r(k, a, b, c) as materialized (select ${sql.join([...places], sql`, `)} from ${eachEntry(page)}),
    s(id, a, b, c) as materialized (select l.rowid, r.a, r.b, r.c from r cross join links l
      on ${on})`;
}

export function pendingStatements({ organizationId }: PageContext, page: OpenPage): SQL[] {
  return [
    sql`delete from pending_managers where (user_id, connection_id) in
      (select ${ofPending("value", "userId")}, ${ofPending("value", "connectionId")} from ${eachEntry(page)})`,
    sql`insert into pending_managers (organization_id, user_id, connection_id, field, value)
      select ${organizationId}, ${ofPending("value", "userId")}, ${ofPending("value", "connectionId")},
        ${ofPending("value", "field")}, ${ofPending("value", "value")}
      from ${eachEntry(page)} where ${ofPending("value", "field")} is not null`,
  ];
}

export function recallStatements({ organizationId }: PageContext, page: OpenPage): SQL[] {
  return [sql`insert or ignore into recalls (organization_id, user_id) select ${organizationId}, value
    from ${eachEntry(page)}`];
}
