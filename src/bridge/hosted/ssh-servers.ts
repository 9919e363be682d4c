/**
 * The library's SSH servers: one for each cipher that is offered alone, and one that offers all. No shell, no commands, no
 * forwarding: the library refuses what nothing listens for.
 */
import type { CipherAlgorithm, Connection, Server, ServerConfig } from "ssh2";
import { CIPHERS, COMPRESSION, CURVES, MACS } from "../algorithms.ts";
import { ssh2 } from "../ssh2.ts";

const ALGORITHMS: ServerConfig["algorithms"] = {
  // No key exchange on finite fields: a stranger could make this side compute for long.
  kex: [...CURVES],
  serverHostKey: ["ssh-ed25519"],
  cipher: CIPHERS,
  hmac: MACS,
  compress: COMPRESSION,
};
/** What clients see of this server before they log in: `SSH-2.0-Muster`. */
export const NAME = "Muster";

/** Null: the server that offers all ciphers. */
export type SshServers = (cipher: CipherAlgorithm | null) => Server;

export function createSshServers(
  privateKey: string,
  connected: (ssh: Connection, info: { readonly ip: string; readonly port: number }) => void,
): SshServers {
  const servers = new Map<CipherAlgorithm | null, Server>();
  return (cipher) => {
    const known = servers.get(cipher);
    if (known !== undefined) return known;
    const algorithms = cipher === null ? ALGORITHMS : { ...ALGORITHMS, cipher: [cipher] };
    const server = new ssh2.Server({ hostKeys: [privateKey], algorithms, ident: NAME }, connected);
    server.on("error", () => {});
    servers.set(cipher, server);
    return server;
  };
}
