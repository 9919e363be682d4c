/**
 * How somebody gets a link that signs in: by mail, where this hub can send one. The link itself is made when the mail is
 * sent (sign-in-mails.ts); where no mail can be sent, an invitation is a link that its maker passes on.
 */
import type { Hub } from "../hub.ts";
import { createSecretText, hashSecretText } from "../security/session.ts";
import type { Bring } from "../store/members.ts";
import { queueMail } from "../store/notify/mails.ts";
import { NO_ORGANIZATION } from "../store/notify/schema-mails.ts";
import { addSignInLink } from "../store/sessions.ts";
import { reserve } from "../store/sequences.ts";
import { DAY_MS, MINUTE_MS } from "../std/time.ts";

export const INVITATION_MS = 7 * DAY_MS;
export const SIGN_IN_LINK_MS = 15 * MINUTE_MS;

export interface Invitation {
  /** The member's last invitation is the one with the highest number. */
  readonly number: number;
  /** The statement that sends it on its way, if a condition holds. */
  readonly bring: Bring;
  /** The address that signs in; null: it goes by mail. */
  readonly link: string | null;
  /** Why it does not go by mail, and what to do about it. */
  readonly notMailed: string | null;
}

/** Why this hub sends no mails with links, and what to do about it; null: it does. */
export function whyNoMail({ mailFrom, isReachable }: Pick<Hub, "mailFrom" | "isReachable">): string | null {
  if (mailFrom == null) return "The hub sends no mails; its operator can set SMTP_URL and MAIL_FROM";
  if (isReachable !== false) return null;
  return "Links in mails would open on the hub's own machine alone; its operator can set MUSTER_PUBLIC_URL";
}

/** An invitation of this member, which takes effect with its statement. */
export async function createInvitation(
  hub: Hub,
  { id: member, organizationId }: { readonly id: number; readonly organizationId: number },
): Promise<Invitation> {
  const { db } = hub, now = hub.now(), notMailed = whyNoMail(hub);
  const number = await reserve(db, "mail");
  if (notMailed === null) {
    const about = { connectionId: null, runId: null, type: "member.invited", facts: { invited: { member } } } as const;
    const bring: Bring = (when) => queueMail(db, { id: number, organizationId, ...about }, now, when);
    return { number, bring, link: null, notMailed };
  }
  const text = createSecretText();
  const row = { hash: hashSecretText(text), organizationId, tokenId: null, memberId: member, isDirect: false };
  return {
    number,
    bring: (when) => addSignInLink(db, { ...row, expiresAt: now + INVITATION_MS }, when),
    link: signInAddress(hub, text),
    notMailed,
  };
}

/**
 * Queues a mail with a link for every membership of the address. Whether there is any is looked at when the mail is sent, so
 * that nobody can tell by how long this takes.
 */
export async function queueSignInMail(hub: Hub, address: string): Promise<void> {
  const mail = { connectionId: null, runId: null, type: "member.sign_in", facts: { signIn: { address } } } as const;
  const id = await reserve(hub.db, "mail");
  await hub.db.write([queueMail(hub.db, { id, organizationId: NO_ORGANIZATION, ...mail }, hub.now())]);
}

/** The address that signs in with this text. */
export function signInAddress({ publicUrl }: Pick<Hub, "publicUrl">, text: string): string {
  return `${publicUrl}/sign-in/${text}`;
}
