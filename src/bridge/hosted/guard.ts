/**
 * Which clients may try to log in, how often, and how soon a failure is answered. A guesser is answered later and later, and
 * then its passwords are not checked any more; users who have logged in from the same network before are not affected.
 *
 * Only a network can run out of tries, never a user name: otherwise a guesser anywhere could lock the user out. For a name
 * that is guessed often, answers only come later. Keys cannot be guessed, and are always checked.
 */
import { createLimiter, createRates, networkOf } from "../../security/rates.ts";
import type { HostedLimits } from "./limits.ts";

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

/** `clockMs`: a clock that only goes forward. */
export function createGuard(limits: Needed, clockMs: () => number = () => performance.now()) {
  const addresses = createRates({ requests: 0, logins: limits.failuresFromAddress }, clockMs);
  const names = createLimiter(limits.failuresOfName);
  const wasted = createLimiter(limits.wastedFromAddress);
  /** When the next connection of a network is greeted, where it is slowed down. */
  const turns = new Map<string, number>();
  const pair = (username: string, address: string) => `${networkOf(address)} ${username}`;
  return {
    /** Whether this password is worth asking the hub about. */
    mayTry: (username: string, address: string): boolean =>
      addresses.welcome.has(pair(username, address)) || addresses.logins!.look(networkOf(address), clockMs()).allowed,
    /** `earlier`: failures on the same connection. Returns when to answer, and whether to disconnect then. */
    failed(username: string, address: string, earlier: number) {
      const now = clockMs();
      const isSpent = [addresses.logins!.take(networkOf(address), now), names.take(username, now)]
        .some(({ allowed }) => !allowed);
      return {
        answerInMs: isSpent ? limits.mostFailureMs : Math.min(limits.failureMs * 2 ** earlier, limits.mostFailureMs),
        isLast: isSpent || earlier + 1 >= limits.tries,
      };
    },
    succeeded: (username: string, address: string) => addresses.welcome.add(pair(username, address)),
    /** A connection ended without a log-in. */
    wasted: (network: string) => void wasted.take(network, clockMs()),
    /** In how many milliseconds a new connection is greeted: networks of which many led to nothing are slowed down. */
    greetInMs(network: string): number {
      const now = clockMs();
      if (wasted.look(network, now).allowed) return 0;
      for (const [each, at] of turns) if (at <= now) turns.delete(each);
      const at = turns.get(network) ?? now;
      turns.set(network, at + limits.paceMs);
      return at - now;
    },
  };
}
