/** Sends mails to the server that SMTP_URL names, through nodemailer. It needs Node's sockets, which Workers lack. */
import { Buffer } from "node:buffer";
import { createTransport } from "nodemailer";
import type { MailTransport } from "../notify/send-mails.ts";
import { isLoopback } from "./loopback.ts";

export interface SmtpTransport {
  readonly send: MailTransport;
  close(): void;
}

const CONNECT_MS = 10_000;
const SILENCE_MS = 20_000;
/** The longest time for one mail, however slowly the server answers. */
const WHOLE_MS = 60_000;

/** Connects for each mail. User name and password are removed from the server's error messages. */
export function createSmtpTransport(url: string, wholeMs = WHOLE_MS): SmtpTransport {
  const { username, password, hostname } = new URL(url);
  const secrets = [username, password, decodeURIComponent(username), decodeURIComponent(password)]
    .filter((each) => each.length > 2);
  const limits = { connectionTimeout: CONNECT_MS, greetingTimeout: CONNECT_MS, socketTimeout: SILENCE_MS };
  // A password is only sent encrypted, except to this machine.
  const requireTLS = password !== "" && !isLoopback(hostname);
  // nodemailer must not read files or URLs that a text or an address may look like.
  const closed = { disableFileAccess: true, disableUrlAccess: true };
  const giveUp = new Set<(reason: Error) => void>();

  async function send(mail: Parameters<MailTransport>[0]): Promise<void> {
    // One transport for each mail, so that a mail that hangs can be ended alone.
    const transport = createTransport({ url, requireTLS, ...limits, ...closed });
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stop = (_reason: Error) => {};
    const stopped = new Promise<never>((_, reject) => {
      stop = reject;
      giveUp.add(stop);
      timer = setTimeout(() => reject(new Error(`The mail server took longer than ${wholeMs / 1000} s`)), wholeMs);
    });
    try {
      await Promise.race([stopped, transport.sendMail(messageOf(mail))]);
    } catch (error) {
      let text = error instanceof Error ? error.message : String(error);
      for (const secret of secrets) text = text.replaceAll(secret, "…");
      throw new Error(text);
    } finally {
      clearTimeout(timer);
      giveUp.delete(stop);
      transport.close();
    }
  }

  return {
    send,
    close() {
      for (const stop of giveUp) stop(new Error("The hub was stopped before the mail server took the mail"));
    },
  };
}

function messageOf(mail: Parameters<MailTransport>[0]) {
  return {
    messageId: mail.messageId,
    from: mail.from,
    to: { name: "", address: mail.to },
    ...(mail.replyTo === null ? {} : { replyTo: { name: "", address: mail.replyTo } }),
    subject: mail.subject,
    date: mail.date,
    text: mail.text,
    html: mail.html,
    // RFC 3834: prevents automatic replies, such as out-of-office notices.
    headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" },
    attachments: mail.attachment === null ? [] : [{
      filename: mail.attachment.name,
      content: Buffer.from(mail.attachment.bytes),
      contentType: mail.attachment.contentType,
      // base64 preserves line ends and the byte order mark.
      contentTransferEncoding: "base64" as const,
    }],
  };
}
