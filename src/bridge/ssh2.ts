/**
 * ssh2, without the native code that it loads where npm could build some: that code can bring the process down, and what
 * a hub does should not depend on whether there was a compiler when it was installed.
 */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

export const ssh2 = withoutNativeCode(() => require("ssh2") as typeof import("ssh2"));

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
