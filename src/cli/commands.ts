/** All commands, in the order in which help lists them. */
import { verifyAuditChain } from "./audit.ts";
import { type Command, defineCommand } from "./command.ts";
import { listConnectors } from "./connectors.ts";
import { importFile } from "./import.ts";
import { rotateKey } from "./key.ts";
import { createOrg } from "./org.ts";
import { createToken } from "./token.ts";

/** The two servers are loaded only when they are started: an import should not hold them in memory. */
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

export const COMMANDS: readonly Command[] = [
  serve,
  bridge,
  importFile,
  createToken,
  createOrg,
  rotateKey,
  verifyAuditChain,
  listConnectors,
];
