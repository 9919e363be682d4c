/** Which connection gives way to a newcomer: the one that has shown least. */
import { type Connection, stillSince } from "./connection.ts";

/** Connections of one network: how many, and those that have not sent a whole head yet, in the order they came in. */
export interface Network {
  count: number;
  readonly silent: Set<Connection>;
}

export interface Choice {
  readonly all: Iterable<Connection>;
  readonly networks: ReadonlyMap<string, Network>;
  /** Those whose client keeps them standing still, the longest first. */
  readonly stills: readonly Connection[];
  /** Only of this network; null: of all. */
  readonly of: string | null;
  readonly now: number;
}

/** Until then a connection that has sent nothing yet counts as a new one. */
const NEW_MS = 1_000;
/** Until then a connection that rests is about to send its next request, perhaps. */
const RESTED_MS = 2_000;

/**
 * First one that has sent no whole request in a second; then one that stands still because of its client; then any that
 * has sent none; then one that has rested between two requests; then one whose request waits for its turn; then any that
 * rests. One whose request the hub is at work on is never chosen: null.
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

/** Of the network with most of them, so that many of one address are no harm to those of another. */
function mostSilent(networks: Choice["networks"]): ReadonlySet<Connection> {
  let most: ReadonlySet<Connection> = new Set();
  for (const { silent } of networks.values()) if (silent.size > most.size) most = silent;
  return most;
}

/** Both of the network with most connections: the one that rested longest, and the one that has waited for least. */
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
