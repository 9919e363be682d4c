/**
 * Encrypted drops: a drop that is an OpenPGP message goes in, a drop of what is in it comes out, decrypted as it is read.
 *
 * Before anything of it is used it has to be proven: read to its end once, that it is whole, unchanged, no larger than a
 * drop may be, and signed where it has to be. Nothing that was decrypted is kept; each reading decrypts anew, with the
 * session key that the proof has found. Memory does not grow with the input, nor with what it unpacks to. No clock.
 */
import type { SessionKey } from "openpgp";
import type { DropSource } from "../connector.ts";
import { Fault } from "../model/errors.ts";
import { armorLabel, beginsWithArmor, fromArmor } from "./armor.ts";
import { type Decrypt, decryptMessage, type Reading, type Signer, streamOf } from "./decrypt-message.ts";
import { HEAD_BYTES, isEncrypted, parsePgpHead, type PgpHead } from "./pgp-head.ts";

/** A key of the hub's for one connection. Ids are 16 hexadecimal digits in upper case. */
export interface OwnKey {
  readonly fingerprint: string;
  /** Of the key and its subkeys. */
  readonly keyIds: readonly string[];
  /** ISO date; null: it is in use. */
  readonly retired: string | null;
  /** The private key, armored. Asked for only when a message is encrypted for it. */
  open(): Promise<string>;
}

export interface Decryption {
  readonly own: readonly OwnKey[];
  readonly signers: readonly Signer[];
  /** Only what is encrypted, and signed by one of the signers, is taken. */
  readonly signatureRequired: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Of what is in the drop, in bytes. */
  readonly maxBytes: number;
  /** Comes back after a moment; at once when it is told to. */
  pause(signal: AbortSignal): Promise<void>;
  /** Decrypts beside this thread; absent: in it. */
  readonly decrypt?: Decrypt;
}

export interface EncryptedDrop {
  /** What is in it. Not to be read for any purpose before `prove` has returned, here or in an earlier run of this drop. */
  readonly drop: DropSource;
  /** Reads all of it; `step` hears how many bytes of the drop have been read, now and then. Throws the Faults. */
  prove(step: (bytes: number) => Promise<void>): Promise<void>;
}

const NAMED = /\.(?:pgp|gpg|asc)$/i;
/** How many keys a message may be encrypted for, and how many of the hub's may have to be tried on how many of those. */
const MAX_RECIPIENTS = 100, MAX_TRIES = 40;
const STEP_BYTES = 256 * 1024;

/** Whether a drop is encrypted, by its name or by how it begins. */
export async function isEncryptedDrop(drop: DropSource): Promise<boolean> {
  if (NAMED.test(drop.name)) return true;
  const head = await readHead(drop.open() as unknown as AsyncIterable<Uint8Array>, HEAD_BYTES);
  return beginsWithArmor(head) || isEncrypted(parsePgpHead(head));
}

/** The encrypted drop, for whom it can be opened. Throws Faults that say why it cannot, and what to do. */
export async function openEncrypted(drop: DropSource, decryption: Decryption): Promise<EncryptedDrop> {
  const received = () => drop.open() as unknown as AsyncIterable<Uint8Array>;
  const first = await readHead(received(), HEAD_BYTES);
  const label = beginsWithBinary(first) ? null : armorLabel(first);
  if (label !== null && label !== "MESSAGE") throw noMessage(label);
  const binary = label === null ? received : () => fromArmor(received());
  const head = parsePgpHead(label === null ? first : await readHead(binary(), HEAD_BYTES));
  const keys = findKeys(head, decryption);
  const { signers, signatureRequired, now, maxBytes, pause, decrypt = decryptMessage } = decryption;
  let sessionKeys: readonly SessionKey[] | null = null;
  const reading = async (proves: boolean): Promise<Reading> => ({
    data: head!.data,
    privateKeys: sessionKeys === null ? await Promise.all(keys.map((key) => key.open())) : [],
    fingerprint: keys[0]!.fingerprint,
    sessionKeys,
    signers,
    signatureRequired,
    now,
    maxBytes,
    proves,
  });
  const name = drop.name.replace(NAMED, "");
  return {
    drop: {
      ...drop,
      name: name === "" ? drop.name : name,
      open: () => streamOf(read(() => Promise.resolve(), false)),
    },
    async prove(step) {
      for await (const _ of read(step, true)) {
        // Only that it comes to its end counts.
      }
    },
  };

  async function* read(step: (bytes: number) => Promise<void>, proves: boolean): AsyncGenerator<Uint8Array, void> {
    // What the drop itself says, or whoever asked for the proof, says nothing of the message, and is thrown on as it is.
    const failure: { error?: unknown } = {};
    let bytes = 0;
    const hear = () =>
      step(bytes).catch((error) => {
        throw failure.error = error;
      });
    try {
      const input = counted(binary(), hear, failure, (more) => bytes += more);
      sessionKeys = yield* decrypt(input, await reading(proves), { pause, hear });
    } catch (error) {
      throw failure.error ?? error;
    }
  }
}

