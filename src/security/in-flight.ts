/**
 * Limits on what each token and organization holds open at once, so that no client can hold everything.
 *
 * Counts in the memory of one process. Not for Workers: a request whose client disconnects may end there without
 * notice, and would be counted forever. No I/O. No clock.
 */
import { IN_FLIGHT } from "../model/limits.ts";

export type InFlightKind = keyof typeof IN_FLIGHT;

export interface Holder {
  /** One for each token. */
  readonly key: string;
  readonly organizationId: number;
}

/** `of`: whose limit is reached. */
export type Entered =
  | { readonly isIn: true; readonly leave: () => void }
  | { readonly isIn: false; readonly of: "token" | "organization"; readonly limit: number };

export interface InFlight {
  /** Counts one in if there is room. `leave` counts it out, once, however often it is called. */
  enter(kind: InFlightKind, holder: Holder): Entered;
}

type Limits = Readonly<Record<InFlightKind, { readonly aToken: number; readonly anOrganization: number }>>;

export function createInFlight(limits: Limits = IN_FLIGHT): InFlight {
  const counts = new Map<string, number>();

  function add(name: string, change: 1 | -1): void {
    const count = (counts.get(name) ?? 0) + change;
    if (count === 0) counts.delete(name);
    else counts.set(name, count);
  }

  return {
    enter(kind, { key, organizationId }) {
      const { aToken, anOrganization } = limits[kind];
      const token = `${kind} token ${key}`;
      const organization = `${kind} organization ${organizationId}`;
      if ((counts.get(token) ?? 0) >= aToken) return { isIn: false, of: "token", limit: aToken };
      if ((counts.get(organization) ?? 0) >= anOrganization) {
        return { isIn: false, of: "organization", limit: anOrganization };
      }
      add(token, 1);
      add(organization, 1);
      let isIn = true;
      return {
        isIn: true,
        leave() {
          if (!isIn) return;
          isIn = false;
          add(token, -1);
          add(organization, -1);
        },
      };
    },
  };
}
