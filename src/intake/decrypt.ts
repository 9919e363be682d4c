/**
 * Encrypted drops: a drop that is an OpenPGP message goes in, a drop of its content comes out, decrypted as it is read.
 *
 * Before any of the content is used, the message has to be proven: read to its end once, whole, unchanged, no larger
 * than a drop may be, and signed where that is required. No plaintext is stored; each reading decrypts anew, with the
 * session key that the proof has found. Memory does not grow with the input, nor with what it unpacks to. No clock.
 */
import type { SessionKey } from "openpgp";
import type { DropSource } from "../connector.ts";
import { Fault } from "../model/errors.ts";
import { armorLabel, beginsWithArmor, fromArmor } from "./armor.ts";
import { decryptionFailed } from "./decrypt-faults.ts";
import { streamOf } from "../std/streams.ts";
import { type Decrypt, decryptMessage } from "./decrypt-message.ts";
import type { Signer } from "./decrypt-signatures.ts";
import { HEAD_BYTES, isEncrypted, parsePgpHead, type PgpHead } from "./pgp-head.ts";

/** A key pair of the hub for one connection. Ids are 16 hexadecimal digits in upper case. */
export interface OwnKey {
  readonly fingerprint: string;
  /** Ids of the key and its subkeys. */
  readonly keyIds: readonly string[];
  /** ISO date; null: the key is in use. */
  readonly retired: string | null;
  /** The private key, armored. Requested only when a message is encrypted for it. */
  open(): Promise<string>;
}

export interface Decryption {
  readonly own: readonly OwnKey[];
  readonly signers: readonly Signer[];
  /** Accept only encrypted files that one of the signers has signed. */
  readonly signatureRequired: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Limit of the drop's content, in bytes. */
  readonly maxBytes: number;
  /** Resolves after a moment, or at once when the signal aborts. */
  pause(signal: AbortSignal): Promise<void>;
  /** Decrypts in another thread; absent: in this one. */
  readonly decrypt?: Decrypt;
}

export interface EncryptedDrop {
  /** The content. Must not be used before `prove` has returned, here or in an earlier run of this drop. */
  readonly drop: DropSource;
  /** Reads all of it; calls `step` now and then with the bytes of the drop read so far. Throws the Faults. */
  prove(step: Step): Promise<void>;
}

type Step = (bytes: number) => Promise<void>;

const NAMED = /\.(?:pgp|gpg|asc)$/i;
/** How many keys a message may be encrypted for, and how many pairs of such a key and an own key may be tried. */
const MAX_RECIPIENTS = 100, MAX_TRIES = 40;
const STEP_BYTES = 256 * 1024;

/** Whether a drop is encrypted, by its name or by how it begins. */
export async function isEncryptedDrop(drop: DropSource): Promise<boolean> {
  if (NAMED.test(drop.name)) return true;
  const head = await readHead(bytesOf(drop));
  return beginsWithArmor(head) || isEncrypted(parsePgpHead(head));
}

/** The fault of an unencrypted file on a connection that takes only signed files. */
export function unsignedFault(): Fault {
  return decryptionFailed(
    "The file is neither encrypted nor signed, and this connection takes only files that are: sign it with your key and " +
      "encrypt it with the connection's key",
  );
}

/** Finds the keys that open an encrypted drop. Throws Faults with the reason why none does, and what to do. */
export async function openEncrypted(drop: DropSource, decryption: Decryption): Promise<EncryptedDrop> {
  const { binary, head } = await openBinary(drop);
  const keys = findKeys(head, decryption.own);
  const { signers, signatureRequired, now, maxBytes, pause, decrypt = decryptMessage } = decryption;
  let sessionKeys: readonly SessionKey[] | null = null;

  async function* read(step: Step, proves: boolean): AsyncGenerator<Uint8Array, void> {
    const input = countInput(binary(), step);
    const reading = {
      data: head.data,
      privateKeys: sessionKeys === null ? await Promise.all(keys.map((key) => key.open())) : [],
      fingerprint: keys[0]!.fingerprint,
      sessionKeys,
      signers,
      signatureRequired,
      now,
      maxBytes,
      proves,
    };
    try {
      sessionKeys = yield* decrypt(input.chunks, reading, { pause, hear: input.step });
    } catch (error) {
      throw input.failure() ?? error;
    }
  }

  const name = drop.name.replace(NAMED, "");
  return {
    drop: {
      ...drop,
      name: name === "" ? drop.name : name,
      open: () => streamOf(read(() => Promise.resolve(), false)),
    },
    async prove(step) {
      for await (const _ of read(step, true)) {
        // A proof yields nothing.
      }
    },
  };
}

