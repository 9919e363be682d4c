/** What a bridge is started with. */
import type { HostedOptions, HostedServer, Log, Poller, PollerOptions } from "../contract.ts";

export interface BridgeOptions {
  /** Base of the hub's URL, without a slash at its end. */
  readonly url: string;
  readonly token: string;
  /** What the operator knows it by. */
  readonly name: string;
  readonly version: string;
  /** Where its key and the hosted trees are. */
  readonly dir: string;
  /** Where to serve SFTP, and the address that customers use; null: not at all. */
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
  /** Other than the runtime's only in tests. */
  readonly fetch?: typeof fetch;
  /** Between two looks at the hub; other than the hub says only in tests. */
  readonly askEveryMs?: number;
  /** Between two looks while the operator has not confirmed the key, or the hub does not answer; other only in tests. */
  readonly retryMs?: number;
}
