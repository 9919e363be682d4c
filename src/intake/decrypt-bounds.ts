/**
 * Bounds for the decryption of a stranger's message, by what came out of it so far: how much of it is read, how far it
 * unpacks, how long it takes, and how long nothing may move. Memory does not grow with the input, nor with what it
 * unpacks to. Clock and pauses are passed in.
 */
import { UNPACKED } from "../model/limits.ts";
import { tooLarge, tooMuchInside, tooMuchWork } from "./decrypt-faults.ts";
import type { PgpHead } from "./pgp-head.ts";

/** The outside of a decryption. */
export interface Around {
  /** Resolves after a moment, or at once when the signal aborts. */
  pause(signal: AbortSignal): Promise<void>;
  /** Milliseconds of any monotonic clock; absent where the runtime's clock does not advance during work. */
  readonly elapsedMs?: () => number;
  /** Called now and then by a decryption in another thread, to show that the run is alive. */
  readonly hear?: () => Promise<void>;
}

/** Size of the pieces that the library reads: a piece can unpack a thousandfold before a check can stop it. */
const PIECE_BYTES = { before: 1024, after: 16 * 1024 };
/** How far reading may be ahead of the output: before the first byte of output, and after it. */
const HEADROOM_BYTES = { before: 2 * 1024 * 1024, after: 64 * 1024 * 1024 };
/** AEAD's pieces are decrypted in parallel, one on each core. */
const AEAD_HEADROOM_BYTES = { before: 512 * 1024 * 1024, after: 512 * 1024 * 1024 };
/** The same for unpacking: bzip2 makes blocks of 900 KB, and a runtime's streams buffer some of them. */
const UNPACKED_BYTES = { before: 8 * 1024 * 1024, after: 64 * 1024 * 1024 };
/** Signatures may follow the data. As pieces are decrypted ahead, some of them have been read before. */
const BEHIND_BYTES = 1024 * 1024;
/** Time that every message may take, and the least throughput after that. */
const FREE_MS = 20_000, MIN_BYTES_PER_MS = 512;
/**
 * How often the library may ask for the unpacking limit before any output: once for each level of packing and each
 * piece.
 */
const MAX_LOOKS = 256;
/** Pauses in a row in which nothing moved. */
const MAX_PAUSES = 10;

export interface Meter {
  readonly around: Around;
  readonly startMs: number;
  /** Bytes of the message that were read. */
  pulled: number;
  /** Bytes of its content that came out. */
  out: number;
  begun: boolean;
  /** All of the content came out; signatures may follow. */
  ended: boolean;
  /** The drop is being read, which may take its time. */
  fetching: boolean;
  /** Time spent waiting for others: for the drop, and for the reader of the content. */
  waitedMs: number;
  /** An error from outside of the library, which would report it as a damaged message. It is rethrown as it is. */
  failure: { readonly error: unknown } | null;
}

export function createMeter(around: Around): Meter {
  return {
    around,
    startMs: elapsed(around),
    pulled: 0,
    out: 0,
    begun: false,
    ended: false,
    fetching: false,
    waitedMs: 0,
    failure: null,
  };
}

/** Notes an error from outside of the library, and returns it. */
export function noteFailure(meter: Meter, error: unknown): unknown {
  meter.failure = { error };
  return error;
}

/** The message in small pieces, counted. Throws when far more is read than comes out. */
export async function* meterInput(
  chunks: AsyncIterable<Uint8Array>,
  meter: Meter,
  data: PgpHead["data"],
): AsyncGenerator<Uint8Array, void> {
  const headroom = data === "aead" ? AEAD_HEADROOM_BYTES : HEADROOM_BYTES;
  /** What had been read when the data came to its end. */
  let end: number | null = null;
  try {
    for await (const chunk of fetched(chunks, meter)) {
      for (let at = 0; at < chunk.length;) {
        if (meter.ended) end ??= meter.pulled;
        if (end !== null && meter.pulled - end > BEHIND_BYTES) throw tooMuchInside();
        if (meter.pulled - meter.out > (meter.begun ? headroom.after : headroom.before)) throw tooMuchInside();
        requireProgress(meter);
        const piece = chunk.subarray(at, at + (meter.begun ? PIECE_BYTES.after : PIECE_BYTES.before));
        at += piece.length;
        meter.pulled += piece.length;
        yield piece;
      }
    }
  } catch (error) {
    throw noteFailure(meter, error);
  }
}

/** The chunks. The time until each comes counts as waiting. */
async function* fetched(chunks: AsyncIterable<Uint8Array>, meter: Meter): AsyncGenerator<Uint8Array, void> {
  let from = elapsed(meter.around);
  try {
    meter.fetching = true;
    for await (const chunk of chunks) {
      meter.fetching = false;
      meter.waitedMs += elapsed(meter.around) - from;
      yield chunk;
      from = elapsed(meter.around);
      meter.fetching = true;
    }
  } finally {
    meter.fetching = false;
  }
}

/** Counts a chunk of content. Throws when there is too much of it, in all or for what was read. */
export function meterOutput(meter: Meter, bytes: number, maxBytes: number): void {
  meter.out += bytes;
  if (meter.out > maxBytes) throw tooLarge(maxBytes);
  if (meter.out > UNPACKED.freeBytes + UNPACKED.ratio * meter.pulled) throw tooMuchInside();
  requireProgress(meter);
}

/** Throws when the message takes too long for what moves. Waiting for others does not count. */
function requireProgress({ around, startMs, waitedMs, pulled, out }: Meter): void {
  const workedMs = elapsed(around) - startMs - waitedMs;
  if (workedMs > FREE_MS + (pulled + out) / MIN_BYTES_PER_MS) throw tooMuchWork();
}

/** Milliseconds; always 0 where the clock does not advance during work. */
export function elapsed({ elapsedMs }: Around): number {
  return elapsedMs?.() ?? 0;
}

/**
 * The limit of unpacked bytes, for the library, which asks again at each piece: unpacking stops as soon as it runs
 * ahead of the output. bzip2 asks only once, and first, so the first answer is the limit of the whole message.
 */
export function createUnpackLimit(meter: Meter, maxBytes: number): () => number {
  let looks = 0;
  return () => {
    if (looks++ === 0) return maxBytes + UNPACKED_BYTES.after;
    if (!meter.begun && looks > MAX_LOOKS) throw noteFailure(meter, tooMuchInside());
    return meter.out + (meter.ended ? BEHIND_BYTES : meter.begun ? UNPACKED_BYTES.after : UNPACKED_BYTES.before);
  };
}

/**
 * Ends waiting for the library when nothing moves any more, neither in nor out: with a damaged message it can wait for
 * itself forever, as it does not always cancel a stream that failed.
 */
export function createWatch(meter: Meter) {
  const end = new AbortController();
  /** Rejects the current wait. */
  let giveUp: ((error: Error) => void) | null = null;
  const look = async () => {
    for (let still = 0, before = -1; still < MAX_PAUSES;) {
      await meter.around.pause(end.signal);
      if (end.signal.aborted) return;
      const now = meter.pulled + meter.out;
      still = giveUp !== null && !meter.fetching && now === before ? still + 1 : 0;
      before = now;
    }
    giveUp?.(new Error("Nothing comes out of the message any more"));
  };
  void look();
  return {
    // Promise.race with one promise for all would hold every result until that promise settles.
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
