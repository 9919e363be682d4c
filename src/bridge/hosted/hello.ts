/**
 * Parses what a client sends first: its identification line, and its KEXINIT with the algorithms that it supports (RFC
 * 4253, 4.2, 6 and 7.1). Both are not encrypted. Bytes go in; what the client proposes comes out. Pure.
 */
import type { Buffer } from "node:buffer";

/** Names in the client's order of preference: ciphers and MACs that it supports in both directions. */
export interface Proposal {
  readonly ciphers: readonly string[];
  readonly macs: readonly string[];
  /** Whether it resets packet counters with each key, which prevents dropped packets (Terrapin, CVE-2023-48795). */
  readonly isStrict: boolean;
}

/** `partial`: more has to come. `unclear`: this is not SSH, or an unusual beginning. */
export type Hello =
  | { readonly kind: "partial" | "unclear" }
  | { readonly kind: "proposal"; readonly proposal: Proposal };

/** RFC 4253 allows 255 bytes for a line, and some clients send more; a packet has at most 35,000. */
const MOST_LINE = 8192;
const MOST_PACKET = 35_000;
const KEXINIT = 20;
const STRICT = "kex-strict-c-v00@openssh.com";
/** Positions of the lists in a KEXINIT. */
const KEX = 0, CIPHERS_TO_SERVER = 2, CIPHERS_TO_CLIENT = 3, MACS_TO_SERVER = 4, MACS_TO_CLIENT = 5;

export function readHello(received: Buffer): Hello {
  const line = received.indexOf(10);
  if (line < 0) return { kind: received.length < MOST_LINE ? "partial" : "unclear" };
  if (received.toString("latin1", 0, 4) !== "SSH-") return { kind: "unclear" };
  const packet = received.subarray(line + 1);
  if (packet.length < 6) return { kind: "partial" };
  const end = 4 + packet.readUInt32BE(0);
  if (packet[5] !== KEXINIT || end > MOST_PACKET) return { kind: "unclear" };
  if (packet.length < end) return { kind: "partial" };
  // Behind the length, the length of the padding, the type, and 16 random bytes.
  const lists = readLists(packet.subarray(22, end));
  if (lists === null) return { kind: "unclear" };
  const both = (one: number, other: number) => lists[one]!.filter((name) => lists[other]!.includes(name));
  const proposal = {
    ciphers: both(CIPHERS_TO_SERVER, CIPHERS_TO_CLIENT),
    macs: both(MACS_TO_SERVER, MACS_TO_CLIENT),
    isStrict: lists[KEX]!.includes(STRICT),
  };
  return { kind: "proposal", proposal };
}

/** Null: the lists are longer than the packet. */
function readLists(bytes: Buffer): string[][] | null {
  const lists: string[][] = [];
  for (let at = 0; lists.length <= MACS_TO_CLIENT;) {
    const end = at + 4 <= bytes.length ? at + 4 + bytes.readUInt32BE(at) : Infinity;
    if (end > bytes.length) return null;
    lists.push(bytes.toString("latin1", at + 4, end).split(","));
    at = end;
  }
  return lists;
}
