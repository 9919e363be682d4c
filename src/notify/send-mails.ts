/**
 * Sends queued mails when they are due. A mail that cannot be sent is tried again after growing pauses, and records why;
 * other mails do not wait for it.
 *
 * A mail's words are made at the moment of sending, so they describe the present state, and its links are new.
 */
import type { Hub } from "../hub.ts";
import { digestIssues } from "../report/digest.ts";
import { sourceOf } from "../report/source.ts";
import { hasRowsToCorrect, type ReportToSend, reportToSend } from "../report/file.ts";
import { findContact } from "../store/notify/contacts.ts";
import { claimMails, type Mail, settleMail } from "../store/notify/mails.ts";
import { findOrganization, type Organization } from "../store/organizations.ts";
import { findHeldSuccessor, findRun, type StoredRun } from "../store/runs/runs.ts";
import { createTurns, type Turns } from "../std/turns.ts";
import { mintLinks } from "./links.ts";
import { bareAddress, headerText, messageId } from "./header-text.ts";
import { composeMail } from "./mail.ts";
import type { MailWords } from "./mail-layout.ts";
import { makeMemberMail } from "./sign-in-mails.ts";
import type { AboutRun } from "./about-run.ts";
import { type Holder, RENEW_EVERY_MS } from "../store/lease.ts";
import { forgetSender, renewSender } from "../store/notify/senders.ts";
import { HOUR_MS, MINUTE_MS } from "../std/time.ts";

/** A mail as a server gets it. Addresses are bare, and no header has a line break. */
export interface OutgoingMail {
  readonly messageId: string;
  readonly from: string;
  readonly to: string;
  readonly replyTo: string | null;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly date: Date;
  readonly attachment: { readonly name: string; readonly contentType: string; readonly bytes: Uint8Array } | null;
}

/** Resolves once a server has accepted the mail, and rejects otherwise. Takes at most a minute. */
export type MailTransport = (mail: OutgoingMail) => Promise<void>;

/** Pauses after each attempt; after the last one the mail is `failed`. */
export const MAIL_GAPS_MS: readonly number[] = [
  10_000,
  MINUTE_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  24 * HOUR_MS,
  24 * HOUR_MS,
];

const MAX_TOGETHER = 4;
/** How long a mail about a held run waits while that run is planned again. */
const PLANNING_MS = MINUTE_MS;
export const MAX_ATTACHED_BYTES = 5 * 1024 * 1024;
const ISSUES_SHOWN = 10;

/** Sends up to four due mails, of several organizations by `turns`. Returns how many; at four there may be more. */
export async function sendDueMails(
  hub: Hub,
  send: MailTransport,
  sender: Holder,
  turns: Turns = createTurns(),
): Promise<number> {
  const due = await claimMails(hub.db, hub.now(), { sender, limit: MAX_TOGETHER, turns });
  if (due.length === 0) return 0;
  // A server may take as long to accept a mail as two leases last.
  const renewal = setInterval(() => void renewSender(hub.db, sender).catch(() => {}), RENEW_EVERY_MS);
  try {
    await Promise.all(due.map((mail) => sendOne(hub, send, mail)));
  } finally {
    clearInterval(renewal);
  }
  await forgetSender(hub.db, sender);
  return due.length;
}

async function sendOne(hub: Hub, send: MailTransport, mail: Mail): Promise<void> {
  try {
    const made = await makeMail(hub, mail);
    if ("wait" in made) {
      return await settleMail(hub.db, mail, { dueAt: hub.now() + PLANNING_MS, attempts: mail.attempts - 1 });
    }
    if ("dropped" in made) return await settleMail(hub.db, mail, { status: "dropped", lastError: made.dropped });
    await send(made);
    await settleMail(hub.db, mail, { status: "sent", sentAt: hub.now(), lastError: null });
  } catch (error) {
    const gap = MAIL_GAPS_MS[mail.attempts - 1];
    // A server's message may quote addresses: the organization can see it, but it is not logged.
    hub.log("mail.not_sent", { mail: mail.id, attempt: mail.attempts, again_ms: gap ?? null });
    const lastError = headerText(error instanceof Error ? error.message : String(error), 500);
    await settleMail(
      hub.db,
      mail,
      gap === undefined ? { status: "failed", lastError } : { dueAt: hub.now() + gap, lastError },
    );
  }
}

