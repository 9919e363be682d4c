/**
 * Makes the mails that let members in: an invitation, and the links that an address asked for. The links are made here, at
 * each attempt to send: of each, only the hash is stored, and only while the mail is this process's to send.
 */
import type { Hub } from "../hub.ts";
import { createSecretText, hashSecretText } from "../security/session.ts";
import { addMailedLink, findMembership, listMemberships, type Membership } from "../store/members.ts";
import type { Mail } from "../store/notify/mails.ts";
import { listLinks } from "../store/sessions.ts";
import { bareAddress } from "./header-text.ts";
import { INVITATION_MS, SIGN_IN_LINK_MS, signInAddress } from "./invitations.ts";
import type { MailWords } from "./mail-layout.ts";
import { wordsOfInvitation, wordsOfSignIn } from "./mail-members.ts";

export type MemberMail = MailWords & { readonly to: string; readonly replyTo: string | null };

/** More organizations than anybody looks after as a member of each. */
const MAX_MEMBERSHIPS = 50;

/** `dropped`: why there is nothing to send. */
export async function makeMemberMail(hub: Hub, mail: Mail): Promise<MemberMail | { readonly dropped: string }> {
  const { invited, signIn } = mail.facts;
  if (invited !== undefined) return await makeInvitation(hub, mail, invited.member);
  return signIn === undefined ? { dropped: "It names no member" } : await makeSignIn(hub, mail, signIn.address);
}

async function makeInvitation(hub: Hub, mail: Mail, id: number): Promise<MemberMail | { readonly dropped: string }> {
  const found = await findMembership(hub.db, mail.organizationId, id);
  if (found === null) return { dropped: "The member was removed" };
  if (found.member.invitation !== mail.id) return { dropped: "A later invitation has taken its place" };
  const until = hub.now() + INVITATION_MS;
  const [made] = await mint(hub, mail, [found], until);
  if (made === undefined) return { dropped: "A later invitation has taken its place" };
  const words = wordsOfInvitation({ ...found, link: made.link, until, hub: hub.publicUrl });
  return { ...words, ...addressesOf(found.member.email, [found]) };
}

async function makeSignIn(hub: Hub, mail: Mail, address: string): Promise<MemberMail | { readonly dropped: string }> {
  // Nobody waits for it any more.
  if (hub.now() - mail.createdAt > SIGN_IN_LINK_MS) return { dropped: "It was asked for too long ago" };
  const found = await listMemberships(hub.db, address, MAX_MEMBERSHIPS);
  const made = await mint(hub, mail, found, hub.now() + SIGN_IN_LINK_MS);
  if (made.length === 0) return { dropped: "No member has the address" };
  return { ...wordsOfSignIn(made), ...addressesOf(address, found) };
}

type Made = Membership & { readonly link: string };

/** Makes a link for each membership that is still as it was read, while the mail is this process's to send. */
async function mint(
  hub: Hub,
  mail: Mail,
  memberships: readonly Membership[],
  expiresAt: number,
): Promise<Made[]> {
  const { db } = hub;
  const made = memberships.map((membership) => {
    const text = createSecretText();
    return { membership, hash: hashSecretText(text), link: signInAddress(hub, text) };
  });
  const now = hub.now();
  await db.write(
    made.flatMap(({ membership, hash }) => addMailedLink(db, mail, membership.member, { hash, expiresAt }, now)),
  );
  const stored = await listLinks(db, made.map(({ hash }) => hash));
  return made.filter(({ hash }) => stored.has(hash)).map(({ membership, link }) => ({ ...membership, link }));
}

/** Answers go to the organization, where it is only one. */
function addressesOf(email: string, [first, ...others]: readonly Membership[]): Pick<MemberMail, "to" | "replyTo"> {
  const to = bareAddress(email);
  if (to === null) throw new Error("The member's address is not a single address: it should be like hr@acme.test");
  const replyTo = others.length > 0 ? null : first?.organization.replyTo ?? null;
  return { to, replyTo: replyTo === null ? null : bareAddress(replyTo) };
}
