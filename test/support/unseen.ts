/**
 * After the whole suite: names every documented status that no test has seen, and fails if there is one.
 *
 * Run by `npm test` and `npm run test:node`, which name the folder in MUSTER_SEEN.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { documentOfAll } from "./checked.ts";

const folder = process.env.MUSTER_SEEN!;
const notes = readdirSync(folder).filter((name) => name.endsWith(".txt"));
const seen = new Set(notes.flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n")));
const unseen: string[] = [];
let count = 0;
for (const operations of Object.values(documentOfAll().paths)) {
  for (const { operationId, responses } of Object.values(operations)) {
    for (const status of Object.keys(responses)) {
      count++;
      if (!seen.has(`${operationId} ${status}`)) unseen.push(`${operationId} ${status}`);
    }
  }
}
console.log(`${count - unseen.length} of ${count} documented answers were seen in the tests`);
if (unseen.length > 0) {
  console.error(`No test has seen:\n${unseen.join("\n")}`);
  process.exit(1);
}
