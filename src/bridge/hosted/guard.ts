/**
 * Who may try to log in, and how often: a guesser is slowed down and then sent away, and whoever was let in lately from
 * the same address is not locked out by one.
 */
import { createRates, networkOf } from "../../rates.ts";
import type { HostedLimits } from "./limits.ts";

export interface Guard {
  /** Whether this attempt is worth asking the hub about. */
  mayTry(username: string, address: string): boolean;
  failed(username: string, address: string): void;
  succeeded(username: string, address: string): void;
}

export function createGuard(limits: Pick<HostedLimits, "failuresFromAddress" | "failuresOfName">): Guard {
  const clockMs = () => performance.now();
  const addresses = createRates({ requests: 0, logins: limits.failuresFromAddress }, clockMs);
  const names = createRates({ requests: 0, logins: limits.failuresOfName }, clockMs);
  const pair = (username: string, address: string) => `${networkOf(address)} ${username}`;
  return {
    mayTry(username, address) {
      if (addresses.welcome.has(pair(username, address))) return true;
      const now = clockMs();
      return addresses.logins!.look(networkOf(address), now).allowed && names.logins!.look(username, now).allowed;
    },
    failed(username, address) {
      const now = clockMs();
      addresses.logins!.take(networkOf(address), now);
      names.logins!.take(username, now);
    },
    succeeded: (username, address) => addresses.welcome.add(pair(username, address)),
  };
}
