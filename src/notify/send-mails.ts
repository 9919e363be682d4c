/**
 * Mails whose time has come, in; handed to a mail server, out. A mail that cannot be sent is tried again, ever later, and
 * shows why; nothing else waits for it.
 *
 * What a mail says is made here, at the moment of sending: its links begin to live now, and it tells what is true now.
 */
import type { Hub } from "../hub.ts";
import { type ReportToSend, reportToSend } from "../report/file.ts";
import { listIssues } from "../store/runs/issues.ts";
import { claimMails, type Mail, settleMail } from "../store/notify/mails.ts";
import { findOrganization, type Organization } from "../store/organizations.ts";
import { findHeldSuccessor, findRun, type StoredRun } from "../store/runs/runs.ts";
import { createTurns, type Turns } from "../std/turns.ts";
import { mintLinks } from "./links.ts";
import { composeMail, headerText, type MailInput, messageId } from "./mail.ts";
import type { Holder } from "../store/lease.ts";
import { HOUR_MS, MINUTE_MS } from "../std/time.ts";

/** A mail as it is handed to a server. Addresses are bare; nothing in a header has a line break. */
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

/** Hands a mail to a server that takes it, or throws. Comes to an end within a minute. */
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
/** Longer than a transport takes, so that only a mail whose sender died is taken over. */
const LEASE_MS = 3 * MINUTE_MS;
/** While a run is planned afresh, its mail waits. */
const PLANNING_MS = MINUTE_MS;
export const MAX_ATTACHED_BYTES = 5 * 1024 * 1024;
const ISSUES_SHOWN = 10;

/**
 * Sends up to four mails whose time has come, of several organizations by `turns`. Gives how many it took: with as many,
 * there may be more.
 */
export async function sendDueMails(
  hub: Hub,
  send: MailTransport,
  sender: Holder,
  turns: Turns = createTurns(),
): Promise<number> {
  const due = await claimMails(hub.db, hub.now(), { sender, limit: MAX_TOGETHER, leaseMs: LEASE_MS, turns });
  await Promise.all(due.map((mail) => sendOne(hub, send, mail)));
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
    // What a server says may quote addresses: it is shown to the organization, and not logged.
    hub.log("mail.not_sent", { mail: mail.id, attempt: mail.attempts, again_ms: gap ?? null });
    const lastError = headerText(error instanceof Error ? error.message : String(error), 500);
    await settleMail(
      hub.db,
      mail,
      gap === undefined ? { status: "failed", lastError } : { dueAt: hub.now() + gap, lastError },
    );
  }
}

async function makeMail(
  hub: Hub,
  mail: Mail,
): Promise<OutgoingMail | { readonly dropped: string } | { readonly wait: true }> {
  const organization = await findOrganization(hub.db, mail.organizationId);
  if (organization?.technicalContact == null) return { dropped: "The organization has no technical contact" };
  let input: MailInput = { type: mail.type, facts: mail.facts, organization, about: null };
  let attachment: OutgoingMail["attachment"] = null;
  if (mail.runId !== null) {
    const found = await findSubject(hub, mail);
    if (found === null) return { dropped: "What it was about is gone" };
    if (mail.type === "run.held" && found.run.status !== "held") {
      const { status } = found.run;
      if (status === "queued" || status === "planning") return { wait: true };
      return { dropped: `The run is "${status}" by now, and was to be announced as held` };
    }
    const { issues, next } = await listIssues(
      hub.db,
      organization.id,
      found.run.id,
      { after: 0, limit: ISSUES_SHOWN },
      found.run,
    );
    const report = await reportToSend(hub, found);
    if (issues.length > 0) attachment = await readReport(report);
    input = {
      ...input,
      about: {
        found,
        links: await mintLinks(hub, found.run, mail.createdAt),
        issues,
        moreIssues: next !== null,
        report: issues.length === 0 ? null : howItComes(report, attachment !== null),
        isOpen: report.isOpen,
      },
    };
  }
  const from = hub.mailFrom ?? "";
  return {
    messageId: messageId(mail.id, from),
    from,
    ...addressesOf(organization),
    ...composeMail(input),
    date: new Date(hub.now()),
    attachment,
  };
}

/** The run that the mail is about; of a held one that another took the place of, the one that is held now. */
async function findSubject(hub: Hub, mail: Mail): Promise<StoredRun | null> {
  const found = await findRun(hub.db, mail.organizationId, mail.runId!);
  if (found === null || mail.type !== "run.held" || found.run.status !== "superseded") return found;
  const successor = await findHeldSuccessor(hub.db, found.run);
  return successor === null ? found : await findRun(hub.db, mail.organizationId, successor);
}

function addressesOf({ technicalContact, replyTo }: Organization): { to: string; replyTo: string | null } {
  const to = bareAddress(technicalContact!);
  if (to === null) throw new Error("The technical contact is no single address: it should be like hr@acme.test");
  return { to, replyTo: replyTo === null ? null : bareAddress(replyTo) };
}

/** One address and nothing else: what could add a header or a recipient is none. */
function bareAddress(text: string): string | null {
  return /^[^\s\p{Cc}<>()[\]\\,;:"@]+@[^\s\p{Cc}<>()[\]\\,;:"@]+$/u.test(text) ? text : null;
}

function howItComes({ isOpen, file }: ReportToSend, isAttached: boolean): "attached" | "encrypted" | "linked" | "kept" {
  if (file === null) return "kept";
  if (!isAttached) return "linked";
  return isOpen ? "attached" : "encrypted";
}

/** The report as it may be sent; null when it may not, or is too large for a mail. */
async function readReport({ file }: ReportToSend): Promise<OutgoingMail["attachment"]> {
  if (file === null) return null;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of await file.open()) {
    size += chunk.length;
    if (size > MAX_ATTACHED_BYTES) return null;
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return { name: headerText(file.name, 200), contentType: file.contentType, bytes };
}
