/**
 * Which cipher a client is offered: of those that it speaks itself, the one that this runtime is fastest with.
 *
 * The client's order decides between two ciphers that both sides have, and asks for what its own machine is fast with. So
 * it is offered one alone. ChaCha20-Poly1305 is offered only to those who count packets anew with each key: between
 * others, somebody in the middle could take the first packets away (Terrapin, CVE-2023-48795).
 */
import { getCiphers } from "node:crypto";
import type { CipherAlgorithm } from "ssh2";
import { CIPHERS, MACS } from "../algorithms.ts";
import type { Proposal } from "./hello.ts";

type Kind = "chacha20" | "gcm" | "ctr";

const CHACHA20: CipherAlgorithm = "chacha20-poly1305@openssh.com";
/** Some builds of Node have a library without it. */
const HAS_CHACHA20 = getCiphers().includes("chacha20");

/** The fastest first, as measured without native code (bench/README.md says how). */
const RANKS: Record<"deno" | "node", readonly Kind[]> = {
  deno: ["chacha20", "ctr", "gcm"],
  node: ["gcm", "ctr", "chacha20"],
};

const RANK = RANKS["Deno" in globalThis ? "deno" : "node"];

/** Null: it speaks none of ours. */
export function chooseCipher({ ciphers, macs, isStrict }: Proposal, rank = RANK): CipherAlgorithm | null {
  const hasMac = macs.some((name) => (MACS as readonly string[]).includes(name));
  const usable: Record<Kind, boolean> = { chacha20: isStrict && HAS_CHACHA20, gcm: true, ctr: hasMac };
  for (const kind of rank) {
    const found = usable[kind] ? ciphers.find((name) => kindOf(name) === kind) : undefined;
    if (found !== undefined) return found as CipherAlgorithm;
  }
  return null;
}

/** Null: it is none of ours. */
function kindOf(name: string): Kind | null {
  if (name === CHACHA20) return "chacha20";
  if (!(CIPHERS as readonly string[]).includes(name)) return null;
  return name.includes("gcm") ? "gcm" : "ctr";
}
