/** A law: what a connector has to keep to, as one test. */
import type { Cases } from "./cases.ts";
import type { Subject } from "./subject.ts";

export interface Law {
  /** A sentence that is the test's name. */
  readonly name: string;
  /** Whether the cases have what it needs. Absent: it always has. */
  readonly applies?: (cases: Cases) => boolean;
  /** Fails if the connector breaks the law. `skip`: to be called, and returned from, where the law has nothing to try. */
  readonly hold: (subject: Subject, skip: (reason: string) => void) => Promise<void>;
}

export const fetches = ({ source }: Cases): boolean => source !== undefined;
