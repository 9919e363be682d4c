/** A server of ours, for what OpenSSH's own cannot be made to do: it lets in and answers as the test says. */
import { Buffer } from "node:buffer";
import { createHash, generateKeyPairSync } from "node:crypto";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import type { AuthContext, SFTPWrapper } from "ssh2";
import type { SshServer } from "./sshd.ts";
import { ssh2 } from "../../src/bridge/ssh2.ts";

export async function startOwnServer(
  t: TestContext,
  lets: (context: AuthContext) => void,
  answers: (sftp: SFTPWrapper) => void = () => {},
): Promise<SshServer> {
  const pem = { type: "pkcs1", format: "pem" } as const;
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: pem,
    publicKeyEncoding: pem,
  });
  const server = new ssh2.Server({ hostKeys: [privateKey] }, (client) => {
    (client as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true);
    client.on("error", () => {});
    client.on("authentication", lets);
    client.on("ready", () =>
      client.on("session", (accept) =>
        accept().on("sftp", (accept) => {
          const sftp = accept();
          sftp.on("REALPATH", (id) => sftp.name(id, [{ filename: "/", longname: "/", attrs: {} as never }]));
          answers(sftp);
        })));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => server.close());
  const key = ssh2.utils.parseKey(privateKey);
  if (key instanceof Error) throw key;
  return {
    port: (server.address() as AddressInfo).port,
    username: "hr",
    folder: "/",
    privateKey: "",
    passphrase: "",
    hostKey: `SHA256:${createHash("sha256").update(key.getPublicSSH()).digest("base64").replace(/=+$/, "")}`,
    stop: () => Promise.resolve(),
  };
}

/** A folder with as many names as the test says, and nothing but names. */
export function listsNames(sftp: SFTPWrapper, count: number, nameOf: (number: number) => string): void {
  let given = 0;
  sftp.on("OPENDIR", (id) => {
    given = 0;
    sftp.handle(id, Buffer.from([1]));
  });
  sftp.on("READDIR", (id) => {
    if (given >= count) return sftp.status(id, ssh2.utils.sftp.STATUS_CODE.EOF);
    const names = Array.from({ length: Math.min(100, count - given) }, () => {
      const filename = nameOf(given++);
      return {
        filename,
        longname: filename,
        attrs: { mode: 0o100644, size: 9, uid: 0, gid: 0, atime: 1, mtime: given },
      };
    });
    sftp.name(id, names);
  });
  sftp.on("CLOSE", (id) => sftp.status(id, ssh2.utils.sftp.STATUS_CODE.OK));
}
