/**
 * An OpenPGP message is decrypted and verified: bytes and keys go in, what is in the message comes out as it is read.
 *
 * What a stranger has made is bounded by what came out of it so far: how much of it is read, how far it unpacks, how long
 * it may take, how many keys are tried. Memory does not grow with the input, nor with what it unpacks to. No clock.
 */
import type { DecryptMessageResult, Message, SessionKey } from "openpgp";
import { Fault } from "../model/errors.ts";
import { UNPACKED } from "../model/limits.ts";
import type { PgpHead } from "./pgp-head.ts";

/** A public key whose signatures count, armored. */
export interface Signer {
  readonly fingerprint: string;
  readonly keyIds: readonly string[];
  readonly publicKey: string;
}

/** What is known before the message is read. All of it can be handed to another thread. */
export interface Reading {
  readonly data: PgpHead["data"];
  /** Armored private keys, which are tried, and the fingerprint of the first. */
  readonly privateKeys: readonly string[];
  readonly fingerprint: string;
  /** What an earlier reading has found with them; they are not needed again. */
  readonly sessionKeys: readonly SessionKey[] | null;
  readonly signers: readonly Signer[];
  readonly signatureRequired: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Of what is in the message, in bytes. */
  readonly maxBytes: number;
  /** Whether signatures are looked at, and only that it comes to its end counts: nothing is given of what is in it. */
  readonly proves: boolean;
}

export interface Around {
  /** Comes back after a moment; at once when it is told to. */
  pause(signal: AbortSignal): Promise<void>;
  /** Milliseconds of any clock that only goes forward; absent where time stands still while work is done. */
  readonly elapsedMs?: () => number;
  /** To be called now and then by whoever decrypts beside this thread, so that the run is known to live. */
  readonly hear?: () => Promise<void>;
}

/** Decrypts a message, in this thread or in another; gives its session keys at its end. Throws Faults. */
export type Decrypt = (
  chunks: AsyncIterable<Uint8Array>,
  reading: Reading,
  around: Around,
) => AsyncGenerator<Uint8Array, readonly SessionKey[]>;

/** Loaded when the first message comes: it is large, and most hubs see none. */
const library = () => import("openpgp");

/** What is unpacked of one piece before anybody can object: a thousand times as much at worst. */
const PIECE_BYTES = { before: 1024, after: 16 * 1024 };
/** How far reading may be ahead of what has come out: before the first byte, and after it. */
const HEADROOM_BYTES = { before: 2 * 1024 * 1024, after: 64 * 1024 * 1024 };
/** And unpacking: bzip2 makes blocks of 900 KB, of which a runtime's streams hold some before they hand one on. */
const UNPACKED_BYTES = { before: 8 * 1024 * 1024, after: 64 * 1024 * 1024 };
/** What may come behind the data: signatures. As pieces are decrypted ahead, some of it has been read before. */
const BEHIND_BYTES = 1024 * 1024;
/** AEAD's pieces are decrypted side by side, one on each core. */
const AEAD_HEADROOM_BYTES = 512 * 1024 * 1024;
/** What any message may take, and how much has to move in each second beyond. */
const FREE_MS = 20_000, MIN_BYTES_PER_MS = 512;
/** How often unpacking is looked at before anything comes out: once for each level of what is packed, and each piece. */
const MAX_LOOKS = 256;
const MAX_SIGNATURES = 10;
/** A message has one; others may come of keys that open a thing by chance. */
const MAX_SESSION_KEYS = 3;
/** How much clocks may differ. */
const SKEW_MS = 60 * 60 * 1000;
/** Pauses in a row in which nothing moved. */
const MAX_PAUSES = 10;
const TRY_AGAIN = "encrypt the file again and send it again";

