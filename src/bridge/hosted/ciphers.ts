/**
 * Which cipher a client is offered: of those that it supports, the one that this runtime is fastest with.
 *
 * In SSH, the client's preferences decide, and it prefers what its own machine is fast with; so it is offered a single
 * cipher. ChaCha20-Poly1305 is offered only to clients that reset packet counters with each key: otherwise an attacker in
 * the middle could drop the first packets (Terrapin, CVE-2023-48795).
 */
import { getCiphers } from "node:crypto";
import type { CipherAlgorithm } from "ssh2";
import { CIPHERS, MACS } from "../algorithms.ts";
import type { Proposal } from "./hello.ts";

type Kind = "chacha20" | "gcm" | "ctr";

const CHACHA20: CipherAlgorithm = "chacha20-poly1305@openssh.com";
/** Some builds of Node do not have it. */
const HAS_CHACHA20 = getCiphers().includes("chacha20");

/** The fastest first, as measured without native code (bench/README.md). */
const RANKS: Record<"deno" | "node", readonly Kind[]> = {
  deno: ["chacha20", "ctr", "gcm"],
  node: ["gcm", "ctr", "chacha20"],
};

const RANK = RANKS["Deno" in globalThis ? "deno" : "node"];

/** Null: the client supports none of ours. */
export function chooseCipher({ ciphers, macs, isStrict }: Proposal, rank = RANK): CipherAlgorithm | null {
  const hasMac = macs.some((name) => (MACS as readonly string[]).includes(name));
  const usable: Record<Kind, boolean> = { chacha20: isStrict && HAS_CHACHA20, gcm: true, ctr: hasMac };
  for (const kind of rank) {
    const found = usable[kind] ? ciphers.find((name) => kindOf(name) === kind) : undefined;
    if (found !== undefined) return found as CipherAlgorithm;
  }
  return null;
}

/** Null: it is not one of ours. */
function kindOf(name: string): Kind | null {
  if (name === CHACHA20) return "chacha20";
  if (!(CIPHERS as readonly string[]).includes(name)) return null;
  return name.includes("gcm") ? "gcm" : "ctr";
}
