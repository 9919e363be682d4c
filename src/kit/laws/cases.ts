/** What the author of a connector says about it, for the laws to be tried with. */
import type { Stored } from "../../connector.ts";
import type { Handler, Tape } from "../tape.ts";

/** A source as it is played: by a function, or from a tape. */
export type Played = Tape | Handler;

/** People or departments, by the hub's fields, as they are after `normalize` or the mapping. */
export type Expected = readonly Readonly<Record<string, unknown>>[];

export interface Cases {
  /** Settings that the source can be read with. */
  readonly settings: unknown;
  /** Settings that have to be refused, each with the place that is named, such as `/host`. */
  readonly refused?: readonly { readonly settings: unknown; readonly at: string }[];
  readonly secrets?: Readonly<Record<string, string>>;
  /** For a connector that fetches. It does not change: the same request has the same answer. */
  readonly source?: Played;
  /** For a connector that takes drops: one of them. */
  readonly drop?: { readonly name: string; readonly contentType?: string; readonly content: string | Uint8Array };
  /** All people of the source or the drop, in any order. */
  readonly records?: Expected;
  /** All departments, where the connector brings them. */
  readonly departments?: Expected;
  /** Whether a read may do without the answer to this URL. */
  optional?(url: string): boolean;
  /** The source later, when some of its people have changed. */
  readonly changed?: { readonly source: Played; readonly records: Expected };
  /** Connections of earlier versions, for a connector that has had some. */
  readonly upgrade?: readonly Upgrade[];
  /** The source with so many people, for a connector that should read large ones. */
  scale?(people: number): Handler;
}

export interface Upgrade {
  /** Settings as the earlier version had them. */
  readonly from: Stored<unknown>;
  /** What `migrateSettings` makes of them. */
  readonly to: unknown;
  /** What that version had saved last with `checkpoint.save`; absent: nothing. */
  readonly state?: unknown;
}

/** Of a test's own context, what the laws use; a runner may have none of it. */
export interface TestContext {
  skip?(reason: string): void;
}

/** As `node:test`, `Deno.test` and vitest have it. */
// deno-lint-ignore no-explicit-any -- each passes a context of its own
export type Test = (name: string, run: (context: any) => Promise<void>) => unknown;

export interface Runner {
  readonly test: Test;
}
