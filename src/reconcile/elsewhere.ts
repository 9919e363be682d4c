/**
 * What other connections have to say of a person, beside the record that is decided. Pure.
 *
 * Some inputs come by hand: somebody sends a file in place of editing people one by one. For people of automated
 * connections such a file is an edit, as one through the API is. For all others it is an ordinary source, whose word ends
 * when an automated connection gets to know the person.
 */
import type { KnownLink } from "./person.ts";
import type { Ranks } from "./ranks.ts";

/** Another connection's link to a person, with what its last record says. */
export interface OtherLink {
  readonly userId: number;
  readonly connectionId: number;
  readonly active: boolean;
  /** Inactive only because a filter leaves the row out. */
  readonly filtered: boolean;
  /** Whether the person was not in its last complete full input. */
  readonly isMissing: boolean;
  /** Whether only files by hand have had the row so far. */
  readonly byHand: boolean;
}

export interface Elsewhere {
  /** Whether another connection says that the person is active, so that they are neither missing nor filtered. */
  readonly active: boolean;
  /** What a connection says that takes precedence; null: none has a word on it. */
  readonly ruling: boolean | null;
  /** Connections that know the person from files by hand alone. */
  readonly byHand: ReadonlySet<number>;
  /** Whether this input is an edit of the person by hand. */
  readonly isEdit: boolean;
}

const NO_CONNECTIONS: ReadonlySet<number> = new Set();
export const NOWHERE: Elsewhere = { active: false, ruling: null, byHand: NO_CONNECTIONS, isEdit: false };
const EDITED: Elsewhere = { ...NOWHERE, isEdit: true };

/** Who compares: a connection with an input that came by hand or by itself. */
export interface Comparing {
  readonly connectionId: number;
  readonly byHand: boolean;
  readonly ranks: Ranks;
}

/** `own`: the connection's own link to the person. */
export function elsewhereOf(others: readonly OtherLink[], own: KnownLink | null, comparing: Comparing): Elsewhere {
  const { byHand, ranks, connectionId } = comparing;
  const isEdit = byHand && (
    (own !== null && !own.byHand) || others.some((link) => !link.byHand && ranks.isEditedByHand(link.connectionId))
  );
  if (others.length === 0) return isEdit ? EDITED : NOWHERE;
  const automated = others.filter((link) => !link.byHand);
  const counted = byHand && !isEdit ? others : automated;
  let active = false, ruling: boolean | null = null, first = connectionId;
  for (const link of counted) {
    const word = wordOf(link, ranks);
    if (word === null) continue;
    if (word) active = true;
    if (!ranks.outranks(link.connectionId, byHand) || !isBefore(link.connectionId, first, comparing)) continue;
    ruling = word;
    first = link.connectionId;
  }
  const handOnly = others.length === automated.length
    ? NO_CONNECTIONS
    : new Set(others.filter((link) => link.byHand).map((link) => link.connectionId));
  return { active, ruling, byHand: handOnly, isEdit };
}

/** Whether the connection says that the person is active; null: it has no word on it. */
function wordOf({ connectionId, active, filtered, isMissing }: OtherLink, ranks: Ranks): boolean | null {
  const peer = ranks.peer(connectionId);
  if (peer === undefined || !peer.readsStatus || filtered) return null;
  return isMissing && !peer.isDiff ? null : active;
}

/** Whether the one takes precedence over the other, where both do so over this connection. */
function isBefore(one: number, other: number, { ranks, connectionId }: Comparing): boolean {
  if (other === connectionId) return true;
  const a = ranks.peer(one)!, b = ranks.peer(other)!;
  return a.priority - b.priority > 0 ||
    (a.priority === b.priority && (a.createdAt - b.createdAt || a.id - b.id) < 0);
}
