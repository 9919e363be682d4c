/**
 * SSH algorithms of the hosted server and of the client for remote servers: nothing with SHA-1, CBC or small groups, and
 * nothing that Terrapin (CVE-2023-48795) can truncate.
 */
import type { Algorithms } from "ssh2";

type Named<Name extends keyof Algorithms> = Extract<Algorithms[Name], readonly unknown[]>;

/** Key exchange on elliptic curves, which is cheap for both sides. */
export const CURVES = [
  "curve25519-sha256",
  "curve25519-sha256@libssh.org",
  "ecdh-sha2-nistp256",
  "ecdh-sha2-nistp384",
  "ecdh-sha2-nistp521",
] as const satisfies Named<"kex">;

export const CIPHERS: Named<"cipher"> = [
  "aes256-gcm@openssh.com",
  "aes128-gcm@openssh.com",
  "aes256-ctr",
  "aes192-ctr",
  "aes128-ctr",
];

export const MACS: Named<"hmac"> = [
  "hmac-sha2-256-etm@openssh.com",
  "hmac-sha2-512-etm@openssh.com",
  "hmac-sha2-256",
  "hmac-sha2-512",
];

/** No compression: a few compressed bytes could expand to very many. */
export const COMPRESSION: Named<"compress"> = ["none"];

/** One more key exchange is allowed for every so many bytes transferred: an exchange itself takes some 3 KB. */
export const BYTES_OF_KEYS = 16 * 1024;
