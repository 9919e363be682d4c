/**
 * A listening socket that goes on: where accepting fails, as no file is free, it pauses and is tried again. Of HTTP and
 * of SFTP.
 *
 * Node waits by itself. Deno's listener never accepts again after such a failure and says nothing of it. So whoever
 * accepts nothing for a while calls itself, and listens anew when nobody answers.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

export interface Listener {
  readonly port: number;
  /** Accepts no more. Connections that were accepted stay; resolves when they are gone. */
  close(): Promise<void>;
}

/** How long nobody may have come until it is tried, and how long the try may take. */
const LOOK_EVERY_MS = 2_000, ANSWER_MS = 2_000;
/** Tries in a row that fail until it listens anew: a busy process answers late. */
const FAILED_TRIES = 2;

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** Whoever has sent all that it has to say can be answered nevertheless. */
  readonly allowHalfOpen: boolean;
  /** Nobody is called for the tries. */
  readonly onConnection: (socket: Socket) => void;
  /** It has begun to listen anew. */
  readonly onRestart: () => void;
}

/** Fails with the runtime's error when it cannot listen. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  let accepted = 0, seen = 0, failed = 0, closed = false;
  let probe: Socket | null = null;

  async function accept(socket: Socket): Promise<void> {
    accepted++;
    // Whoever resets a connection ends it, and nothing else.
    socket.on("error", () => {});
    if (probe === null) return options.onConnection(socket);
    const tried = probe;
    if (tried.connecting) await new Promise((resolve) => tried.once("connect", resolve).once("close", resolve));
    if (tried.localPort === socket.remotePort && tried.localAddress === socket.remoteAddress) socket.destroy();
    else options.onConnection(socket);
  }

  const open = (port: number) =>
    new Promise<Server>((resolve, reject) => {
      const made = createServer(
        { allowHalfOpen: options.allowHalfOpen, noDelay: true },
        (socket) => void accept(socket),
      );
      made.once("error", reject);
      made.listen({ port, host: options.host, backlog: 1024 }, () => {
        made.off("error", reject);
        // Nothing to be done here: what does not accept is found by the look below.
        made.on("error", () => {});
        resolve(made);
      });
    });

  let server: Server | null = await open(options.port);
  const { port, address } = server.address() as { port: number; address: string };

  /** Whether a connection to itself is accepted in time; true as well where none can be made. */
  function answers(): Promise<boolean> {
    const before = accepted;
    return new Promise((resolve) => {
      const host = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
      const trying = probe = connect({ port, host });
      let connected = false;
      const poll = setInterval(() => accepted > before && end(true), 50);
      // Where the process was busy, what has come meanwhile is seen only after this timer.
      const timer = setTimeout(() => late = setTimeout(() => end(!connected), 500), ANSWER_MS);
      let late: ReturnType<typeof setTimeout> | undefined;
      const end = (result: boolean) => {
        clearInterval(poll);
        clearTimeout(timer);
        clearTimeout(late);
        trying.destroy();
        probe = null;
        resolve(result);
      };
      trying.once("connect", () => connected = true);
      // No file is free for it, perhaps: what can be said then comes with the next look.
      trying.on("error", () => end(true));
    });
  }

  async function look(): Promise<void> {
    if (accepted !== seen) failed = 0;
    else if (server !== null && await answers()) failed = 0;
    else failed++;
    seen = accepted;
    if (closed || failed < FAILED_TRIES && server !== null) return;
    server?.close();
    server = null;
    try {
      server = await open(port);
      if (closed) return void server.close();
      failed = 0;
      options.onRestart();
    } catch {
      // The next look tries again.
    }
  }

  let looking = false;
  const timer = setInterval(async () => {
    if (looking) return;
    looking = true;
    await look();
    looking = false;
  }, LOOK_EVERY_MS);
  timer.unref();

  return {
    port,
    close() {
      closed = true;
      clearInterval(timer);
      return new Promise((resolve) => server === null ? resolve() : server.close(() => resolve()));
    },
  };
}
