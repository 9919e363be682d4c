/** A client that sends SSH packets as it likes, and reads what comes for it only as long as nobody pauses its socket. */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { ConnectConfig } from "ssh2";
import { ssh2 } from "../../src/bridge/ssh2.ts";
import { PASSWORD } from "./hosted.ts";

export interface RawClient {
  readonly socket: Socket;
  isClosed(): boolean;
  /** How many packets have come, since keys were agreed on. */
  heard(): number;
  /** A packet's type and what follows it. */
  send(type: number, ...parts: readonly Part[]): void;
  /** Begins to agree on new keys, as often as it is called. */
  sendKexInit(): void;
  /** Opens an SFTP channel and waits for no answer: the server numbers them from 0 on. */
  openSftp(channel: number, window?: number, mostPacket?: number): void;
  /** SFTP packets, on a channel. */
  ask(channel: number, ...packets: readonly Buffer[]): void;
}

/** A number is one of 32 bits, a text has its length in front, and bytes are as they are. */
type Part = number | string | Buffer;

const [IGNORE, KEXINIT, CHANNEL_OPEN, CHANNEL_DATA, CHANNEL_REQUEST] = [2, 20, 90, 94, 98];
const MOST_DATA = 32_000;
export const MESSAGES = { IGNORE, DEBUG: 4, UNKNOWN: 200, GLOBAL_REQUEST: 80, CHANNEL_OPEN } as const;
export const NO = Buffer.from([0]), YES = Buffer.from([1]);
/** Of a channel: as much as there can be. */
const ANY = 0xffffffff;

/** What is used of the library's client as it is inside. */
interface Inside {
  readonly _sock: Socket;
  readonly _protocol: {
    readonly _packetRW: {
      readonly write: { readonly allocStart: number; alloc(length: number): Buffer; finalize(packet: Buffer): Buffer };
    };
    readonly _cipher: { encrypt(packet: Buffer): void };
    readonly _decipher: { readonly inSeqno: number };
    readonly _offer: { readonly lists: { readonly all: Buffer } };
  };
}

/** `until`: it is logged in, or has exchanged keys and goes no further. */
export async function connectRaw(
  { port }: { readonly port: number },
  username: string,
  until: "ready" | "handshake" = "ready",
  config: ConnectConfig = {},
): Promise<RawClient> {
  const client = new ssh2.Client();
  await new Promise<void>((resolve, reject) => {
    client.once(until as "ready", () => resolve()).on("error", reject).once(
      "close",
      () => reject(new Error("sent away")),
    );
    client.connect({
      host: "127.0.0.1",
      port,
      username,
      password: PASSWORD,
      readyTimeout: 60_000,
      // Nobody asks for the next one.
      ...(until === "handshake" ? { authHandler: () => {} } : {}),
      ...config,
    });
  });
  const { _sock: socket, _protocol: protocol } = client as unknown as Inside;
  let closed = false;
  client.removeAllListeners("error").on("error", () => {});
  socket.on("error", () => {}).on("close", () => closed = true);

  function send(type: number, ...parts: readonly Part[]): void {
    if (closed || !socket.writable) return;
    const payload = bytesOf(Buffer.from([type]), ...parts);
    const { write } = protocol._packetRW;
    const packet = write.alloc(payload.length);
    packet.set(payload, write.allocStart);
    protocol._cipher.encrypt(write.finalize(packet));
  }

  const self: RawClient = {
    socket,
    isClosed: () => closed,
    heard: () => protocol._decipher.inSeqno,
    send,
    sendKexInit: () => send(KEXINIT, Buffer.alloc(16), protocol._offer.lists.all, Buffer.alloc(5)),
    openSftp(channel, window = ANY, mostPacket = ANY) {
      send(CHANNEL_OPEN, "session", channel, window, mostPacket);
      send(CHANNEL_REQUEST, channel, "subsystem", NO, "sftp");
      self.ask(channel, sftpPacket(1, 3));
    },
    ask(channel, ...packets) {
      const bytes = Buffer.concat(packets);
      for (let at = 0; at < bytes.length; at += MOST_DATA) {
        const part = bytes.subarray(at, at + MOST_DATA);
        send(CHANNEL_DATA, channel, part.length, part);
      }
    },
  };
  return self;
}

export function sftpPacket(type: number, ...parts: readonly Part[]): Buffer {
  const body = bytesOf(Buffer.from([type]), ...parts);
  return bytesOf(body.length, body);
}

function bytesOf(...parts: readonly Part[]): Buffer {
  return Buffer.concat(parts.flatMap((part) => {
    if (typeof part === "number") return [uint32(part)];
    return typeof part === "string" ? [uint32(Buffer.byteLength(part)), Buffer.from(part)] : [part];
  }));
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
