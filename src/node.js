/**
 * The entry point on Node. It is plain JavaScript, so that every Node can read it: a Node that is too old prints one
 * sentence and exits with 1, instead of a stack trace from the first line of TypeScript or from `node:sqlite`.
 */
import process from "node:process";
import { nodeProblem } from "./runtime/node-version.js";

const problem = nodeProblem(process.versions.node);
if (problem === null) {
  await import("./runtime/node-resolve.ts");
  await import("./cli/node.ts");
} else {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}
