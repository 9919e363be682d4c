/**
 * ssh2, without the native code that it loads where npm could build some: that code can bring the process down, and what
 * a hub does should not depend on whether there was a compiler when it was installed.
 *
 * And with ciphers that are ended. Deno lets go of what it has of a cipher at its end alone, and ssh2 ends those of GCM and
 * no others: each packet under ChaCha20, for which it makes three, and each connection under CTR would cost a kilobyte for
 * as long as the process lives.
 */
import crypto, { type Cipher } from "node:crypto";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Ends those that ssh2 has let go of. */
const unused = new FinalizationRegistry<Cipher>((cipher) => void cipher.final());

export const ssh2 = withoutNativeCode(() => withEndedCiphers(() => require("ssh2") as typeof import("ssh2")));

function withoutNativeCode<T>(load: () => T): T {
  const kept = require.extensions[".node"];
  // ssh2 takes it for code that was not built, and uses the runtime's own cryptography.
  require.extensions[".node"] = () => {
    throw new Error("Native code of packages is not loaded");
  };
  try {
    return load();
  } finally {
    require.extensions[".node"] = kept;
  }
}

/** ssh2 takes what it needs of the runtime's cryptography once, when it is loaded. */
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

/** Of these two, ssh2 uses what is here and nothing else; of ChaCha20 one `update`. */
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
