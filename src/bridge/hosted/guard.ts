/**
 * Who may try to log in, how often, and how soon a failure is answered. A guesser is answered later and later, and then
 * no longer looked at; whoever was let in lately from the same address is not locked out by one.
 *
 * Only an address can run out of passwords, never a user name: else a guesser anywhere would lock its owner out. A name
 * that is guessed much only makes the answers later. Keys cannot be guessed, and are looked at always.
 */
import { createLimiter, createRates, networkOf } from "../../security/rates.ts";
import type { HostedLimits } from "./limits.ts";

export interface Guard {
  /** Whether this password is worth asking the hub about. */
  mayTry(username: string, address: string): boolean;
  /** `earlier`: failures on the same connection. Gives in how many milliseconds it is answered, and whether with a goodbye. */
  failed(username: string, address: string, earlier: number): { answerInMs: number; isLast: boolean };
  succeeded(username: string, address: string): void;
  /** A connection ended without a log-in. */
  wasted(network: string): void;
  /** In how many milliseconds a new connection is answered: few at a time from where many led to nothing. */
  greetInMs(network: string): number;
}

type Needed = Pick<
  HostedLimits,
  | "failuresFromAddress"
  | "failuresOfName"
  | "failureMs"
  | "mostFailureMs"
  | "tries"
  | "wastedFromAddress"
  | "paceMs"
>;

/** `clockMs`: of a clock that nobody sets. */
export function createGuard(limits: Needed, clockMs: () => number = () => performance.now()): Guard {
  const addresses = createRates({ requests: 0, logins: limits.failuresFromAddress }, clockMs);
  const names = createLimiter(limits.failuresOfName);
  const wasted = createLimiter(limits.wastedFromAddress);
  /** When the next connection of a network is answered, where they are paced. */
  const turns = new Map<string, number>();
  const pair = (username: string, address: string) => `${networkOf(address)} ${username}`;
  return {
    mayTry: (username, address) =>
      addresses.welcome.has(pair(username, address)) || addresses.logins!.look(networkOf(address), clockMs()).allowed,
    failed(username, address, earlier) {
      const now = clockMs();
      const isSpent = [addresses.logins!.take(networkOf(address), now), names.take(username, now)]
        .some(({ allowed }) => !allowed);
      return {
        answerInMs: isSpent ? limits.mostFailureMs : Math.min(limits.failureMs * 2 ** earlier, limits.mostFailureMs),
        isLast: isSpent || earlier + 1 >= limits.tries,
      };
    },
    succeeded: (username, address) => addresses.welcome.add(pair(username, address)),
    wasted: (network) => void wasted.take(network, clockMs()),
    greetInMs(network) {
      const now = clockMs();
      if (wasted.look(network, now).allowed) return 0;
      for (const [each, at] of turns) if (at <= now) turns.delete(each);
      const at = turns.get(network) ?? now;
      turns.set(network, at + limits.paceMs);
      return at - now;
    },
  };
}
