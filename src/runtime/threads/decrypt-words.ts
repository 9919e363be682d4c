/** What is said between a thread that decrypts and the one that it does so for. Each job has a number of its own. */
import type { SessionKey } from "openpgp";
import type { FaultCode } from "../../model/errors.ts";
import type { Reading } from "../../intake/decrypt-message.ts";

export type ToDecrypt =
  | { readonly kind: "read"; readonly job: number; readonly reading: Reading }
  /**
   * One chunk of the message for each that is wanted; null: its end. Bytes go as an ArrayBuffer, which is given away: Deno
   * looks at each element of a Uint8Array that comes, and takes half a second for a megabyte.
   */
  | { readonly kind: "bytes"; readonly job: number; readonly bytes: ArrayBuffer | null }
  /** One more may be given of what is in the message. */
  | { readonly kind: "more"; readonly job: number }
  | { readonly kind: "stop"; readonly job: number };

export type FromDecrypt =
  | { readonly kind: "want"; readonly job: number }
  | { readonly kind: "out"; readonly job: number; readonly bytes: ArrayBuffer; readonly length: number }
  | { readonly kind: "end"; readonly job: number; readonly sessionKeys: readonly SessionKey[] }
  /** `code` null: what failed is the hub's own. */
  | { readonly kind: "fault"; readonly job: number; readonly code: FaultCode | null; readonly message: string }
  /** Nothing new, but its turn comes. */
  | { readonly kind: "alive"; readonly job: number };

/** How many chunks are on their way in each direction: one is worked on while the next come. */
export const WINDOW = 3;
/** How often a thread says that it is alive. */
export const ALIVE_EVERY_MS = 500;
