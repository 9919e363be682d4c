/** `muster connector new`, `check`, `dev`, `record` and `run`: what authors of connectors use, without a hub. */
import { type Command, defineCommand } from "../command.ts";

/** How a connection is described of which there is none. */
const CONNECTION = {
  settings: { type: "string", value: "FILE|JSON", help: "the connection's settings" },
  secret: { type: "string", value: "NAME,…", help: "asked for, unless in MUSTER_SECRET_NAME" },
  "allow-host": { type: "string", value: "HOST,…", help: "as in MUSTER_ALLOW_HOSTS" },
} as const;

/** What is read of the source. */
const READ = {
  limit: { type: "string", value: "N", help: "records of each entity to read of a source (20)" },
  state: { type: "string", value: "FILE|JSON", help: "saved state of an earlier read, to go on from" },
  entity: { type: "string", value: "users|departments", help: "what to read (all)" },
  file: { type: "string", value: "FILE", help: "the input of a connector that takes files (needed by it)" },
} as const;

/** What they need is loaded only when they are used. */
const newConnector = defineCommand({
  name: "connector new",
  summary: "Makes a folder with a connector that works, to be changed into yours",
  argument: "DIR",
  options: {},
  run: async (_, terminal, place) => (await import("./new.ts")).newConnector(terminal, place),
});

const check = defineCommand({
  name: "connector check",
  summary: "Loads a connector as a hub does, and shows what is wrong",
  argument: "DIR",
  options: {},
  run: async (_, terminal, place) => await (await import("./check.ts")).checkConnector(terminal, place),
});

const dev = defineCommand({
  name: "connector dev",
  summary: "Reads a source by a connector again after each save of its files, without a hub",
  argument: "DIR",
  options: { ...CONNECTION, ...READ },
  run: async (values, terminal, place) => await (await import("./dev.ts")).developConnector(values, terminal, place),
});

const record = defineCommand({
  name: "connector record",
  summary: "Records a source for tests, with all people and secrets replaced",
  argument: "DIR",
  options: {
    ...CONNECTION,
    out: { type: "string", value: "FILE", help: "where to write the tape (DIR/tapes/NAME.json)" },
  },
  run: async (values, terminal, place) => await (await import("./record.ts")).recordSource(values, terminal, place),
});

const run = defineCommand({
  name: "connector run",
  summary: "Reads a source by a connector, without a hub",
  argument: "DIR",
  options: {
    "dry-run": { type: "boolean", help: "plans only (needed)" },
    ...CONNECTION,
    ...READ,
    json: { type: "boolean", help: "prints all that was found as JSON" },
  },
  run: async (values, terminal, place) => await (await import("./run.ts")).runConnector(values, terminal, place),
});

export const AUTHOR_COMMANDS: readonly Command[] = [newConnector, check, dev, record, run];
