/**
 * What a client sends on an SFTP channel, as it came, until its turn: requests that are taken apart weigh many times as
 * much as their bytes, and a client may send very many of them while it takes no answers.
 *
 * Gives the library one packet after the other, as long as there is room for more requests.
 */
import { Buffer } from "node:buffer";
import type { SFTPWrapper } from "ssh2";
import { interceptPush } from "./inside.ts";

export interface Incoming {
  /** Bytes that wait, the beginning of a packet too. */
  readonly bytes: number;
  /** Whether a whole packet waits. */
  hasMore(): boolean;
  /** There may be room. */
  go(): void;
  /** Nobody wants them any more. */
  drop(): void;
}

const NONE = Buffer.alloc(0);
const LENGTH_BYTES = 4;

export function holdBack(sftp: SFTPWrapper, { mostPacket, isFull, changed, ended }: {
  /** The longest that the library takes, without its length. */
  readonly mostPacket: number;
  readonly isFull: () => boolean;
  /** Another number of bytes waits. */
  readonly changed: () => void;
  /** The client sends no more, and something waits yet: the library hears of the end behind it. */
  readonly ended: () => void;
}): Incoming {
  /** What waits lies from `from` to `to`. What is in front may be in use by requests, and is never written over. */
  let held = NONE, from = 0, to = 0, isOver = false, isDropped = false;

  const push = interceptPush(sftp, (data) => {
    if (isDropped) return push(data);
    if (data === null) {
      if (from === to) return push(null);
      isOver = true;
      return ended();
    }
    let rest = data;
    // No further than to the end of a packet that has begun: what is behind it may go on without being copied.
    while (from < to && rest.length > 0) {
      const bytes = Math.min(missing() || rest.length, rest.length);
      keep(rest.subarray(0, bytes));
      rest = rest.subarray(bytes);
      go();
    }
    if (isDropped) return;
    keep(rest.subarray(pass(rest)));
    changed();
  });

  /** Bytes until the first packet that waits is whole, or its length is known; 0: it is whole. */
  function missing(): number {
    const bytes = to - from;
    if (bytes < LENGTH_BYTES) return LENGTH_BYTES - bytes;
    return Math.max(0, LENGTH_BYTES + held.readUInt32BE(from) - bytes);
  }

  /** Gives where the first packet begins that is not whole, or has to wait. */
  function pass(bytes: Buffer): number {
    let at = 0;
    while (at + LENGTH_BYTES <= bytes.length && !isFull() && !isDropped) {
      const length = bytes.readUInt32BE(at), end = at + LENGTH_BYTES + length;
      // What is too long the library refuses by its beginning.
      if (end > bytes.length && length <= mostPacket) break;
      push(bytes.subarray(at, end));
      at = Math.min(end, bytes.length);
    }
    return at;
  }

  function keep(data: Buffer): void {
    if (to + data.length > held.length) {
      const bytes = to - from;
      const larger = Buffer.allocUnsafeSlow(Math.max(bytes + data.length, 2 * bytes, lengthOfFirst(data)));
      held.copy(larger, 0, from, to);
      [held, from, to] = [larger, 0, bytes];
    }
    held.set(data, to);
    to += data.length;
  }

  /** As far as its beginning says. */
  function lengthOfFirst(data: Buffer): number {
    const start = from < to ? held.subarray(from, to) : data;
    if (start.length < LENGTH_BYTES) return 0;
    return LENGTH_BYTES + Math.min(start.readUInt32BE(0), mostPacket);
  }

  function go(): void {
    if (isDropped || (from === to && !isOver)) return;
    from += pass(held.subarray(from, to));
    if (from === to) drop();
    changed();
    // What is left is the beginning of a packet that does not come, or nothing.
    if (isOver && !isFull()) {
      isDropped = true;
      push(null);
    }
  }

  function drop(): void {
    [held, from, to] = [NONE, 0, 0];
  }

  return {
    get bytes() {
      return to - from;
    },
    hasMore: () => from < to && missing() === 0,
    go,
    drop() {
      isDropped = true;
      drop();
      changed();
    },
  };
}
