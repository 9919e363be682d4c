/** Muster's launcher, for processes of tests and benches: on the runtime that they run on themselves. */
import { delimiter, dirname } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ON_DENO = "Deno" in globalThis;

/** The program, to be followed by `RUNTIME` and an entry. */
export const LAUNCH = fileURLToPath(new URL("../../src/launch.sh", import.meta.url));
/** By name: Deno takes its own path among a child's arguments for a call of Node's, and changes what follows it. */
export const RUNTIME = ON_DENO ? "deno" : "node";
export const ENTRY = fileURLToPath(new URL(ON_DENO ? "../../src/deno.ts" : "../../src/node.js", import.meta.url));
/** In front of others', so that the name leads to the very same runtime. */
export const PATH = [dirname(process.execPath), process.env.PATH ?? ""].join(delimiter);
