/**
 * How much the word of one connection counts against that of another: the higher priority, and of equal ones the older
 * connection. A file by hand is nobody's older word: it neither takes precedence by age nor yields to it. Pure.
 */

/** A connection of the organization, this one among them. */
export interface Peer {
  readonly id: number;
  readonly priority: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Whether it has ever read who is active. One that has not has no word on it. */
  readonly readsStatus: boolean;
  /** Whether it is fed by changes: then its last record is its word, and not its last whole input. */
  readonly isDiff: boolean;
  readonly hasLinks: boolean;
  /** Whether a field that was edited by hand stays so. */
  readonly keepsEdits: boolean;
}

export interface Ranks {
  /** Undefined: there is no such connection any more. */
  peer(connectionId: number): Peer | undefined;
  /** Whether the other connection takes precedence over this one. `byHand`: the word of one of the two came by hand. */
  outranks(connectionId: number, byHand: boolean): boolean;
  /** Whether people of the other connection are edited, rather than described, by a file by hand of this one. */
  isEditedByHand(connectionId: number): boolean;
  /** Whether other connections have any people. */
  readonly hasOthers: boolean;
  /** The same as another connection compares. */
  of(connectionId: number): Ranks;
}

export function createRanks(connectionId: number, peers: readonly Peer[]): Ranks {
  const byId = new Map(peers.map((peer) => [peer.id, peer]));
  const me = byId.get(connectionId)!;
  const isOlder = (other: Peer) =>
    other.createdAt < me.createdAt || (other.createdAt === me.createdAt && other.id < me.id);
  return {
    peer: (id) => byId.get(id),
    outranks(id, byHand) {
      const other = byId.get(id);
      if (other === undefined || other === me) return false;
      return other.priority === me.priority ? !byHand && isOlder(other) : other.priority > me.priority;
    },
    isEditedByHand: (id) => (byId.get(id)?.priority ?? -Infinity) >= me.priority,
    hasOthers: peers.some((peer) => peer !== me && peer.hasLinks),
    of: (id) => createRanks(id, peers),
  };
}
