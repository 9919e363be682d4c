/** The entry point of a hub whose process throws what nobody catches, once the file that RESTLESS names is there. */
import { existsSync } from "node:fs";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { ENTRY } from "./launch.ts";

const timer = setInterval(() => {
  if (!existsSync(process.env.RESTLESS!)) return;
  clearInterval(timer);
  Promise.reject(new TypeError("anna@example.com"));
  setTimeout(() => {
    throw Object.assign(new Error("anna@example.com"), { code: "E_TIMER" });
  }, 50);
}, 50);
timer.unref();
await import(pathToFileURL(ENTRY).href);
