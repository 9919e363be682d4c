/**
 * Which client is disconnected to make room for another: always a stranger, one that has not logged in.
 *
 * Strangers of the network with the most of them go first, so that no network keeps the others out by opening many
 * connections. Among these, clients without a key exchange go first, then those that failed to log in; the oldest first. Pure.
 */
import type { HostedLimits } from "./limits.ts";

export interface Present {
  readonly network: string;
  readonly since: number;
  /** Null: a stranger. */
  readonly connection: string | null;
  /** Whether keys are exchanged. */
  readonly isSecure: boolean;
  /** Failed tries to log in. */
  readonly failures: number;
}

/** `null`: there is room. `newcomer`: no other client can go. */
export function whoGoes<Client extends Present>(
  clients: Iterable<Client>,
  network: string,
  limits: Pick<HostedLimits, "connections" | "strangers" | "strangersFromAddress" | "fromAddress">,
): Client | "newcomer" | null {
  let all = 0, near = 0;
  const strangers: Client[] = [];
  const ofNetwork = new Map<string, number>();
  for (const client of clients) {
    all++;
    if (client.network === network) near++;
    if (client.connection !== null) continue;
    strangers.push(client);
    ofNetwork.set(client.network, (ofNetwork.get(client.network) ?? 0) + 1);
  }
  if (near >= limits.fromAddress || (ofNetwork.get(network) ?? 0) >= limits.strangersFromAddress) {
    return first(strangers.filter((client) => client.network === network));
  }
  if (all < limits.connections && strangers.length < limits.strangers) return null;
  const most = Math.max(...ofNetwork.values());
  return first(strangers.filter((client) => ofNetwork.get(client.network) === most));
}

function first<Client extends Present>(strangers: readonly Client[]): Client | "newcomer" {
  const rank = ({ isSecure, failures }: Client) => !isSecure ? 0 : failures > 0 ? 1 : 2;
  const [found] = strangers.toSorted((a, b) => rank(a) - rank(b) || a.since - b.since);
  return found ?? "newcomer";
}
