/**
 * The library ssh2, with two changes.
 *
 * Without the native code that it loads where npm could build it: that code can crash the process, and a hub should not
 * behave differently because a compiler was there when it was installed.
 *
 * With ciphers that are ended. Deno frees a cipher's memory only when it is ended, and ssh2 ends those of GCM alone. Each
 * packet under ChaCha20, for which ssh2 makes three ciphers, and each connection under CTR would leak a kilobyte.
 */
import crypto, { type Cipher } from "node:crypto";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Ends ciphers when ssh2 no longer references them. */
const unused = new FinalizationRegistry<Cipher>((cipher) => void cipher.final());

export const ssh2 = withoutNativeCode(() => withEndedCiphers(() => require("ssh2") as typeof import("ssh2")));

function withoutNativeCode<T>(load: () => T): T {
  const kept = require.extensions[".node"];
  // For ssh2 this looks like code that was not built, and it uses the runtime's own cryptography.
  require.extensions[".node"] = () => {
    throw new Error("Native code of packages is not loaded");
  };
  try {
    return load();
  } finally {
    require.extensions[".node"] = kept;
  }
}

/** ssh2 reads these functions once, when it is loaded. */
function withEndedCiphers<T>(load: () => T): T {
  const { createCipheriv, createDecipheriv } = crypto;
  crypto.createCipheriv = ended(createCipheriv);
  crypto.createDecipheriv = ended(createDecipheriv);
  try {
    return load();
  } finally {
    Object.assign(crypto, { createCipheriv, createDecipheriv });
  }
}

/** Wrapped ciphers have only the methods that ssh2 calls; under ChaCha20 it calls `update` once. */
function ended<Make extends (algorithm: string, ...more: never[]) => unknown>(make: Make): Make {
  return ((algorithm: string, ...more: never[]) => {
    const made = make(algorithm, ...more) as Cipher;
    if (algorithm === "chacha20") return { update: (data: Uint8Array) => updateAndEnd(made, data) };
    if (!algorithm.endsWith("-ctr")) return made;
    const lent = {
      update: (data: Uint8Array) => made.update(data),
      setAutoPadding: (on: boolean) => made.setAutoPadding(on),
      final() {
        unused.unregister(lent);
        return made.final();
      },
    };
    unused.register(lent, made, lent);
    return lent;
  }) as Make;
}

function updateAndEnd(cipher: Cipher, data: Uint8Array): Uint8Array {
  const result = cipher.update(data);
  cipher.final();
  return result;
}
