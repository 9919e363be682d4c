/** The hub as a value: what every request and every run is handed. Doors make it; nothing else reads the runtime. */
import type { Connector } from "./connector.ts";
import type { InFlight } from "./security/in-flight.ts";
import type { Decrypt } from "./intake/decrypt-message.ts";
import type { Metrics } from "./model/metrics.ts";
import type { Rates } from "./security/rates.ts";
import type { Secrets } from "./security/secrets.ts";
import type { Scrypt } from "./security/sftp-login.ts";
import type { OpenId } from "./security/openid.ts";
import type { Outbound } from "./security/outbound.ts";
import type { Database } from "./store/database.ts";
import type { Packing } from "./store/runs/drop-content.ts";
import type { Reader } from "./store/people/heavy-reads.ts";
import type { Waits } from "./store/waits.ts";

/** Connectors by name. */
export type Registry = ReadonlyMap<string, Connector<never>>;

/** Files of the viewer `swagger-ui-dist` that are served. */
export type ViewerFile = "swagger-ui.css" | "swagger-ui-bundle.js";

/** A bridge that needs no operator's word, for it was started with the hub. Both values are made anew at each start. */
export interface OwnBridge {
  /** SHA-256 of the token that it comes with, hex. */
  readonly tokenHash: string;
}

export interface Hub {
  readonly db: Database;
  /** Does reads that may take long beside requests; absent where they are done at once. */
  readonly reader?: Reader;
  readonly registry: Registry;
  /** Seals what is stored of passwords and keys, and derives what links and cursors are signed with. */
  readonly secrets: Secrets;
  /** Calls whatever a stranger or an admin has named; nothing else does. */
  readonly outbound: Outbound;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Base of the links in problems and reports, without a trailing slash, such as `http://127.0.0.1:8787`. */
  readonly publicUrl: string;
  /** Packs drops faster than what every runtime has; absent where there is nothing faster. */
  readonly packing?: Packing;
  /** Decrypts drops beside this thread; absent where there are no threads: then in it. */
  readonly decrypt?: Decrypt;
  /** Reads a file of the viewer that shows the API's document; absent where there is no viewer. */
  readonly openViewer?: (file: ViewerFile) => Promise<BodyInit>;
  /** Verifies tokens of the configured OpenID issuer; absent where none is configured, and where nobody asks. */
  readonly openid?: OpenId;
  /** The bridge inside this process; absent where there is none. */
  readonly ownBridge?: OwnBridge;
  /** How often somebody may ask; absent where nobody does. */
  readonly rates?: Rates;
  /** What may be held open at once, by whom; absent where nobody is held to it. */
  readonly inFlight?: InFlight;
  /** Absent: the hub reckons itself, on its own thread. */
  readonly scrypt?: Scrypt;
  /** What this process counts of its requests; absent where there are none. */
  readonly metrics?: Metrics;
  /** The request that the hub works for now; absent where it works for none. Stored with the runs that it queues. */
  readonly requestId?: string;
  /** Days that drops and reports are kept. */
  readonly retainDays: number;
  /** Sender of mails, such as `Muster <muster@example.com>`; absent where the hub sends none, and so queues none. */
  readonly mailFrom?: string | null;
  /** Says that a run may be waiting. Returns at once. */
  readonly wake: () => void;
  /** Says that a run has moved on, to whoever waits for it in this process. Returns at once. */
  readonly moved?: (runId: number) => void;
  /** Those who wait, looked after together; absent where each request looks for itself. */
  readonly waits?: Waits;
  /** One structured line; never a person's data, never a secret. */
  readonly log: (event: string, details?: Record<string, string | number | boolean | null>) => void;
}
