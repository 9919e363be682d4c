/** The entry point of a hub that waits less long for what connectors of others do: IDLE_MS for a fetch. Longer for a start. */
import process from "node:process";
import { pathToFileURL } from "node:url";
import { LIMITS } from "../../src/runtime/sandbox/protocol.ts";
import { ENTRY } from "./launch.ts";

Object.assign(LIMITS, { idleMs: Number(process.env.IDLE_MS), checkMs: 3_000, callMs: 3_000, loadMs: 60_000 });
await import(pathToFileURL(ENTRY).href);
