/** The signatures of an encrypted message: how many it may have, and whether one of them is good. No I/O. No clock. */
import type { DecryptMessageResult } from "openpgp";
import { decryptionFailed, reasonOf } from "./decrypt-faults.ts";

/** A public key whose signatures count, armored. */
export interface Signer {
  readonly fingerprint: string;
  readonly keyIds: readonly string[];
  readonly publicKey: string;
}

const MAX_SIGNATURES = 10;

export function refuseManySignatures(count: number): void {
  if (count <= MAX_SIGNATURES) return;
  throw decryptionFailed(`The file has more than ${MAX_SIGNATURES} signatures: sign it once`);
}

/** Throws for a bad signature of one of the signers, and for a missing one where a signature is required. */
export async function checkSignatures(
  signatures: DecryptMessageResult["signatures"],
  { signers, signatureRequired }: { readonly signers: readonly Signer[]; readonly signatureRequired: boolean },
): Promise<void> {
  if (signatureRequired && signers.length === 0) {
    throw decryptionFailed(
      "The connection takes only signed files, but knows no key to verify them with: register the sender's public key",
    );
  }
  let isSigned = false;
  for (const { keyID, verified } of signatures) {
    const id = keyID.toHex().toUpperCase();
    if (!signers.some(({ keyIds }) => keyIds.includes(id))) continue;
    try {
      await verified;
      isSigned = true;
    } catch (cause) {
      throw decryptionFailed(
        `The signature of the key ${id} is not good (${reasonOf(cause)}): sign the file again with a key that is valid`,
        cause,
      );
    }
  }
  if (isSigned || !signatureRequired) return;
  const expected = signers.map(({ fingerprint }) => fingerprint).join(" or ");
  const other = signatures[0]?.keyID.toHex().toUpperCase();
  throw decryptionFailed(
    other === undefined
      ? `The file is not signed, and this connection takes only signed files: sign it with the key ${expected}`
      : `The file is signed with the key ${other}, which is not registered here: sign it with the key ${expected}, or ` +
        "register the other one",
  );
}
