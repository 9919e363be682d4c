/**
 * The outbound gate for what is not HTTP: a TCP connection to a host, whose address is judged between resolving and
 * connecting, on the very address that is connected to.
 */
import { connect } from "node:net";
import type { Dial } from "../bridge/contract.ts";
import { type AllowHosts, judgeHost } from "../security/outbound.ts";
import { createLookup, type Resolve, resolveAll } from "./outbound.ts";

export function createDial(allow: AllowHosts, resolve: Resolve = resolveAll): Dial {
  return async (host, port, signal) => {
    const target = judgeHost(host, allow);
    signal.throwIfAborted();
    return await new Promise((done, fail) => {
      const socket = connect({
        host: target.route?.address ?? target.host,
        port: target.route?.port ?? port,
        // A number is not resolved: it has been judged as it was written.
        ...(target.isNumber || target.route !== null ? {} : { lookup: createLookup(target, allow, resolve) }),
      });
      // SFTP is many small questions: one that waits for the answer to another's packet costs 40 ms.
      socket.setNoDelay(true);
      const abort = () => {
        socket.destroy();
        fail(signal.reason);
      };
      signal.addEventListener("abort", abort, { once: true });
      const settled = () => signal.removeEventListener("abort", abort);
      socket.once("error", (error) => {
        settled();
        fail(error);
      });
      socket.once("connect", () => {
        settled();
        // Until somebody listens, an error behind here would be nobody's, and end the process.
        socket.on("error", () => {});
        done(socket);
      });
    });
  };
}
