/** Where the files are that Muster reads while it runs: in the source tree, or beside the module that a build made of it. */

/** `path`: from the root of the source tree. A build has the same paths, with `.js` for `.ts` (packages/build.ts). */
export function ownFile(path: string): URL {
  if (import.meta.url.endsWith("/src/runtime/own-files.ts")) return new URL(`../../${path}`, import.meta.url);
  return new URL(path.replace(/\.ts$/, ".js"), import.meta.url);
}