/** What is in the message. At its end it is proven whole; what came before may have been made by anybody. */
export async function* decryptMessage(
  chunks: AsyncIterable<Uint8Array>,
  reading: Reading,
  around: Around,
): AsyncGenerator<Uint8Array, readonly SessionKey[]> {
  const { maxBytes, proves } = reading;
  const meter: Meter = { pulled: 0, out: 0, begun: false, ended: false, fetching: false, waitedMs: 0 };
  // What is said here is thrown on as it is: the library says of everything that the message is damaged.
  const failure: Failure = {};
  const requireProgress = createProgressCheck(meter, around);
  const input = streamOf(pieces(timed(chunks, meter, around), meter, reading.data, failure, requireProgress));
  let reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  const watch = createWatch(meter, around.pause);
  try {
    const { readMessage } = await library();
    const message = await watch.over(readMessage({ binaryMessage: input })) as unknown as Message<
      ReadableStream<Uint8Array>
    >;
    const sessionKeys = reading.sessionKeys ?? await watch.over(findSessionKeys(message, reading));
    const opened = await watch.over(open(message, sessionKeys, reading, meter, failure));
    meter.begun = true;
    reader = opened.data.getReader();
    for (;;) {
      const { done, value } = await watch.over(reader.read());
      if (done) break;
      meter.out += value.length;
      if (meter.out > maxBytes) throw tooLarge(maxBytes);
      if (meter.out > UNPACKED.freeBytes + UNPACKED.ratio * meter.pulled) throw tooMuchInside();
      requireProgress();
      if (value.length > 0 && !proves) {
        const from = around.elapsedMs?.() ?? 0;
        yield value;
        meter.waitedMs += (around.elapsedMs?.() ?? 0) - from;
      }
    }
    reader = null;
    meter.ended = true;
    if (proves) await watch.over(checkSignatures(opened.signatures, reading));
    return sessionKeys;
  } catch (error) {
    if (failure.error !== undefined) throw failure.error;
    if (error instanceof Fault) throw error;
    throw faultOf(error, maxBytes);
  } finally {
    watch.end();
    // Not waited for: what has got stuck never answers.
    reader?.cancel().catch(() => {});
  }
}

/** What was found to be wrong outside of the library. */
interface Failure {
  error?: unknown;
}

/** Throws where none of the keys opens the message. */
async function findSessionKeys(
  message: Message<ReadableStream<Uint8Array>>,
  { privateKeys, fingerprint, now }: Reading,
): Promise<readonly SessionKey[]> {
  const { decryptSessionKeys, readPrivateKey } = await library();
  const decryptionKeys = await Promise.all(privateKeys.map((armoredKey) => readPrivateKey({ armoredKey })));
  let found: SessionKey[];
  try {
    found = await decryptSessionKeys({ message, decryptionKeys, date: new Date(now) }) as SessionKey[];
  } catch (cause) {
    throw new Fault(
      "decryption_failed",
      `The file names the key ${fingerprint}, but that key does not open it: ${TRY_AGAIN}`,
      { cause },
    );
  }
  // Each of them would be tried on the data.
  if (found.length > MAX_SESSION_KEYS) {
    throw new Fault(
      "decryption_failed",
      `The file has ${found.length} session keys, and should have one: ${TRY_AGAIN}`,
    );
  }
  return found;
}

