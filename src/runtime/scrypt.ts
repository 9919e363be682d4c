/**
 * The runtime's own scrypt, on its thread pool. At most two run at a time, so that guessing passwords slows down neither
 * other requests nor file access, which uses the same pool.
 */
import { scrypt } from "node:crypto";
import { createLane } from "../std/lanes.ts";
import type { Scrypt } from "../security/sftp-login.ts";

const AT_ONCE = 2;
const MOST_MEMORY = 64 * 1024 * 1024;

export function createScrypt(): Scrypt {
  const lane = createLane(AT_ONCE);
  return async (password, salt, { N, r, p, dkLen }) => {
    const leave = await lane.take("");
    try {
      return await new Promise((resolve, reject) =>
        scrypt(
          password,
          salt,
          dkLen,
          { N, r, p, maxmem: MOST_MEMORY },
          (error, key) => error ? reject(error) : resolve(key),
        )
      );
    } finally {
      leave();
    }
  };
}
