/**
 * The bytes that a client has sent on an SFTP channel and that are not requests yet: a parsed request weighs many times as
 * much as its bytes, and a client may send very many of them while it takes no answers.
 *
 * The library gets one packet after another, while there is room for more requests.
 */
import { Buffer } from "node:buffer";
import type { SFTPWrapper } from "ssh2";
import { interceptPush, type Push } from "./inside.ts";

export type Incoming = ReturnType<typeof holdBack>;

const NONE = Buffer.alloc(0);
const LENGTH_BYTES = 4;

export interface HoldBackOptions {
  /** The longest packet that the library takes, without its length. */
  readonly mostPacket: number;
  readonly isFull: () => boolean;
  /** Another number of bytes waits. */
  readonly changed: () => void;
  /** The client sends no more. The library gets this end only behind what still waits. */
  readonly ended: () => void;
}

export function holdBack(sftp: SFTPWrapper, { mostPacket, isFull, changed, ended }: HoldBackOptions) {
  const held = createPacketBuffer(mostPacket);
  let isOver = false, isDropped = false;
  const pass = (bytes: Buffer) => passPackets(bytes, mostPacket, () => !isFull() && !isDropped, (each) => push(each));

  const push = interceptPush(sftp, (data) => {
    if (isDropped) return push(data);
    if (data === null) {
      if (held.bytes === 0) return push(null);
      isOver = true;
      return ended();
    }
    let rest = data;
    // Only up to the end of a packet that has begun: what is behind it may be passed on without a copy.
    while (held.bytes > 0 && rest.length > 0) {
      const bytes = Math.min(held.missing() || rest.length, rest.length);
      held.append(rest.subarray(0, bytes));
      rest = rest.subarray(bytes);
      go();
    }
    if (isDropped) return;
    held.append(rest.subarray(pass(rest)));
    changed();
  });

  function go(): void {
    if (isDropped || (held.bytes === 0 && !isOver)) return;
    const bytes = pass(held.all());
    // A packet that makes no sense ends the channel at once.
    if (isDropped) return;
    held.remove(bytes);
    changed();
    // What is left is the beginning of a packet whose rest does not come, or nothing.
    if (isOver && !isFull()) {
      isDropped = true;
      push(null);
    }
  }

  return {
    /** Bytes that wait, including the beginning of a packet. */
    get bytes(): number {
      return held.bytes;
    },
    /** Whether a whole packet waits. */
    hasMore: () => held.bytes > 0 && held.missing() === 0,
    /** To be called when there may be room. */
    go,
    /** Drops what waits, and passes on what comes. */
    drop(): void {
      isDropped = true;
      held.remove(held.bytes);
      changed();
    },
  };
}

/** Pushes whole packets while that is possible. Returns the number of their bytes. */
function passPackets(bytes: Buffer, mostPacket: number, canPush: () => boolean, push: Push): number {
  let at = 0;
  while (at + LENGTH_BYTES <= bytes.length && canPush()) {
    const length = bytes.readUInt32BE(at), end = at + LENGTH_BYTES + length;
    // Of a packet that is too long the beginning is enough: the library refuses it.
    if (end > bytes.length && length <= mostPacket) break;
    push(bytes.subarray(at, end));
    at = Math.min(end, bytes.length);
  }
  return at;
}

/** Bytes that wait. Those that were removed may still be in use by requests, and are never overwritten. */
function createPacketBuffer(mostPacket: number) {
  let memory = NONE, from = 0, to = 0;

  /** The length of the first packet as its beginning says, and no more than is taken; 0: unknown. */
  function lengthOfFirst(data: Buffer): number {
    const start = from < to ? memory.subarray(from, to) : data;
    return start.length < LENGTH_BYTES ? 0 : LENGTH_BYTES + Math.min(start.readUInt32BE(0), mostPacket);
  }

  return {
    get bytes() {
      return to - from;
    },
    all: () => memory.subarray(from, to),
    /** Bytes until the length of the first packet is known, or the packet is whole; 0: it is whole. */
    missing(): number {
      const bytes = to - from;
      if (bytes < LENGTH_BYTES) return LENGTH_BYTES - bytes;
      return Math.max(0, LENGTH_BYTES + memory.readUInt32BE(from) - bytes);
    },
    append(data: Buffer): void {
      if (to + data.length > memory.length) {
        const bytes = to - from;
        const larger = Buffer.allocUnsafeSlow(Math.max(bytes + data.length, 2 * bytes, lengthOfFirst(data)));
        memory.copy(larger, 0, from, to);
        [memory, from, to] = [larger, 0, bytes];
      }
      memory.set(data, to);
      to += data.length;
    },
    /** From the front. */
    remove(bytes: number): void {
      from += bytes;
      if (from === to) [memory, from, to] = [NONE, 0, 0];
    },
  };
}
