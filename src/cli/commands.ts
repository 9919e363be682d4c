/** All commands, in the order in which help lists them. */
import { verifyAuditChain } from "./audit.ts";
import { type Command, defineCommand } from "./command.ts";
import { AUTHOR_COMMANDS } from "./connector/author.ts";
import { INSTALLED_COMMANDS } from "./connector/installed.ts";
import { listConnectors } from "./connectors.ts";
import { importFile } from "./import.ts";
import { rotateKey } from "./key.ts";
import { createOrg } from "./org.ts";
import { createToken } from "./token.ts";

/** What an import does not need is loaded only when it is used. */
const serve = defineCommand({
  name: "serve",
  summary: "Starts the hub: the HTTP API, the runner that carries runs, and the SFTP bridge",
  options: {},
  run: async (_, terminal) => await (await import("./serve.ts")).serve(terminal),
});

const bridge = defineCommand({
  name: "bridge",
  summary: "Starts an SFTP bridge alone, for a hub that runs elsewhere",
  options: {
    hub: { type: "string", value: "URL", help: "address of the hub (needed)" },
    token: { type: "string", value: "TEXT", help: 'a token with the scope "bridge", or in MUSTER_BRIDGE_TOKEN' },
    name: { type: "string", value: "TEXT", help: "name that operators see (the machine's name)" },
  },
  run: async (values, terminal) => await (await import("./bridge.ts")).bridge(values, terminal),
});

const backup = defineCommand({
  name: "backup",
  summary: "Copies the database into a file or bucket, also while a hub runs",
  argument: "FILE",
  options: { json: { type: "boolean", help: "prints the backup's facts as JSON" } },
  run: async (values, terminal, file) => await (await import("./backup.ts")).backup(values, terminal, file),
});

const restore = defineCommand({
  name: "restore",
  summary: "Puts a backup in the place of the database, while no hub runs",
  argument: "FILE",
  options: {
    replace: { type: "boolean", help: "keeps the present database under another name" },
    waiting: { type: "string", value: "WHAT", help: "send or drop: webhooks and mails that waited (asked)" },
  },
  run: async (values, terminal, file) => await (await import("./restore.ts")).restore(values, terminal, file),
});

export const COMMANDS: readonly Command[] = [
  serve,
  bridge,
  importFile,
  createToken,
  createOrg,
  rotateKey,
  backup,
  restore,
  verifyAuditChain,
  listConnectors,
  ...AUTHOR_COMMANDS,
  ...INSTALLED_COMMANDS,
];
