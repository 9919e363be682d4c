/** The options of a bridge. */
import type { HostedOptions, HostedServer, Log, Poller, PollerOptions } from "../contract.ts";

export interface BridgeOptions {
  /** Base of the hub's URL, without a slash at its end. */
  readonly url: string;
  readonly token: string;
  /** How the operator recognizes it. */
  readonly name: string;
  readonly version: string;
  /** The folder of its key and the hosted trees. */
  readonly dir: string;
  /** Where to serve SFTP, and the address that customers use; null: nowhere. */
  readonly hosted: {
    readonly host: string;
    readonly port: number;
    readonly address: { readonly host: string; readonly port: number | null };
  } | null;
  readonly createHostedServer: (options: HostedOptions) => Promise<HostedServer>;
  readonly createPoller: (options: PollerOptions) => Poller;
  readonly dial: PollerOptions["dial"];
  readonly log: Log;
  /** See HostedOptions. */
  readonly passed?: (bytes: number) => void;
  readonly now: () => number;
  /** By default the runtime's. */
  readonly fetch?: typeof fetch;
  /** Between two refreshes; by default what the hub asks for. */
  readonly askEveryMs?: number;
  /** Between two tries while the operator has not confirmed the key, or the hub does not answer. For tests. */
  readonly retryMs?: number;
}
