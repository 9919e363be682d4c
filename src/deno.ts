/** The door for Deno. */
import process from "node:process";
import { runCommand } from "./cli.ts";
import { cannotListen, CLOSE_MS, createTerminal } from "./door/terminal.ts";
import { Fault } from "./errors.ts";

/** The part of Deno's own API that this door needs. */
declare const Deno: {
  args: string[];
  serve(
    options: { hostname: string; port: number; onListen: () => void },
    handler: (request: Request, info: { remoteAddr: { hostname?: string } }) => Response | Promise<Response>,
  ): { addr: { port: number }; shutdown(): Promise<void> };
};

// Said once by Deno where a request's signal is listened to: that it is aborted behind an answer, too, which does no harm
// here. What the hub writes is its log, a line of JSON each.
const { warn } = console;
console.warn = (...args: unknown[]) => {
  if (!String(args[0]).startsWith("Deno.serve: request.signal aborts on successful responses")) warn(...args);
};

const terminal = createTerminal((handler, at) => {
  try {
    const server = Deno.serve(
      { hostname: at.host, port: at.port, onListen: () => {} },
      (request, { remoteAddr }) => handler(request, remoteAddr.hostname ?? null),
    );
    return Promise.resolve({
      port: server.addr.port,
      async close() {
        // A server that shuts down cannot be told to hurry: who hangs by then is left to the end of the process.
        let timer: ReturnType<typeof setTimeout> | undefined;
        await Promise.race([server.shutdown(), new Promise((resolve) => timer = setTimeout(resolve, CLOSE_MS))]);
        clearTimeout(timer);
      },
    });
  } catch (error) {
    throw new Fault("unavailable", cannotListen(at, error), { cause: error });
  }
});

process.exit(await runCommand(Deno.args, terminal));
