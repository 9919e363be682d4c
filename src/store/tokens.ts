/** Tokens as stored: by the hash of their text, never the text. */
import { eq, sql } from "drizzle-orm";
import { type By, HUB } from "../model/audit.ts";
import { Fault } from "../model/errors.ts";
import { encodeId } from "../model/id.ts";
import type { Scope } from "../model/scope.ts";
import { recordAudit } from "./audit.ts";
import { type Database, writeNamed } from "./database.ts";
import { finderIn, listerIn, preparedFinder } from "./reads.ts";
import { matches } from "./unchanged.ts";
import { isNoRoom, whileRoom } from "./room.ts";
import { auditEntries } from "./schema-audit.ts";
import { tokens } from "./schema.ts";
import { reserve } from "./sequences.ts";
import { endLinksOf, endSessionsOf } from "./sessions.ts";
import { deleteRows } from "./writes.ts";

export type Token = typeof tokens.$inferSelect;

export interface TokenInput {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Ids of the organizations that a bridge with it may serve; absent or null: all. */
  readonly serves?: number[] | null;
  /** The connection whose SCIM it is for; absent or null: it is for none. */
  readonly connectionId?: number | null;
  /** SHA-256 of the text (token.ts). */
  readonly hash: string;
  /** Null: never. */
  readonly expiresAt: number | null;
}

/** Fails when a token with this hash exists, and with `conflict` when there are `most` tokens that have not expired. */
export async function createToken(
  db: Database,
  organizationId: number,
  input: TokenInput,
  now: number,
  by: By = HUB,
  most: number | null = null,
): Promise<Token> {
  const id = await reserve(db, "token");
  const taken = sql`select count(*) from ${tokens} where organization_id = ${organizationId}
    and (expires_at is null or expires_at > ${now})`;
  const hash = most === null ? input.hash : whileRoom(input.hash, { taken, most });
  try {
    const { made } = await writeNamed(db, {
      made: db.orm.insert(tokens)
        .values({ ...input, hash, scopes: [...input.scopes], id, organizationId, createdAt: now }).returning(),
      audit: recordAudit(db, by, { organizationId, action: "token.created", subjects: [encodeId("tok", id)] }, now),
    });
    return made[0]!;
  } catch (error) {
    if (!isNoRoom(error, "tokens.hash")) throw error;
    throw new Fault("conflict", `The organization has ${most} tokens that have not expired; delete one of them first`, {
      cause: error,
    });
  }
}

const findByHash = preparedFinder(tokens, ["hash"]);

/** In any organization, expired or not. */
export async function findTokenByHash(db: Database, hash: string): Promise<Token | null> {
  return await findByHash(db, { hash });
}

export const findToken = finderIn(tokens);
export const listTokens = listerIn(tokens);

/** Who made a token, as the audit names them. */
export type Maker = Pick<By, "kind" | "id" | "name">;

/** The makers of these tokens of the organization, by the tokens' ids. Each entry of the audit is of its token's time. */
export async function findMakers(
  db: Database,
  organizationId: number,
  made: readonly Pick<Token, "id" | "createdAt">[],
): Promise<ReadonlyMap<number, Maker>> {
  const asked = made.map(({ id, createdAt }) => [id, createdAt, encodeId("tok", id)]);
  const rows = await db.rows<[number, Maker["kind"], string | null, string | null]>(sql`
    select t.value ->> 0, a.actor_kind, a.actor_id, a.actor_name from json_each(${JSON.stringify(asked)}) t
    join ${auditEntries} a on a.organization_id = ${organizationId} and a.at = t.value ->> 1
      and a.action = 'token.created' and a.subjects = json_array(t.value ->> 2)`);
  return new Map(rows.map(([token, kind, id, name]) => [token, { kind, id, name }]));
}

/** False when there is no such token in the organization. */
export async function deleteToken(
  db: Database,
  organizationId: number,
  id: number,
  now: number,
  by: By = HUB,
): Promise<boolean> {
  const note = { organizationId, action: "token.deleted", subjects: [encodeId("tok", id)] } as const;
  const owner = { organizationId, tokenId: id, memberId: null };
  const isGone = sql`not exists (select 1 from ${tokens} where id = ${id})`;
  return await deleteRows(db, tokens, matches(tokens, { id, organizationId }), {
    after: [
      recordAudit(db, by, note, now),
      endSessionsOf(db, owner, isGone),
      endLinksOf(db, owner, isGone),
    ],
  });
}

/** Records when the token was last used. */
export async function touchToken(db: Database, id: number, now: number): Promise<void> {
  await db.write([db.orm.update(tokens).set({ lastUsedAt: now }).where(eq(tokens.id, id))]);
}
