/**
 * Decrypts and verifies an OpenPGP message: bytes and keys go in, the content comes out as it is read.
 *
 * A stranger's message is bounded: how much of it is read, how far it unpacks, how long it may take, how many keys are
 * tried. Memory does not grow with the input, nor with what it unpacks to. No clock.
 */
import { streamOf } from "../std/streams.ts";
import type { DecryptMessageResult, Message, SessionKey } from "openpgp";
import { Fault } from "../model/errors.ts";
import {
  type Around,
  createMeter,
  createUnpackLimit,
  createWatch,
  elapsed,
  type Meter,
  meterInput,
  meterOutput,
  noteFailure,
} from "./decrypt-bounds.ts";
import { decryptionFailed, faultOf, TRY_AGAIN } from "./decrypt-faults.ts";
import { checkSignatures, refuseManySignatures, type Signer } from "./decrypt-signatures.ts";
import type { PgpHead } from "./pgp-head.ts";

/** Everything known before the message is read. Can be posted to another thread. */
export interface Reading {
  readonly data: PgpHead["data"];
  /** Armored private keys, all of which are tried, and the fingerprint of the first. */
  readonly privateKeys: readonly string[];
  readonly fingerprint: string;
  /** Found by an earlier reading, which then needs no private keys. */
  readonly sessionKeys: readonly SessionKey[] | null;
  readonly signers: readonly Signer[];
  readonly signatureRequired: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Limit of the content, in bytes. */
  readonly maxBytes: number;
  /**
   * Whether this reading only proves that the message is whole and signed: it verifies signatures and yields nothing.
   */
  readonly proves: boolean;
}

/** Decrypts a message, in this thread or in another; returns its session keys at its end. Throws Faults. */
export type Decrypt = (
  chunks: AsyncIterable<Uint8Array>,
  reading: Reading,
  around: Around,
) => AsyncGenerator<Uint8Array, readonly SessionKey[]>;

type StreamedMessage = Message<ReadableStream<Uint8Array>>;
type Opened = Pick<DecryptMessageResult, "signatures"> & { readonly data: ReadableStream<Uint8Array> };

/** Loaded when the first message comes: it is large, and most hubs see none. */
const library = () => import("openpgp");

/** A message has one; others may come from keys that open a packet by chance. */
const MAX_SESSION_KEYS = 3;
/** How much clocks may differ. */
const SKEW_MS = 60 * 60 * 1000;

/** Yields the content. Only its end proves that the message is whole; until then, anybody may have made it. */
export async function* decryptMessage(
  chunks: AsyncIterable<Uint8Array>,
  reading: Reading,
  around: Around,
): AsyncGenerator<Uint8Array, readonly SessionKey[]> {
  const { maxBytes, proves } = reading;
  const meter = createMeter(around);
  const input = streamOf(meterInput(chunks, meter, reading.data));
  let reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  const watch = createWatch(meter);
  try {
    const { readMessage } = await library();
    const message = await watch.over(readMessage({ binaryMessage: input })) as unknown as StreamedMessage;
    const sessionKeys = reading.sessionKeys ?? await watch.over(findSessionKeys(message, reading));
    const opened = await watch.over(open(message, sessionKeys, reading, meter));
    meter.begun = true;
    reader = opened.data.getReader();
    for (;;) {
      const { done, value } = await watch.over(reader.read());
      if (done) break;
      meterOutput(meter, value.length, maxBytes);
      if (value.length > 0 && !proves) {
        const from = elapsed(around);
        yield value;
        // The reader's time does not count against the message.
        meter.waitedMs += elapsed(around) - from;
      }
    }
    reader = null;
    meter.ended = true;
    if (proves) await watch.over(checkSignatures(opened.signatures, reading));
    return sessionKeys;
  } catch (error) {
    if (meter.failure !== null) throw meter.failure.error;
    if (error instanceof Fault) throw error;
    throw faultOf(error, maxBytes);
  } finally {
    watch.end();
    // Not awaited: a stream that is stuck never answers.
    reader?.cancel().catch(() => {});
  }
}

/** Throws when none of the keys opens the message. */
async function findSessionKeys(
  message: StreamedMessage,
  { privateKeys, fingerprint, now }: Reading,
): Promise<readonly SessionKey[]> {
  const { decryptSessionKeys, readPrivateKey } = await library();
  const decryptionKeys = await Promise.all(privateKeys.map((armoredKey) => readPrivateKey({ armoredKey })));
  let found: SessionKey[];
  try {
    found = await decryptSessionKeys({ message, decryptionKeys, date: new Date(now) }) as SessionKey[];
  } catch (cause) {
    throw decryptionFailed(
      `The file names the key ${fingerprint}, but that key does not open it: ${TRY_AGAIN}`,
      cause,
    );
  }
  // Each of them would be tried on the data.
  if (found.length > MAX_SESSION_KEYS) {
    throw decryptionFailed(`The file has ${found.length} session keys, and should have one: ${TRY_AGAIN}`);
  }
  return found;
}

async function open(
  message: StreamedMessage,
  sessionKeys: readonly SessionKey[],
  { signers, maxBytes, proves, now }: Reading,
  meter: Meter,
): Promise<Opened> {
  const { config: defaults, decrypt, readKey } = await library();
  // A getter, unlike a value that is passed to `decrypt`, is read at each piece.
  const config = Object.defineProperties({ ...defaults, allowUnauthenticatedStream: true }, {
    maxDecompressedMessageSize: { get: createUnpackLimit(meter, maxBytes), enumerable: true },
  });
  const inner = message.decrypt.bind(message);
  message.decrypt = async (own, passwords, given, date) => {
    const opened = await inner(own, passwords, given, date, config);
    // Signatures are counted before the library looks for the key of each.
    try {
      refuseManySignatures(opened.getSigningKeyIDs().length);
    } catch (fault) {
      throw noteFailure(meter, fault);
    }
    return opened;
  };
  const verificationKeys = proves
    ? await Promise.all(signers.map(({ publicKey }) => readKey({ armoredKey: publicKey })))
    : [];
  return await decrypt({
    message,
    sessionKeys: [...sessionKeys],
    verificationKeys,
    format: "binary",
    date: new Date(now + SKEW_MS),
  }) as unknown as Opened;
}
