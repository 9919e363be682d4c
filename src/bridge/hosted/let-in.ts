/**
 * What a client gets that has logged in: the tree of its connection, unless that has too many clients, and channels for
 * SFTP and nothing else, so many at once, and so many one after another.
 */
import type { AuthContext, Connection, ExecInfo, ServerChannel } from "ssh2";
import type { LetIn } from "../contract.ts";
import { type Client, findHosted, guarded, type Hosting, letsIn, logError } from "./hosting.ts";
import { mostAtOnce } from "./inside.ts";
import { serveSession } from "./session.ts";

/** False: this bridge does not host that connection. Otherwise the client is let in or disconnected. */
export async function letIn(
  hosting: Hosting,
  client: Client,
  ssh: Connection,
  { connection: id, proof }: LetIn,
  context: AuthContext,
): Promise<boolean> {
  const { clients, limits, log, treeOf } = hosting;
  const connection = findHosted(hosting, id);
  if (connection === undefined) return false;
  try {
    // Before the log-in is accepted, so that the client's first requests do not wait for the disk.
    client.tree = await treeOf(connection);
  } catch (error) {
    logError(hosting, "sftp.failed", id, error);
    ssh.end();
    return true;
  }
  if (client.socket.destroyed) return true;
  const isFull = [...clients].filter((each) => each.connection === id).length >= limits.ofLogIn;
  if (isFull) log("sftp.too_many", { connection: id });
  // Or the log-in was revoked while the tree was opened.
  if (isFull || !letsIn(hosting, id, proof)) {
    ssh.end();
    return true;
  }
  client.connection = id;
  client.proof = proof;
  client.busyAt = performance.now();
  log("sftp.logged_in", { connection: id });
  context.accept();
  return true;
}

export function serveChannels(hosting: Hosting, client: Client, ssh: Connection): void {
  const { limits } = hosting;
  let channels = 0, channelsInAll = 0;
  ssh.on(
    "session",
    guarded(hosting, client, (accept, reject) => {
      if (++channelsInAll > limits.channelsInAll) return void client.socket.destroy();
      const { connection: id, tree } = client;
      const connection = id === null ? undefined : findHosted(hosting, id);
      if (connection === undefined || tree === null || channels >= limits.channels) return void reject();
      const session = accept();
      if ((mostAtOnce(session) ?? Infinity) < limits.leastPacketBytes) return void client.socket.destroy();
      channels++;
      session.once("close", () => void channels--);
      session.on("error", () => {});
      session.once("exec", guarded(hosting, client, refuseCommand));
      session.once(
        "sftp",
        guarded(hosting, client, (accept) => {
          // Accepted at once: clients send their first packet without waiting, and it would be lost.
          const sftp = accept();
          // Undefined: the client has closed the channel by now.
          if (sftp === undefined) return;
          const serving = serveSession(hosting, client, sftp, connection, tree);
          client.sessions.add(serving);
          void serving.finally(() => client.sessions.delete(serving));
        }),
      );
    }),
  );
}

const OLD_SCP = "This server takes files by SFTP alone. Use a newer scp, leave its option -O out, or use sftp.\n";

/** There are no commands. That of an old `scp` is answered with a sentence, which the program shows to its user. */
function refuseCommand(accept: () => ServerChannel, reject: () => void, { command }: ExecInfo): void {
  if (!/^scp\s/.test(command)) return reject?.();
  const channel = accept();
  channel.on("error", () => {});
  channel.resume();
  channel.stderr.write(OLD_SCP);
  channel.exit(1);
  channel.end();
}