async function open(
  message: Message<ReadableStream<Uint8Array>>,
  sessionKeys: readonly SessionKey[],
  { signers, maxBytes, proves, now }: Reading,
  meter: Meter,
  failure: Failure,
): Promise<Opened> {
  const { config: defaults, decrypt, readKey } = await library();
  // Read at each piece, unlike what is handed to `decrypt`: unpacking stops as soon as it runs ahead of what came out.
  // But bzip2 is told only once, by the first who asks, how much there may be at all.
  let looks = 0;
  const config = Object.defineProperties({ ...defaults, allowUnauthenticatedStream: true }, {
    maxDecompressedMessageSize: {
      get() {
        if (looks++ === 0) return maxBytes + UNPACKED_BYTES.after;
        if (!meter.begun && looks > MAX_LOOKS) throw failure.error = tooMuchInside();
        return meter.out + (meter.ended ? BEHIND_BYTES : meter.begun ? UNPACKED_BYTES.after : UNPACKED_BYTES.before);
      },
      enumerable: true,
    },
  });
  const inner = message.decrypt.bind(message);
  message.decrypt = async (own, passwords, given, date) => {
    const opened = await inner(own, passwords, given, date, config);
    // Looked at before the library looks for the key of each.
    if (opened.getSigningKeyIDs().length > MAX_SIGNATURES) throw failure.error = tooManySignatures();
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

interface Meter {
  /** Bytes of the message that were taken, and of what is in it that came out. */
  pulled: number;
  out: number;
  begun: boolean;
  /** All of the data came out; signatures may follow. */
  ended: boolean;
  /** The drop is asked for more, and may take its time. */
  fetching: boolean;
  /** How long it was not the message's turn. */
  waitedMs: number;
}

/** Throws where the message takes too long for what moves. Time that others take does not count. */
function createProgressCheck(meter: Meter, { elapsedMs }: Around): () => void {
  const start = elapsedMs?.() ?? 0;
  return () => {
    const worked = (elapsedMs?.() ?? 0) - start - meter.waitedMs;
    if (worked > FREE_MS + (meter.pulled + meter.out) / MIN_BYTES_PER_MS) throw tooMuchWork();
  };
}

/**
 * The library can wait for itself for ever where a message is damaged: a stream that failed is not always let go of. Then
 * nothing moves any more, neither in nor out.
 */
function createWatch(meter: Meter, pause: Around["pause"]) {
  const end = new AbortController();
  /** Of whoever waits now. */
  let giveUp: ((error: Error) => void) | null = null;
  const look = async () => {
    for (let still = 0, before = -1; still < MAX_PAUSES;) {
      await pause(end.signal);
      if (end.signal.aborted) return;
      const now = meter.pulled + meter.out;
      still = giveUp !== null && !meter.fetching && now === before ? still + 1 : 0;
      before = now;
    }
    giveUp?.(new Error("Nothing comes out of the message any more"));
  };
  void look();
  return {
    // Not by Promise.race with one promise for all: that one would hold whatever came out until its end.
    async over<T>(work: Promise<T>): Promise<T> {
      try {
        return await new Promise<T>((resolve, reject) => {
          giveUp = reject;
          work.then(resolve, reject);
        });
      } finally {
        giveUp = null;
      }
    },
    end: () => end.abort(),
  };
}

type Opened = Pick<DecryptMessageResult, "signatures"> & { readonly data: ReadableStream<Uint8Array> };

async function checkSignatures(
  signatures: Opened["signatures"],
  { signers, signatureRequired }: Reading,
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

/** The chunks; what their coming takes is no work of the message's. */
async function* timed(
  chunks: AsyncIterable<Uint8Array>,
  meter: Meter,
  { elapsedMs = () => 0 }: Around,
): AsyncGenerator<Uint8Array, void> {
  let from = elapsedMs();
  for await (const chunk of chunks) {
    meter.waitedMs += elapsedMs() - from;
    yield chunk;
    from = elapsedMs();
  }
}

/** The message in small pieces, counted; stops when far more has gone in than came out. */
async function* pieces(
  chunks: AsyncIterable<Uint8Array>,
  meter: Meter,
  data: PgpHead["data"],
  failure: Failure,
  requireProgress: () => void,
): AsyncGenerator<Uint8Array, void> {
  /** What had been read when the data came to its end. */
  let end: number | null = null;
  const requireRoom = () => {
    if (meter.ended) end ??= meter.pulled;
    const before = data === "aead" ? AEAD_HEADROOM_BYTES : HEADROOM_BYTES.before;
    const after = data === "aead" ? AEAD_HEADROOM_BYTES : HEADROOM_BYTES.after;
    if (end !== null && meter.pulled - end > BEHIND_BYTES) throw tooMuchInside();
    if (meter.pulled - meter.out > (meter.begun ? after : before)) throw tooMuchInside();
    requireProgress();
  };
  try {
    meter.fetching = true;
    for await (const chunk of chunks) {
      meter.fetching = false;
      for (let at = 0; at < chunk.length;) {
        requireRoom();
        const piece = chunk.subarray(at, at + (meter.begun ? PIECE_BYTES.after : PIECE_BYTES.before));
        at += piece.length;
        meter.pulled += piece.length;
        yield piece;
      }
      meter.fetching = true;
    }
  } catch (error) {
    throw failure.error = error;
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

/** Whoever decrypts beside the runner says the same of what does not come to an end at all. */
export function tooMuchWork(): Fault {
  return new Fault(
    "decryption_failed",
    "The encrypted file takes far longer to open than people's data does: encrypt the plain CSV or JSON file with " +
      "another program, or without unusual options",
  );
}

function tooLarge(maxBytes: number): Fault {
  return new Fault(
    "too_large",
    `What is in the encrypted file is over the limit of ${maxBytes} bytes: send it in parts`,
  );
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/^Error decrypting message: /, "");
}

/** Nothing is read before it is asked for. */
export function streamOf(bytes: AsyncGenerator<Uint8Array, void>): ReadableStream<Uint8Array> {
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
