/**
 * Encrypted drops: a drop that is an OpenPGP message goes in, a drop of what is in it comes out, decrypted as it is read.
 *
 * Before anything of it is used it has to be proven: read to its end once, that it is whole, unchanged, no larger than a
 * drop may be, and signed where it has to be. Nothing that was decrypted is kept; each reading decrypts anew, with the
 * session key that the proof has found. Memory does not grow with the input, nor with what it unpacks to. No clock.
 */
import {
  config as defaults,
  decrypt,
  type DecryptMessageResult,
  decryptSessionKeys,
  type Message,
  readKey,
  readMessage,
  readPrivateKey,
  type SessionKey,
} from "openpgp";
import type { DropSource } from "../connector.ts";
import { Fault } from "../errors.ts";
import { armorLabel, beginsWithArmor, fromArmor } from "./armor.ts";
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

/** A public key whose signatures count, armored. */
export interface Signer {
  readonly fingerprint: string;
  readonly keyIds: readonly string[];
  readonly publicKey: string;
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
  /** Comes back after a second or so; at once when it is told to. */
  pause(signal: AbortSignal): Promise<void>;
}

export interface EncryptedDrop {
  /** What is in it. Not to be read for any purpose before `prove` has returned. */
  readonly drop: DropSource;
  /** Reads all of it; `step` hears how many bytes of the drop have been read, now and then. Throws the Faults. */
  prove(step: (bytes: number) => Promise<void>): Promise<void>;
}

const NAMED = /\.(?:pgp|gpg|asc)$/i;
/** What is unpacked of one piece before anybody can object: a thousand times as much at worst. */
const PIECE_BYTES = { before: 1024, after: 16 * 1024 };
/** How far unpacking may be ahead of what has come out: before the first byte, and after it. */
const HEADROOM_BYTES = { before: 4 * 1024 * 1024, after: 64 * 1024 * 1024 };
/** AEAD's pieces are decrypted side by side, one on each core. */
const AEAD_HEADROOM_BYTES = 512 * 1024 * 1024;
const MAX_SIGNATURES = 10;
/** How much clocks may differ. */
const SKEW_MS = 60 * 60 * 1000;
const STEP_BYTES = 256 * 1024;
/** Pauses in a row in which nothing moved. */
const MAX_PAUSES = 10;
const TRY_AGAIN = "encrypt the file again and send it again";

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
  let sessionKeys: SessionKey[] | null = null;
  const name = drop.name.replace(NAMED, "");
  return {
    drop: {
      ...drop,
      name: name === "" ? drop.name : name,
      open: () => streamOf(decryptAll(binary(), { head: head!, sessionKeys: () => sessionKeys!, decryption })),
    },
    async prove(step) {
      const armored = await Promise.all(keys.map((key) => key.open()));
      const privateKeys = await Promise.all(armored.map((armoredKey) => readPrivateKey({ armoredKey })));
      const open = async (message: Message<ReadableStream<Uint8Array>>) => {
        try {
          // Found once: private keys are not needed again.
          sessionKeys = await decryptSessionKeys({
            message,
            decryptionKeys: privateKeys,
            date: new Date(decryption.now),
          }) as SessionKey[];
        } catch (cause) {
          throw new Fault(
            "decryption_failed",
            `The file names the key ${keys[0]!.fingerprint}, but that key does not open it: ${TRY_AGAIN}`,
            { cause },
          );
        }
        return sessionKeys;
      };
      for await (const _ of decryptAll(binary(), { head: head!, sessionKeys: open, decryption, step, proves: true })) {
        // Only that it comes to its end counts.
      }
    },
  };
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

interface Reading {
  readonly head: PgpHead;
  readonly sessionKeys: (message: Message<ReadableStream<Uint8Array>>) => Promise<SessionKey[]> | SessionKey[];
  readonly decryption: Decryption;
  readonly step?: (bytes: number) => Promise<void>;
  /** Whether signatures are looked at. */
  readonly proves?: boolean;
}

