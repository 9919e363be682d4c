/**
 * A listening socket that keeps accepting, for HTTP and for SFTP. Where accepting fails because the process has no file
 * left, it pauses and tries again.
 *
 * Node does so by itself. Deno's listener never accepts again after such a failure, and reports nothing. So a listener that
 * has accepted nothing for a while connects to itself, and is replaced by a new one when that is not answered.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

export interface Listener {
  readonly port: number;
  /** Accepts no more. Accepted connections stay; resolves when they are gone. */
  close(): Promise<void>;
}

/** After how long without a connection it is tested, and how long the test may take. */
const LOOK_EVERY_MS = 2_000, ANSWER_MS = 2_000;
/** How many tests in a row fail until the listener is replaced: a busy process answers late. */
const FAILED_TESTS = 2;

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** Whether a client that has ended its side can still be answered. */
  readonly allowHalfOpen: boolean;
  /** Not called for the tests. */
  readonly onConnection: (socket: Socket) => void;
  /** The listener was replaced. */
  readonly onRestart: () => void;
}

interface Accepting {
  accepted: number;
  /** The connection to itself, while it is tested. */
  probe: Socket | null;
}

/** Fails with the runtime's error when it cannot listen. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const accepting: Accepting = { accepted: 0, probe: null };
  let seen = 0, failed = 0, isClosed = false, isLooking = false;
  let server: Server | null = await openServer(options, options.port, accepting);
  const { port, address } = server.address() as { port: number; address: string };
  const host = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;

  async function look(): Promise<void> {
    if (accepting.accepted !== seen) failed = 0;
    else if (server !== null && await answers(accepting, host, port)) failed = 0;
    else failed++;
    seen = accepting.accepted;
    if (isClosed || failed < FAILED_TESTS && server !== null) return;
    server?.close();
    server = null;
    try {
      server = await openServer(options, port, accepting);
      if (isClosed) return void server.close();
      failed = 0;
      options.onRestart();
    } catch {
      // The next look tries again.
    }
  }

  const timer = setInterval(async () => {
    if (isLooking) return;
    isLooking = true;
    await look();
    isLooking = false;
  }, LOOK_EVERY_MS);
  timer.unref();

  return {
    port,
    close() {
      isClosed = true;
      clearInterval(timer);
      return new Promise((resolve) => server === null ? resolve() : server.close(() => resolve()));
    },
  };
}

function openServer(options: ListenerOptions, port: number, accepting: Accepting): Promise<Server> {
  const { allowHalfOpen, host } = options;
  return new Promise((resolve, reject) => {
    const server = createServer(
      { allowHalfOpen, noDelay: true },
      (socket) => void accept(accepting, options.onConnection, socket),
    );
    server.once("error", reject);
    server.listen({ port, host, backlog: 1024 }, () => {
      server.off("error", reject);
      // Ignored: a listener that accepts nothing is found by its test.
      server.on("error", () => {});
      resolve(server);
    });
  });
}

async function accept(accepting: Accepting, onConnection: (socket: Socket) => void, socket: Socket): Promise<void> {
  accepting.accepted++;
  // A client that resets its connection ends that connection, and nothing else.
  socket.on("error", () => {});
  const { probe } = accepting;
  if (probe === null) return onConnection(socket);
  if (probe.connecting) await new Promise((resolve) => probe.once("connect", resolve).once("close", resolve));
  if (probe.localPort === socket.remotePort && probe.localAddress === socket.remoteAddress) socket.destroy();
  else onConnection(socket);
}

/** Whether a connection to itself is accepted in time. True as well where the connection cannot be made. */
function answers(accepting: Accepting, host: string, port: number): Promise<boolean> {
  const before = accepting.accepted;
  return new Promise((resolve) => {
    const probe = accepting.probe = connect({ port, host });
    let isConnected = false;
    let late: ReturnType<typeof setTimeout> | undefined;
    const poll = setInterval(() => accepting.accepted > before && end(true), 50);
    // In a busy process, a connection that has come is accepted only after this timer.
    const timer = setTimeout(() => late = setTimeout(() => end(!isConnected), 500), ANSWER_MS);
    const end = (result: boolean) => {
      clearInterval(poll);
      clearTimeout(timer);
      clearTimeout(late);
      probe.destroy();
      accepting.probe = null;
      resolve(result);
    };
    probe.once("connect", () => isConnected = true);
    // Perhaps the process has no file left for it, which shows nothing about the listener.
    probe.on("error", () => end(true));
  });
}
