/** The door for Node, which src/node.js opens once it knows that this Node can. */
import { createAdaptorServer } from "@hono/node-server";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { runCommand } from "../cli.ts";
import { installInflate } from "./inflate.ts";
import { cannotListen, CLOSE_MS, createTerminal } from "./terminal.ts";
import { Fault } from "../errors.ts";

installInflate();
const terminal = createTerminal(async (handler, at) => {
  const server = createAdaptorServer({
    fetch: (request, { incoming }) => handler(request, incoming.socket.remoteAddress ?? null),
    overrideGlobalObjects: false,
  }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(new Fault("unavailable", cannotListen(at, error), { cause: error })));
    server.listen(at.port, at.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeIdleConnections();
      });
      clearTimeout(timer);
    },
  };
});

process.exit(await runCommand(process.argv.slice(2), terminal));
