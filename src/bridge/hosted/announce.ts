/**
 * Announces to clients how much they may write at once: the extension `limits@openssh.com` (OpenSSH's PROTOCOL, 4.8).
 * OpenSSH then sends 255 KiB with each request instead of 32, and waits for an eighth of the answers.
 *
 * The SSH library announces no extensions and answers none. This file reaches into it: it replaces the first packet that
 * the library sends on a channel, and sends one of its own. If the library's internals change, nothing is announced, and
 * clients work without the extension; test/bridge/hosted/writes.test.ts fails then.
 */
import { Buffer } from "node:buffer";
import type { SFTPWrapper } from "ssh2";

export const LIMITS = "limits@openssh.com";

/** All in bytes, except the number of handles. */
export interface ClientLimits {
  readonly packet: number;
  readonly read: number;
  readonly write: number;
  readonly handles: number;
}

const VERSION = 2, EXTENDED_REPLY = 201;

/** The library's internals of a channel that are used here. */
interface Inside {
  _protocol?: { channelData(channel: number, data: Buffer): void };
  readonly outgoing?: { readonly id: number; window: number; readonly packetSize: number };
  /** Answers that wait until the client makes room. */
  readonly _buffer?: readonly unknown[];
}

const PLAIN_VERSION = packet(VERSION, uint32(3));
const VERSION_WITH_LIMITS = packet(VERSION, uint32(3), string(LIMITS), string("1"));

/** To be called before the client's first packet comes. */
export function announceLimits(sftp: SFTPWrapper): void {
  const inside = sftp as unknown as Inside;
  const { _protocol: protocol, outgoing } = inside;
  if (typeof protocol?.channelData !== "function" || outgoing === undefined) return;
  const more = VERSION_WITH_LIMITS.length - PLAIN_VERSION.length;
  inside._protocol = Object.create(protocol, {
    channelData: {
      value(channel: number, data: Buffer): void {
        inside._protocol = protocol;
        const fits = outgoing.window > more && outgoing.packetSize >= VERSION_WITH_LIMITS.length;
        if (!fits || !PLAIN_VERSION.equals(data)) return protocol.channelData(channel, data);
        outgoing.window -= more;
        protocol.channelData(channel, VERSION_WITH_LIMITS);
      },
    },
  });
}

/** False: the answer cannot be sent now. The request is to be refused then, which clients accept. */
export function sendLimits(
  sftp: SFTPWrapper,
  id: number,
  { packet: most, read, write, handles }: ClientLimits,
): boolean {
  const { _protocol: protocol, outgoing, _buffer: waiting } = sftp as unknown as Inside;
  const reply = packet(EXTENDED_REPLY, uint32(id), ...[most, read, write, handles].map(uint64));
  if (typeof protocol?.channelData !== "function" || outgoing === undefined || waiting?.length !== 0) return false;
  if (outgoing.window <= reply.length || outgoing.packetSize < reply.length) return false;
  outgoing.window -= reply.length;
  protocol.channelData(outgoing.id, reply);
  return true;
}

function packet(type: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from([type]), ...parts]);
  return Buffer.concat([uint32(body.length), body]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  return Buffer.concat([uint32(Math.floor(value / 2 ** 32)), uint32(value % 2 ** 32)]);
}

function string(text: string): Buffer {
  return Buffer.concat([uint32(Buffer.byteLength(text)), Buffer.from(text)]);
}
