/** The mail server that SMTP_URL names, through nodemailer. Not on Workers: it needs sockets of Node's kind. */
import { Buffer } from "node:buffer";
import { createTransport } from "nodemailer";
import type { MailTransport } from "../notify/send-mails.ts";

export interface SmtpTransport {
  readonly send: MailTransport;
  close(): void;
}

const CONNECT_MS = 10_000;
const SILENCE_MS = 20_000;
/** However slowly a server answers. */
const WHOLE_MS = 60_000;

/** A connection is made when there is a mail. What a server says reaches errors without the user name and password. */
export function createSmtpTransport(url: string, wholeMs = WHOLE_MS): SmtpTransport {
  const { username, password, hostname } = new URL(url);
  const secrets = [username, password, decodeURIComponent(username), decodeURIComponent(password)]
    .filter((each) => each.length > 2);
  const limits = { connectionTimeout: CONNECT_MS, greetingTimeout: CONNECT_MS, socketTimeout: SILENCE_MS };
  // A password goes over no wire in the clear; to this machine there is no wire.
  const requireTLS = password !== "" && !/^(localhost|127\..*|\[::1\])$/.test(hostname);
  // A text or an address is never taken for a file or a page to be read.
  const closed = { disableFileAccess: true, disableUrlAccess: true };
  const giveUp = new Set<(reason: Error) => void>();

  async function send(mail: Parameters<MailTransport>[0]): Promise<void> {
    // One for each mail, so that one that hangs can be ended alone.
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
    // RFC 3834: nobody's holiday notice answers it.
    headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" },
    attachments: mail.attachment === null ? [] : [{
      filename: mail.attachment.name,
      content: Buffer.from(mail.attachment.bytes),
      contentType: mail.attachment.contentType,
      // Line ends and the byte order mark come through as they are.
      contentTransferEncoding: "base64" as const,
    }],
  };
}
