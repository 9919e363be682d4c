/**
 * What the hub was told in words that may name a person, by the way: names of files that lie around, why a server could
 * not be visited, what a mail server answered, where a source's read goes on. Found and emptied for an erasure.
 */
import { eq, sql } from "drizzle-orm";
import { type Database, setOf, type Statement } from "../database.ts";
import { bridgeStates } from "../bridges/schema-bridge.ts";
import { type MailFacts, mails } from "../notify/schema-mails.ts";

/** Whether a text names the person. */
type IsNamedIn = (text: string) => boolean;

/** The statements that empty what names the person; `erased` stands for a message. */
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
    const told = trouble !== null && isNamedIn(trouble.message) ? { ...trouble, message: erased } : trouble;
    if (told === trouble && lying.length === state.lying.length) continue;
    statements.push(
      db.orm.update(bridgeStates).set({ lying, trouble: told })
        .where(eq(bridgeStates.connectionId, state.connectionId)),
    );
  }
  const told = await db.rows<[number, string, string | null]>(sql`select id, facts, last_error from ${mails}
    where organization_id = ${organizationId} and (last_error is not null or facts -> '$.visits' is not null)`);
  for (const [id, text, lastError] of told) {
    const facts = JSON.parse(text) as MailFacts;
    const { visits } = facts;
    const isTold = visits?.message != null && isNamedIn(visits.message);
    const isAnswered = lastError !== null && isNamedIn(lastError);
    if (!isTold && !isAnswered) continue;
    statements.push(
      db.orm.update(mails).set({
        facts: isTold ? { ...facts, visits: { ...visits, message: erased } } : facts,
        lastError: isAnswered ? erased : lastError,
      }).where(eq(mails.id, id)),
    );
  }
  const states = await db.rows<[number, string]>(sql`select connection_id, checkpoint from connection_clocks
    where organization_id = ${organizationId} and checkpoint is not null`);
  // Without it the next fetch reads all of the source.
  const named = states.filter(([, checkpoint]) => isNamedIn(checkpoint)).map(([id]) => id);
  statements.push(
    db.run(sql`update connection_clocks set checkpoint = null, checkpoint_version = null
      where connection_id in ${setOf(named)}`),
    db.run(sql`delete from bridge_checks where organization_id = ${organizationId} and result is not null`),
  );
  return statements;
}
