/**
 * The entry on Node. Plain JavaScript, so that every Node can read it: one that is too old to run Muster says so in a
 * sentence and ends with 1, where the first line of TypeScript, or `node:sqlite`, would end in a stack trace.
 */
import process from "node:process";
import { nodeProblem } from "./runtime/node-version.js";

const problem = nodeProblem(process.versions.node);
if (problem === null) {
  await import("./cli/node.ts");
} else {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}
