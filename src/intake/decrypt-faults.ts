/** Faults of encrypted messages, each with what to do about it. No I/O. */
import { Fault } from "../model/errors.ts";
import { sizeInWords } from "../std/size.ts";

export const TRY_AGAIN = "encrypt the file again and send it again";

/** Translates the library's error for a message that its session key has opened: the file is not as it was sent. */
export function faultOf(error: unknown, maxBytes: number): Fault {
  const reason = reasonOf(error);
  if (/Maximum decompressed (?:message )?size/i.test(reason)) return tooMuchInside(error);
  if (/larger than/i.test(reason)) return tooLarge(maxBytes);
  return new Fault(
    "input_incomplete",
    "The encrypted file is not whole, or was changed on its way, so nothing of it was used: send it again; if that does " +
      `not help, ${TRY_AGAIN}`,
    { cause: error },
  );
}

export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/^Error decrypting message: /, "");
}

export function tooLarge(maxBytes: number): Fault {
  return new Fault(
    "too_large",
    `What is in the encrypted file is over the limit of ${sizeInWords(maxBytes)}: send it in parts`,
  );
}

export function tooMuchInside(cause?: unknown): Fault {
  return new Fault(
    "too_large",
    "The encrypted file unpacks to far more than people's data does: encrypt the plain CSV or JSON file, packed once",
    { cause },
  );
}

export function tooMuchWork(): Fault {
  return decryptionFailed(
    "The encrypted file takes far longer to open than people's data does: encrypt the plain CSV or JSON file with " +
      "another program, or without unusual options",
  );
}

export function decryptionFailed(message: string, cause?: unknown): Fault {
  return new Fault("decryption_failed", message, { cause });
}
