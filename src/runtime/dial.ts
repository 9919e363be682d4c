/**
 * The outbound gate for protocols other than HTTP: opens TCP connections. The host's address is checked after it is
 * resolved, on the very address that is connected to.
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
        // An IP address is not resolved; it has been checked already.
        ...(target.isNumber || target.route !== null ? {} : { lookup: createLookup(target, allow, resolve) }),
      });
      // SFTP sends many small packets; without this, each might wait 40 ms for an acknowledgement.
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
        // Without a listener, a later error would end the process.
        socket.on("error", () => {});
        done(socket);
      });
    });
  };
}
