/** What the parts of the bridge's core share: its options, the hub, and the connections that it holds. */
import type { AskHub } from "../ask-hub.ts";
import type { BridgeConnection, HostedServer, OpenTransport, Poller, Trouble } from "../contract.ts";
import type { BridgeKey } from "../key.ts";
import type { Seen } from "../leftovers.ts";
import type { Note } from "../not-used.ts";
import type { BridgeOptions } from "./options.ts";
import type { Held, TreeErasure, Unsettled } from "../../model/bridge-wire.ts";

export interface Core {
  readonly options: BridgeOptions;
  readonly ask: AskHub;
  readonly key: BridgeKey;
  /** By the connection's id. */
  readonly entries: Map<string, Entry>;
  readonly stop: AbortController;
  /** Asks the hub for the connections now. Resolves with the milliseconds until the next refresh is due. */
  refresh(): Promise<number>;
}

/** A core that speaks SFTP. */
export interface Serving extends Core {
  readonly server: HostedServer | null;
  readonly poller: Poller;
  readonly openTransport: OpenTransport;
  toErase: readonly TreeErasure[];
  /** When the bridge looks next for trees of deleted connections. */
  tendAt: number;
  /** Runs in the background; a failure is logged. */
  inBackground(work: Promise<void>): void;
}

/** What the core knows of one connection. */
export interface Entry {
  held: Held;
  connection: BridgeConnection;
  secretsVersion: string | null;
  unsettled: readonly Unsettled[];
  seen: Seen;
  /** The outcome of the last visit, or of the last file handed over. */
  look: { seenAt: number | null; trouble: Trouble | null };
  /** Why reports could not be written to the connection's server; null: there is no trouble. */
  notReturned: Trouble | null;
  /** Notes that wait to be written to the connection's server. */
  notes: readonly Note[];
  /** Files that are left and have their note, by name; since when each is left. */
  answered: ReadonlyMap<string, number>;
  /** The last report to the hub. Another one is sent only when it differs. */
  reported: string;
  /** The core is working on the connection's server: bringing back, tidying. */
  busy: boolean;
  pauseUntil: number;
  failures: number;
  tidyAt: number;
}