/** What is in the message. At its end it is proven whole; what came before may have been made by anybody. */
async function* decryptAll(
  chunks: AsyncIterable<Uint8Array>,
  { head, sessionKeys, decryption, step, proves = false }: Reading,
): AsyncGenerator<Uint8Array, void> {
  const { signers, maxBytes } = decryption;
  const meter: Meter = { pulled: 0, out: 0, begun: false, fetching: false };
  const headroom = () =>
    head.data === "aead" ? AEAD_HEADROOM_BYTES : meter.begun ? HEADROOM_BYTES.after : HEADROOM_BYTES.before;
  // The library wraps whatever stops it; what the drop itself said is thrown on as it is.
  const said: { error?: unknown } = {};
  const input = streamOf(pieces(chunks, meter, headroom, said));
  let reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  const watch = createWatch(meter, decryption.pause);
  try {
    const message = await watch.over(readMessage({ binaryMessage: input })) as unknown as Message<
      ReadableStream<Uint8Array>
    >;
    const keys = await sessionKeys(message);
    // Read at each piece, unlike what is handed to `decrypt`: unpacking stops as soon as it runs ahead of what came out.
    // But bzip2 is told only once, by the first who asks, how much there may be at all.
    let isTold = false;
    const config = Object.defineProperties({ ...defaults, allowUnauthenticatedStream: true }, {
      maxDecompressedMessageSize: {
        get() {
          if (isTold) return meter.out + (meter.begun ? HEADROOM_BYTES.after : HEADROOM_BYTES.before);
          isTold = true;
          return maxBytes + HEADROOM_BYTES.after;
        },
        enumerable: true,
      },
    });
    const inner = message.decrypt.bind(message);
    message.decrypt = async (own, passwords, given, date) => {
      const opened = await inner(own, passwords, given, date, config);
      // Looked at before the library looks for the key of each.
      if (opened.getSigningKeyIDs().length > MAX_SIGNATURES) throw said.error = tooManySignatures();
      return opened;
    };
    const verificationKeys = proves
      ? await Promise.all(signers.map(({ publicKey }) => readKey({ armoredKey: publicKey })))
      : [];
    const opened = await watch.over(decrypt({
      message,
      sessionKeys: keys,
      verificationKeys,
      format: "binary",
      date: new Date(decryption.now + SKEW_MS),
    })) as unknown as Opened;
    meter.begun = true;
    reader = opened.data.getReader();
    let told = 0;
    for (;;) {
      const { done, value } = await watch.over(reader.read());
      if (done) break;
      meter.out += value.length;
      if (meter.out > maxBytes) throw tooLarge(maxBytes);
      if (step !== undefined && meter.pulled - told >= STEP_BYTES) await step(told = meter.pulled);
      if (value.length > 0) yield value;
    }
    reader = null;
    if (proves) await watch.over(checkSignatures(opened.signatures, decryption));
  } catch (error) {
    if (said.error !== undefined) throw said.error;
    if (error instanceof Fault) throw error;
    throw faultOf(error, maxBytes);
  } finally {
    watch.end();
    // Not waited for: what has got stuck never answers.
    reader?.cancel().catch(() => {});
  }
}

interface Meter {
  /** Bytes of the message that were taken, and of what is in it that came out. */
  pulled: number;
  out: number;
  begun: boolean;
  /** The drop is asked for more, and may take its time. */
  fetching: boolean;
}

/**
 * The library can wait for itself for ever where a message is damaged: a stream that failed is not always let go of. Then
 * nothing moves any more, neither in nor out.
 */
