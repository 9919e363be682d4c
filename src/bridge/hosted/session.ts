/**
 * One SFTP channel: the requests of version 3 of the protocol (draft-ietf-secsh-filexfer-02), answered from a tree, in the
 * order in which they come. Requests by kind are in by-path.ts and by-handle.ts.
 *
 * What is not supported (links, and every extension but one) is refused as such. Times and modes that clients set are
 * accepted and ignored: the sender of a file does not decide when it came.
 */
import type { SFTPWrapper } from "ssh2";
import type { BridgeConnection } from "../contract.ts";
import { ssh2 } from "../ssh2.ts";
import { announceLimits, LIMITS, sendLimits } from "./announce.ts";
import { BY_HANDLE, writeTo } from "./by-handle.ts";
import { BY_PATH } from "./by-path.ts";
import { type Answer, type Channel, createHandles, type Holds, MOST_READ, OK } from "./channel.ts";
import { type Client, findHosted, holdsOf, type Hosting, logError, reportTrouble } from "./hosting.ts";
import { holdBack, type Incoming } from "./incoming.ts";
import { hangUp, sendsNow } from "./inside.ts";
import { Refusal, refusalOf, type RefusalStatus } from "./refusal.ts";
import { createRequests, type Requests } from "./requests.ts";
import type { Tree } from "./tree.ts";
import { createWrites } from "./writes.ts";
import { closeWriting } from "./writing.ts";

const { STATUS_CODE } = ssh2.utils.sftp;
const STATUS: Record<RefusalStatus, number> = {
  missing: STATUS_CODE.NO_SUCH_FILE,
  denied: STATUS_CODE.PERMISSION_DENIED,
  failed: STATUS_CODE.FAILURE,
  unsupported: STATUS_CODE.OP_UNSUPPORTED,
};
/** The longest packet that the library takes, and how much of it is left for data. */
const MOST_PACKET = 256 * 1024, MOST_WRITE = 255 * 1024;

/** A channel that is being served: its connection, and where answers and errors go. */
interface Serving extends Channel {
  readonly sftp: SFTPWrapper;
  readonly hosting: Hosting;
  readonly client: Client;
  /** What all sessions of the same log-in hold. */
  readonly holds: Holds;
  /** Logs an unexpected error. */
  readonly unexpected: (error: unknown) => void;
}

type Handler = (channel: Channel, ...args: never[]) => Answer | Promise<Answer>;

/** Serves until the channel ends; resolves when all requests are done and every file is closed. */
export function serveSession(
  hosting: Hosting,
  client: Client,
  sftp: SFTPWrapper,
  connection: BridgeConnection,
  tree: Tree,
): Promise<void> {
  const { id } = connection;
  const holds = holdsOf(hosting, id);
  const serving: Serving = {
    sftp,
    hosting,
    client,
    tree,
    holds,
    handles: createHandles(hosting.limits, holds, hosting.holdsInAll),
    folder: () => (findHosted(hosting, id) ?? connection).settings.folder,
    passed: hosting.passed,
    reportTrouble: (trouble) => reportTrouble(hosting, id, trouble),
    unexpected: (error) => logError(hosting, "sftp.failed", id, error),
  };
  const requests = createRequests({
    socket: client.socket,
    flow: client.flow,
    outgoing: client.outgoing,
    limits: hosting.limits,
    sendsNow: () => sendsNow(sftp),
    incoming: () => incoming,
    stuck: (bytes) => countStuck(serving, bytes),
  });
  const incoming = holdBack(sftp, {
    mostPacket: MOST_PACKET,
    isFull: requests.isFull,
    changed: requests.weigh,
    // The client takes no answers either.
    ended: () => hangUp(sftp),
  });
  serveRequests(serving, requests);
  return untilEnd(serving, incoming, requests);
}

/** Queues each request by its kind. */
function serveRequests(serving: Serving, requests: Requests): void {
  const { sftp, client, hosting: { limits } } = serving;
  const busy = () => void (client.busyAt = performance.now());

  function add(id: number, bytes: number, handle: () => Answer | Promise<Answer>): void {
    busy();
    requests.add(bytes, async () => {
      try {
        send(serving, id, await handle());
      } catch (error) {
        refuse(serving, id, error);
      }
    });
  }

  const handlers: Record<string, Handler> = { ...BY_PATH, ...BY_HANDLE };
  for (const [event, handle] of Object.entries(handlers)) {
    const listener = (id: number, ...args: never[]) => add(id, bytesOf(args), () => handle(serving, ...args));
    sftp.on(event as "CLOSE", listener as never);
  }

  const writes = createWrites({
    requests,
    write: (handle, offset, data) => writeTo(serving, handle, offset, data),
    ok: (id) => send(serving, id, OK),
    refuse: (id, error) => refuse(serving, id, error),
  });
  sftp.on("WRITE", (id, handle, offset, data) => {
    busy();
    writes.add(bytesOf([handle, data]), handle, { id, offset, data });
  });

  announceLimits(sftp);
  const clientLimits = { packet: MOST_PACKET, read: MOST_READ, write: MOST_WRITE, handles: limits.handles };
  sftp.on("EXTENDED", (id: number, name: string) =>
    add(id, bytesOf([name]), () => (sftp, id) => {
      if (name !== LIMITS || !sendLimits(sftp, id, clientLimits)) sftp.status(id, STATUS_CODE.OP_UNSUPPORTED);
    }));
}

/** Never throws. */
function send({ sftp, client, unexpected }: Serving, id: number, answer: Answer): void {
  try {
    answer(sftp, id);
  } catch (error) {
    unexpected(error);
    client.socket.destroy();
  }
}

function refuse(serving: Serving, id: number, error: unknown): void {
  const refusal = refusalOf(error);
  if (refusal.trouble !== null) serving.reportTrouble(refusal.trouble);
  else if (!(error instanceof Refusal) && refusal.cause !== undefined) serving.unexpected(error);
  send(serving, id, (sftp, id) => sftp.status(id, STATUS[refusal.status], refusal.message));
}

/** Counts bytes that wait while clients make no room for answers; disconnects this client when they are too many. */
function countStuck({ holds, hosting: { holdsInAll, limits }, client }: Serving, bytes: number): void {
  holds.stuckBytes += bytes;
  holdsInAll.stuckBytes += bytes;
  const isTooMuch = holds.stuckBytes > limits.stuckBytesOfLogIn || holdsInAll.stuckBytes > limits.stuckBytesInAll;
  if (bytes > 0 && isTooMuch) client.socket.destroy();
}

/** Resolves when the channel has ended, its requests are done, and its files are closed. */
function untilEnd(serving: Serving, incoming: Incoming, requests: Requests): Promise<void> {
  const { sftp, client, tree, handles, unexpected } = serving;
  return new Promise((resolve) => {
    let isEnding = false;
    const end = async () => {
      if (isEnding) return;
      isEnding = true;
      incoming.drop();
      await requests.end();
      for (const open of handles.drain()) {
        if (open.is === "folder") continue;
        await (open.is === "read" ? open.file.close() : closeWriting(tree, open.file, false)).catch(unexpected);
      }
      resolve();
    };
    // Packets that make no sense end the channel.
    sftp.on("error", () => void end());
    sftp.on("end", () => {
      hangUp(sftp);
      void end();
    });
    sftp.on("close", () => void end());
    client.socket.once("close", () => void end());
  });
}

/** What a request occupies in memory while it waits. */
function bytesOf(args: readonly { length?: number }[]): number {
  return 256 + args.reduce((sum, each) => sum + (each?.length ?? 0), 0);
}