/** The bytes as they are read; `hear` is called now and then. */
async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  hear: () => Promise<void>,
  failure: { error?: unknown },
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void> {
  let since = 0;
  try {
    for await (const chunk of chunks) {
      count(chunk.length);
      since += chunk.length;
      if (since >= STEP_BYTES) {
        since = 0;
        await hear();
      }
      yield chunk;
    }
  } catch (error) {
    throw failure.error = error;
  }
}

/** What a connection that takes only signed files says of one that is not even encrypted. */
export function unsignedFault(): Fault {
  return new Fault(
    "decryption_failed",
    "The file is neither encrypted nor signed, and this connection takes only files that are: sign it with your key and " +
      "encrypt it with the connection's key",
  );
}

/** Those of the hub's keys that can open the message. Throws where there are none. */
function findKeys(head: PgpHead | null, { own }: Decryption): readonly OwnKey[] {
  if (head === null) {
    throw new Fault(
      "decryption_failed",
      "The file is named like an encrypted one, and is no OpenPGP message: encrypt it again, or send it under the name " +
        "of what it is, like people.csv",
    );
  }
  if (head.data === "plain") {
    throw new Fault(
      "decryption_failed",
      "The file is an OpenPGP message that is not encrypted, only signed or packed: encrypt it with the connection's key",
    );
  }
  if (head.data === "unproven") {
    throw new Fault(
      "input_incomplete",
      "The file is encrypted in an old way that cannot prove that it is whole: encrypt it with integrity protection " +
        "(MDC), which every newer program does unless it is told not to",
    );
  }
  if (head.data === "huge") {
    throw new Fault(
      "decryption_failed",
      "The file is encrypted in pieces of more than 4 MiB: encrypt it in smaller ones",
    );
  }
  const active = own.filter((key) => key.retired === null);
  const current = active[0];
  const withWhich = current === undefined
    ? "make a key for the connection first, then encrypt the file with it"
    : `encrypt it with the connection's key ${current.fingerprint}`;
  if (head.recipients.length === 0) {
    throw new Fault(
      "decryption_failed",
      `The file is encrypted with a password, which the hub does not have: ${withWhich}`,
    );
  }
  const hidden = head.recipients.includes(null);
  const fitting = active.filter((key) => hidden || key.keyIds.some((id) => head.recipients.includes(id)));
  const meant = head.recipients.filter((id) => id === null || fitting.some(({ keyIds }) => keyIds.includes(id)));
  if (head.recipients.length > MAX_RECIPIENTS || meant.length * fitting.length > MAX_TRIES) {
    throw new Fault(
      "decryption_failed",
      `The file is encrypted for ${head.recipients.length} keys, which are too many to try: ${withWhich} alone`,
    );
  }
  if (fitting.length > 0) return fitting;
  const retired = own.find((key) => key.keyIds.some((id) => head.recipients.includes(id)));
  if (retired !== undefined) {
    throw new Fault(
      "decryption_failed",
      `The file is encrypted with the key ${retired.fingerprint}, which was retired on ${retired.retired}: ${withWhich}`,
    );
  }
  const named = head.recipients.flatMap((id) => id ?? []).slice(0, 5).join(", ");
  throw new Fault(
    "decryption_failed",
    own.length === 0
      ? `The file is encrypted, and the connection has no key to open it with: ${withWhich}`
      : `The file is encrypted with ${
        named === "" ? "another key" : `the key ${named}`
      }, which is none of the connection's: ${withWhich}`,
  );
}

function noMessage(label: string): Fault {
  const what = label.includes("PRIVATE") || label.includes("SECRET")
    ? "a private key: keep it to yourself, make a new one, and send the encrypted file"
    : label.includes("PUBLIC")
    ? "a public key: register it on the connection, and send the encrypted file here"
    : "signed but not encrypted: encrypt it with the connection's key";
  return new Fault("decryption_failed", `The file is ${what}`);
}

/** Bytes of which the first already say that this is no text. */
function beginsWithBinary(head: Uint8Array): boolean {
  return parsePgpHead(head) !== null;
}

async function readHead(chunks: AsyncIterable<Uint8Array>, bytes: number): Promise<Uint8Array> {
  const head = new Uint8Array(bytes);
  let used = 0;
  for await (const chunk of chunks) {
    const part = chunk.subarray(0, bytes - used);
    head.set(part, used);
    used += part.length;
    if (used === bytes) break;
  }
  return head.subarray(0, used);
}
