/** A customer's program that puts files over SFTP, and again where the server goes away in the midst of one. */
import { Buffer } from "node:buffer";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { ssh2 } from "../../src/bridge/ssh2.ts";

export interface SftpLogin {
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

const PUT_WITHIN_MS = 180_000, READY_MS = 5_000, PAUSE_MS = 300;

/** Resolves once the server has acknowledged the whole file. */
export async function put(login: SftpLogin, name: string, text: string): Promise<void> {
  for (const end = Date.now() + PUT_WITHIN_MS;;) {
    try {
      return await putOnce(login, name, text);
    } catch (cause) {
      if (Date.now() > end) throw new Error(`${name} could not be put`, { cause });
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

function putOnce({ port, username, password }: SftpLogin, name: string, text: string): Promise<void> {
  const client = new ssh2.Client();
  return new Promise<void>((resolve, reject) => {
    client.on("error", reject).on("close", () => reject(new Error("closed"))).on("ready", () => {
      client.sftp((error, sftp) => {
        if (error) return reject(error);
        sftp.writeFile(`/incoming/${name}`, Buffer.from(text), (failed) => failed ? reject(failed) : resolve());
      });
    });
    client.connect({ host: "127.0.0.1", port, username, password, readyTimeout: READY_MS });
  }).finally(() => client.end());
}

/** A port that nobody listens at. */
export async function findPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
