/**
 * Other text that may name a person: names of files that were not taken, errors of visits and mail servers, and
 * checkpoints of sources. Found and emptied for an erasure.
 */
import { eq, sql } from "drizzle-orm";
import { type Database, setOf, type Statement } from "../database.ts";
import { bridgeStates } from "../bridges/schema-bridge.ts";
import { type MailFacts, mails } from "../notify/schema-mails.ts";

/** Whether a text names the person. */
type IsNamedIn = (text: string) => boolean;

/** The statements that empty what names the person; `erased` replaces a message. */
export async function emptyWords(
  db: Database,
  organizationId: number,
  isNamedIn: IsNamedIn,
  erased: string,
): Promise<Statement[]> {
  const statements: Statement[] = [];
  for (const state of await db.orm.select().from(bridgeStates).where(eq(bridgeStates.organizationId, organizationId))) {
    const lying = state.lying.filter(({ name }) => !isNamedIn(name));
    const { trouble } = state;
    const left = trouble !== null && isNamedIn(trouble.message) ? { ...trouble, message: erased } : trouble;
    if (left === trouble && lying.length === state.lying.length) continue;
    statements.push(
      db.orm.update(bridgeStates).set({ lying, trouble: left })
        .where(eq(bridgeStates.connectionId, state.connectionId)),
    );
  }
  const outbox = await db.rows<[number, string, string | null]>(sql`select id, facts, last_error from ${mails}
    where organization_id = ${organizationId} and (last_error is not null or facts -> '$.visits' is not null
      or facts -> '$.notUsed' is not null)`);
  for (const [id, text, lastError] of outbox) {
    const facts = JSON.parse(text) as MailFacts;
    const { visits, notUsed } = facts;
    const isNamed = visits?.message != null && isNamedIn(visits.message);
    const isFileNamed = notUsed !== undefined && (isNamedIn(notUsed.file) || isNamedIn(notUsed.why));
    const isAnswered = lastError !== null && isNamedIn(lastError);
    if (!isNamed && !isFileNamed && !isAnswered) continue;
    statements.push(
      db.orm.update(mails).set({
        facts: {
          ...facts,
          ...(isNamed ? { visits: { ...visits, message: erased } } : {}),
          ...(isFileNamed ? { notUsed: { ...notUsed, file: erased, why: erased } } : {}),
        },
        lastError: isAnswered ? erased : lastError,
      }).where(eq(mails.id, id)),
    );
  }
  const states = await db.rows<[number, string]>(sql`select connection_id, reads from connection_clocks
    where organization_id = ${organizationId} and reads is not null`);
  // Without a checkpoint, the next fetch reads the whole source.
  const named = states.filter(([, reads]) => isNamedIn(reads)).map(([id]) => id);
  const former = await db.rows<[number, string]>(sql`select connection_id, reads from connection_upgrades
    where organization_id = ${organizationId} and reads is not null`);
  const namedBefore = former.filter(([, reads]) => isNamedIn(reads)).map(([id]) => id);
  statements.push(
    db.run(sql`update connection_clocks set reads = null
      where connection_id in ${setOf(named)}`),
    db.run(sql`update connection_upgrades set reads = null where connection_id in ${setOf(namedBefore)}`),
    db.run(sql`delete from bridge_checks where organization_id = ${organizationId} and result is not null`),
  );
  return statements;
}