function createWatch(meter: Meter, pause: Decryption["pause"]) {
  const end = new AbortController();
  let waits = false;
  const stuck = new Promise<never>((_, reject) => {
    const look = async () => {
      for (let still = 0, before = -1; still < MAX_PAUSES;) {
        await pause(end.signal);
        if (end.signal.aborted) return;
        const now = meter.pulled + meter.out;
        still = waits && !meter.fetching && now === before ? still + 1 : 0;
        before = now;
      }
      reject(new Error("Nothing comes out of the message any more"));
    };
    void look();
  });
  stuck.catch(() => {});
  return {
    async over<T>(work: Promise<T>): Promise<T> {
      waits = true;
      try {
        return await Promise.race([work, stuck]);
      } finally {
        waits = false;
      }
    },
    end: () => end.abort(),
  };
}

type Opened = Pick<DecryptMessageResult, "signatures"> & { readonly data: ReadableStream<Uint8Array> };

async function checkSignatures(
  signatures: Opened["signatures"],
  { signers, signatureRequired }: Decryption,
): Promise<void> {
  if (signatureRequired && signers.length === 0) {
    throw new Fault(
      "decryption_failed",
      "The connection takes only signed files, and knows no key to verify them with: register the sender's public key",
    );
  }
  const mine = (id: string) => signers.some(({ keyIds }) => keyIds.includes(id));
  let good = false;
  for (const { keyID, verified } of signatures) {
    const id = keyID.toHex().toUpperCase();
    if (!mine(id)) continue;
    try {
      await verified;
      good = true;
    } catch (cause) {
      throw new Fault(
        "decryption_failed",
        `The signature of the key ${id} is not good (${reasonOf(cause)}): sign the file again with a key that is valid`,
        { cause },
      );
    }
  }
  if (good || !signatureRequired) return;
  const expected = signers.map(({ fingerprint }) => fingerprint).join(" or ");
  throw new Fault(
    "decryption_failed",
    signatures.length === 0
      ? `The file is not signed, and this connection takes only signed files: sign it with the key ${expected}`
      : `The file is signed with the key ${
        signatures[0]!.keyID.toHex().toUpperCase()
      }, which is not registered here: ` +
        `sign it with the key ${expected}, or register the other one`,
  );
}

/** The drop in small pieces, counted; stops when far more has gone in than came out. */
async function* pieces(
  chunks: AsyncIterable<Uint8Array>,
  meter: Meter,
  headroom: () => number,
  said: { error?: unknown },
): AsyncGenerator<Uint8Array, void> {
  try {
    meter.fetching = true;
    for await (const chunk of chunks) {
      meter.fetching = false;
      for (let at = 0; at < chunk.length;) {
        if (meter.pulled - meter.out > headroom()) throw tooMuchInside();
        const piece = chunk.subarray(at, at + (meter.begun ? PIECE_BYTES.after : PIECE_BYTES.before));
        at += piece.length;
        meter.pulled += piece.length;
        yield piece;
      }
      meter.fetching = true;
    }
  } catch (error) {
    throw said.error = error;
  } finally {
    meter.fetching = false;
  }
}

/** What the library says of a message that the session key has opened: all of it means that it is not as it was sent. */
function faultOf(error: unknown, maxBytes: number): Fault {
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

function tooManySignatures(): Fault {
  return new Fault("decryption_failed", `The file has more than ${MAX_SIGNATURES} signatures: sign it once`);
}

function tooMuchInside(cause?: unknown): Fault {
  return new Fault(
    "too_large",
    "The encrypted file unpacks to far more than people's data does: encrypt the plain CSV or JSON file, packed once",
    { cause },
  );
}

function tooLarge(maxBytes: number): Fault {
  return new Fault(
    "too_large",
    `What is in the encrypted file is over the limit of ${maxBytes} bytes: send it in parts`,
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

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/^Error decrypting message: /, "");
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

/** Nothing is read before it is asked for. */
function streamOf(bytes: AsyncGenerator<Uint8Array, void>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await bytes.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      await bytes.return();
    },
  }, { highWaterMark: 0 });
}
