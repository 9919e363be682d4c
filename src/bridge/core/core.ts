/** What the parts of the bridge's core share: its options, the hub, and the connections that it holds. */
import type { AskHub } from "../ask-hub.ts";
import type { BridgeConnection, HostedServer, OpenTransport, Poller, Trouble } from "../contract.ts";
import type { BridgeKey } from "../key.ts";
import type { Seen } from "../lying.ts";
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
  /** Asks the hub for the connections now. Gives how long until it is to be asked again, in milliseconds. */
  refresh(): Promise<number>;
}

/** A core that speaks SFTP. */
export interface Serving extends Core {
  readonly server: HostedServer | null;
  readonly poller: Poller;
  readonly openTransport: OpenTransport;
  toErase: readonly TreeErasure[];
  /** When trees are looked at next whose connections are gone. */
  tendAt: number;
  /** Goes on beside everything else; a failure is logged. */
  inBackground(work: Promise<void>): void;
}

/** All that the core keeps of one connection. */
export interface Entry {
  held: Held;
  connection: BridgeConnection;
  secretsVersion: string | null;
  unsettled: readonly Unsettled[];
  seen: Seen;
  /** How its last look went. */
  look: { seenAt: number | null; trouble: Trouble | null };
  /** Why reports could not be written to the connection's server; null: they could. */
  notReturned: Trouble | null;
  /** Notes that wait to be written to the connection's server. */
  notes: readonly Note[];
  /** What was last reported to the hub, which is reported again only when it changes. */
  reported: string;
  /** The core is at work on the connection's server: bringing back, tidying. */
  busy: boolean;
  pauseUntil: number;
  failures: number;
  tidyAt: number;
}
