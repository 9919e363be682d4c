/** The entry point of a hub that waits less long for connectors of others: IDLE_MS for a fetch. */
import process from "node:process";
import { pathToFileURL } from "node:url";
import { LIMITS } from "../../src/runtime/sandbox/protocol.ts";
import { ENTRY } from "./launch.ts";

Object.assign(LIMITS, { idleMs: Number(process.env.IDLE_MS), checkMs: 3_000, callMs: 3_000 });
await import(pathToFileURL(ENTRY).href);
