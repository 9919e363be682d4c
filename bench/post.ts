/** Posts a file to a hub, in a process of its own so that what others feel is not felt here. Prints the answer. */
import { openAsBlob } from "node:fs";
import process from "node:process";

const [url, token, organization, file] = process.argv.slice(2) as [string, string, string, string];
const response = await fetch(url, {
  method: "POST",
  headers: { Authorization: `Bearer ${token}`, "Muster-Organization": organization, "Content-Type": "text/csv" },
  body: await openAsBlob(file),
});
if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
console.log(await response.text());
