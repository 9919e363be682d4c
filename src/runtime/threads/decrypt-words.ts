/** Messages to and from a thread that decrypts. Each message of a sender is a job with its own number. */
import type { SessionKey } from "openpgp";
import type { FaultCode } from "../../model/errors.ts";
import type { Reading } from "../../intake/decrypt-message.ts";

export type ToDecrypt =
  | { readonly kind: "read"; readonly job: number; readonly reading: Reading }
  /**
   * One chunk for each `want`; null: the message has ended. The ArrayBuffer is transferred, because Deno takes half a second
   * to receive a Uint8Array of a megabyte.
   */
  | { readonly kind: "bytes"; readonly job: number; readonly bytes: ArrayBuffer | null }
  /** One more batch may be sent. */
  | { readonly kind: "more"; readonly job: number }
  | { readonly kind: "stop"; readonly job: number };

export type FromDecrypt =
  | { readonly kind: "want"; readonly job: number }
  | { readonly kind: "out"; readonly job: number; readonly bytes: ArrayBuffer; readonly length: number }
  | { readonly kind: "end"; readonly job: number; readonly sessionKeys: readonly SessionKey[] }
  /** `code` null: it is an error of the hub, not of the message. */
  | { readonly kind: "fault"; readonly job: number; readonly code: FaultCode | null; readonly message: string }
  /** The thread is alive, and has nothing to send. */
  | { readonly kind: "alive"; readonly job: number };

/** Chunks in flight in each direction: one is used while the next ones arrive. */
export const WINDOW = 3;
/** Interval of `alive` messages. */
export const ALIVE_EVERY_MS = 500;