/** `dropped`: why the mail is no longer true or cannot be sent. `wait`: its run is being planned again. */
async function makeMail(
  hub: Hub,
  mail: Mail,
): Promise<OutgoingMail | { readonly dropped: string } | { readonly wait: true }> {
  const from = hub.mailFrom ?? "", date = new Date(hub.now());
  const made = isForMember(mail) ? await makeMemberMail(hub, mail) : await makeContactMail(hub, mail);
  return "dropped" in made || "wait" in made
    ? made
    : { messageId: messageId(mail.id, from), from, date, attachment: null, ...made };
}

function isForMember({ type }: Mail): boolean {
  return type === "member.invited" || type === "member.sign_in";
}

type Content = MailWords & Pick<OutgoingMail, "to" | "replyTo"> & Partial<Pick<OutgoingMail, "attachment">>;

/** The mail to the technical contact. */
async function makeContactMail(
  hub: Hub,
  mail: Mail,
): Promise<Content | { readonly dropped: string } | { readonly wait: true }> {
  const organization = await findOrganization(hub.db, mail.organizationId);
  const contact = await findContact(hub.db, mail.organizationId, mail.connectionId);
  if (organization === null || contact === null) return { dropped: "There is no technical contact" };
  let about: AboutRun | null = null;
  let attachment: OutgoingMail["attachment"] = null;
  if (mail.runId !== null) {
    const found = await findSubject(hub, mail);
    if (found === null) return { dropped: "What it was about is gone" };
    if (mail.type === "run.held" && found.run.status !== "held") {
      const { status } = found.run;
      if (status === "queued" || status === "planning") return { wait: true };
      return { dropped: `The run is "${status}" by now, and was to be announced as held` };
    }
    const report = await reportToSend(hub, found);
    const hasRows = await hasRowsToCorrect(hub.db, found);
    if (hasRows) attachment = await readReport(report);
    about = {
      found,
      links: await mintLinks(hub, found.run, mail.createdAt),
      issues: await digestIssues(hub.db, found.run, ISSUES_SHOWN),
      source: sourceOf(hub, found),
      report: !hasRows ? null : howItComes(report, attachment !== null),
      isOpen: report.isOpen,
    };
  }
  return {
    ...addressesOf(organization, contact),
    ...composeMail({ type: mail.type, facts: mail.facts, organization, about }),
    attachment,
  };
}

/** The run that the mail is about. If a held run was superseded by another one, that run, where it is held. */
async function findSubject(hub: Hub, mail: Mail): Promise<StoredRun | null> {
  const found = await findRun(hub.db, mail.organizationId, mail.runId!);
  if (found === null || mail.type !== "run.held" || found.run.status !== "superseded") return found;
  const successor = await findHeldSuccessor(hub.db, found.run);
  return successor === null ? found : await findRun(hub.db, mail.organizationId, successor);
}

function addressesOf({ replyTo }: Organization, contact: string): { to: string; replyTo: string | null } {
  const to = bareAddress(contact);
  if (to === null) throw new Error("The technical contact is not a single address: it should be like hr@acme.test");
  return { to, replyTo: replyTo === null ? null : bareAddress(replyTo) };
}

function howItComes({ isOpen, file }: ReportToSend, isAttached: boolean): AboutRun["report"] {
  if (file === null) return "kept";
  if (!isAttached) return "linked";
  return isOpen ? "attached" : "encrypted";
}

/** The report as an attachment; null: it may not be sent by mail, or is too large. */
async function readReport({ file }: ReportToSend): Promise<OutgoingMail["attachment"]> {
  if (file === null) return null;
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of await file.open()) {
    size += chunk.length;
    if (size > MAX_ATTACHED_BYTES) return null;
    chunks.push(chunk as Uint8Array<ArrayBuffer>);
  }
  const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
  return { name: headerText(file.name, 200), contentType: file.contentType, bytes };
}
