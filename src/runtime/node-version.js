/**
 * Which versions of Node run Muster: a version comes in, and what is wrong with it goes out. Plain JavaScript, because
 * the versions that it refuses read no TypeScript.
 */

/**
 * The first version of each line, `[major, minor]`: its TypeScript needs no flag, and its `node:sqlite` gives rows as
 * arrays. Lines in between are refused, newer ones are taken.
 *
 * @type {ReadonlyArray<readonly [number, number]>}
 */
export const FIRST_VERSIONS = [[22, 18], [24, 11]];

/**
 * Says what to do about a version that does not run Muster, or null for one that does.
 *
 * @param {string} version as in `process.versions.node`
 * @returns {string | null}
 */
export function nodeProblem(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const newest = FIRST_VERSIONS[FIRST_VERSIONS.length - 1];
  if (newest !== undefined && major > newest[0]) return null;
  if (FIRST_VERSIONS.some(([line, first]) => line === major && minor >= first)) return null;
  const fit = FIRST_VERSIONS.map(([line, first]) => `${line}.${first} or a later ${line}`).join(", ");
  return `Node is ${version}: to run Muster it should be ${fit}, or newer; "npm start" runs Muster on Deno instead`;
}