/** The message of a drop without its armor, and the message's head. */
async function openBinary(drop: DropSource) {
  const received = () => bytesOf(drop);
  const first = await readHead(received());
  const isBinary = parsePgpHead(first) !== null;
  const label = isBinary ? null : armorLabel(first);
  if (label !== null && label !== "MESSAGE") throw notAMessage(label);
  const binary = label === null ? received : () => fromArmor(received());
  return { binary, head: requireOpenable(parsePgpHead(label === null ? first : await readHead(binary()))) };
}

/**
 * Counts the bytes of a drop while they are read, and calls `step` now and then. An error of the drop or of `step` is
 * not the message's: it is noted, so that it can be rethrown as it is.
 */
function countInput(source: AsyncIterable<Uint8Array>, step: Step) {
  let failure: unknown;
  let bytes = 0;
  const fail = (error: unknown): never => {
    throw failure = error;
  };
  const stepOn = () => step(bytes).catch(fail);
  async function* chunks(): AsyncGenerator<Uint8Array, void> {
    let since = 0;
    try {
      for await (const chunk of source) {
        bytes += chunk.length;
        since += chunk.length;
        if (since >= STEP_BYTES) {
          since = 0;
          await stepOn();
        }
        yield chunk;
      }
    } catch (error) {
      fail(error);
    }
  }
  return { chunks: chunks(), step: stepOn, failure: () => failure };
}

/** Throws for a drop that cannot be decrypted with any key. */
function requireOpenable(head: PgpHead | null): PgpHead {
  if (head === null) {
    throw decryptionFailed(
      "The file is named like an encrypted one, but is not an OpenPGP message: encrypt it again, or send it with a name " +
        "that fits its content, like people.csv",
    );
  }
  if (head.data === "plain") {
    throw decryptionFailed(
      "The file is an OpenPGP message that is not encrypted, only signed or packed: encrypt it with the connection's key",
    );
  }
  if (head.data === "unproven") {
    throw new Fault(
      "input_incomplete",
      "The file is encrypted in an old way that cannot prove that it is whole: encrypt it with integrity protection " +
        "(MDC), which every newer program does by default",
    );
  }
  if (head.data === "huge") {
    throw decryptionFailed("The file is encrypted in pieces of more than 4 MiB: encrypt it in smaller ones");
  }
  return head;
}

/** The own keys that may open the message. Throws when there are none. */
function findKeys({ recipients }: PgpHead, own: readonly OwnKey[]): readonly OwnKey[] {
  const active = own.filter((key) => key.retired === null);
  const remedy = active[0] === undefined
    ? "make a key for the connection first, then encrypt the file with it"
    : `encrypt it with the connection's key ${active[0].fingerprint}`;
  if (recipients.length === 0) throw noKey(`with a password, which the hub does not have: ${remedy}`);
  const isRecipient = (key: OwnKey) => key.keyIds.some((id) => recipients.includes(id));
  const fitting = recipients.includes(null) ? active : active.filter(isRecipient);
  const meant = recipients.filter((id) => id === null || fitting.some(({ keyIds }) => keyIds.includes(id)));
  if (recipients.length > MAX_RECIPIENTS || meant.length * fitting.length > MAX_TRIES) {
    throw noKey(`for ${recipients.length} keys, which are too many to try: ${remedy} alone`);
  }
  if (fitting.length > 0) return fitting;
  const retired = own.find(isRecipient);
  if (retired !== undefined) {
    throw noKey(`with the key ${retired.fingerprint}, which was retired on ${retired.retired}: ${remedy}`);
  }
  if (own.length === 0) {
    throw decryptionFailed(`The file is encrypted, and the connection has no key to open it with: ${remedy}`);
  }
  const named = recipients.flatMap((id) => id ?? []).slice(0, 5).join(", ");
  const other = named === "" ? "another key" : `the key ${named}`;
  throw noKey(`with ${other}, which is not one of the connection's: ${remedy}`);
}

function noKey(how: string): Fault {
  return decryptionFailed(`The file is encrypted ${how}`);
}

function notAMessage(label: string): Fault {
  const what = label.includes("PRIVATE") || label.includes("SECRET")
    ? "a private key: keep it to yourself, make a new one, and send the encrypted file"
    : label.includes("PUBLIC")
    ? "a public key: register it on the connection, and send the encrypted file here"
    : "signed but not encrypted: encrypt it with the connection's key";
  return decryptionFailed(`The file is ${what}`);
}

function bytesOf(drop: DropSource): AsyncIterable<Uint8Array> {
  return drop.open() as unknown as AsyncIterable<Uint8Array>;
}

/** The first HEAD_BYTES, or all there are. */
async function readHead(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const head = new Uint8Array(HEAD_BYTES);
  let used = 0;
  for await (const chunk of chunks) {
    const part = chunk.subarray(0, HEAD_BYTES - used);
    head.set(part, used);
    used += part.length;
    if (used === HEAD_BYTES) break;
  }
  return head.subarray(0, used);
}
