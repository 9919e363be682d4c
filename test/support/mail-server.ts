/** A mail server on this machine that keeps what it is sent, or fails as a test wants. */
import { type AddressObject, type ParsedMail, simpleParser } from "mailparser";
import { Buffer } from "node:buffer";
import type { AddressInfo, Socket } from "node:net";
import { createServer } from "node:net";
import { SMTPServer } from "smtp-server";

export interface Received {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
  readonly mail: ParsedMail;
}

export interface MailServer {
  readonly port: number;
  readonly received: Received[];
  /** What it says to the next mails instead of taking them; null: it takes them. */
  refusal: { code: number; text: string } | null;
  /** Called when a mail has come in whole, before it is acknowledged. */
  onMail: ((received: Received) => void | Promise<void>) | null;
  close(): Promise<void>;
}

export async function startMailServer(
  options: { port?: number; user?: string; password?: string } = {},
): Promise<MailServer> {
  const { user, password } = options;
  const server = new SMTPServer({
    authOptional: user === undefined,
    allowInsecureAuth: true,
    disabledCommands: ["STARTTLS"],
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 100,
    onAuth(auth, _session, done) {
      if (auth.username === user && auth.password === password) return done(null, { user: auth.username });
      done(new Error(`Invalid user name or password "${auth.password}"`));
    },
    onRcptTo(_address, _session, done) {
      if (own.refusal === null) return done();
      done(Object.assign(new Error(own.refusal.text), { responseCode: own.refusal.code }));
    },
    onData(stream, session, done) {
      const chunks: Uint8Array[] = [];
      stream.on("data", (chunk) => chunks.push(chunk));
      stream.on("end", () => {
        void (async () => {
          const raw = Buffer.concat(chunks);
          const { mailFrom, rcptTo } = session.envelope;
          const received: Received = {
            from: mailFrom === false ? "" : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            raw: raw.toString("latin1"),
            mail: await simpleParser(raw),
          };
          await own.onMail?.(received);
          own.received.push(received);
          done();
        })();
      });
    },
  });
  // A client that is killed leaves its connection broken.
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", () => resolve()));
  const own: MailServer = {
    port: (server.server.address() as AddressInfo).port,
    received: [],
    refusal: null,
    onMail: null,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return own;
}

/** Takes connections and never says a word. */
export async function startSilentServer(): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** A header's addresses as text. */
export function addressesIn(field: AddressObject | AddressObject[] | undefined): string {
  return [field ?? []].flat().map(({ text }) => text).join(", ");
}
