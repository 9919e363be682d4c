/** Chooses the connection that is cut to make room for a new one: the least useful one. */
import { type Connection, stillSince } from "./connection.ts";

/** Connections of one network: their number, and those that have not sent a complete head yet, the oldest first. */
export interface Network {
  count: number;
  readonly silent: Set<Connection>;
}

export interface Choice {
  readonly all: Iterable<Connection>;
  readonly networks: ReadonlyMap<string, Network>;
  /** Connections that wait for their clients, the longest first. */
  readonly stills: readonly Connection[];
  /** Choose from this network alone; null: from all. */
  readonly of: string | null;
  readonly now: number;
}

/** How long a connection without a complete head counts as new. */
const NEW_MS = 1_000;
/** How long after a response the next request of a connection may be expected. */
const RESTED_MS = 2_000;

/**
 * In this order: a connection that has sent no complete head within a second; one that waits for its client; any without a
 * complete head; one that has rested between two requests for a while; one whose request waits for its turn; any that
 * rests. Null: the hub works on requests of all of them.
 */
export function chooseVictim(choice: Choice): Connection | null {
  const { networks, stills, of, now } = choice;
  const [silent = null] = of === null ? mostSilent(networks) : networks.get(of)!.silent;
  if (silent !== null && now - silent.restsSince > NEW_MS) return silent;
  const isStill = (each: Connection) => !each.socket.destroyed && stillSince(each) !== null;
  const still = stills.find((each) => (of === null || each.network === of) && isStill(each)) ?? silent;
  if (still !== null) return still;
  const { resting, queued } = restingAndQueued(choice);
  return resting === null || now - resting.restsSince <= RESTED_MS ? queued ?? resting : resting;
}

/** Those of the network with the most of them, so that many connections of one network do not harm another. */
function mostSilent(networks: Choice["networks"]): ReadonlySet<Connection> {
  let most: ReadonlySet<Connection> = new Set();
  for (const { silent } of networks.values()) if (silent.size > most.size) most = silent;
  return most;
}

/** From the network with the most connections: the one that has rested longest, and the one that came last in the queue. */
function restingAndQueued({ all, networks, of }: Choice) {
  const sizeOf = ({ network }: Connection) => networks.get(network)!.count;
  let resting: Connection | null = null, queued: Connection | null = null;
  for (const connection of all) {
    if (of !== null && connection.network !== of) continue;
    if (connection.open.size === 0) {
      const more = resting === null ? 1 : sizeOf(connection) - sizeOf(resting);
      if (more > 0 || (more === 0 && connection.restsSince < resting!.restsSince)) resting = connection;
    } else if (connection.isQueued && (queued === null || sizeOf(connection) >= sizeOf(queued))) queued = connection;
  }
  return { resting, queued };
}
