/** Prints the OpenAPI document, for the linter. */
import { documentOfAll } from "./checked.ts";

console.log(JSON.stringify(documentOfAll(), null, 2));
