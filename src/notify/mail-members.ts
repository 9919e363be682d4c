/** The words of mails that let members in. No I/O, no clock. */
import { ROLES } from "../model/role.ts";
import type { Membership } from "../store/members.ts";
import { headerText } from "./header-text.ts";
import { type Block, layOut, type MailWords } from "./mail-layout.ts";
import { whenInWords } from "./words.ts";

const NAME_LENGTH = 60;

export interface InvitationWords extends Membership {
  readonly link: string;
  /** When the link expires: milliseconds since 1970. */
  readonly until: number;
  /** The hub's address. */
  readonly hub: string;
}

export function wordsOfInvitation({ member, organization, link, until, hub }: InvitationWords): MailWords {
  const { role, email, invitedBy } = member, name = headerText(organization.name, NAME_LENGTH);
  const inviter = invitedBy.kind === "member" && invitedBy.name !== null ? invitedBy.name : name;
  return layOut({
    subject: `${name}: you are invited to Muster`,
    blocks: [
      { p: `${inviter} invites you to Muster, which keeps the people of ${name} in step with its HR systems.` },
      { p: `As ${role} you can ${ROLES[role].may}.` },
      { link: "Sign in", to: link, strong: true },
      { p: `The link works once, until ${whenInWords(until, organization.timezone)}.` },
      { p: `After that, have a new link mailed to ${email} here:` },
      { link: "Sign in with your address", to: `${hub}/sign-in` },
      NOT_EXPECTED,
    ],
  });
}

/** `made`: at least one. */
export function wordsOfSignIn(made: readonly (Membership & { readonly link: string })[]): MailWords {
  const names = made.map(({ organization }) => headerText(organization.name, NAME_LENGTH));
  const links = made.map(({ link }, i): Block => ({ link: `Sign in to ${names[i]}`, to: link, strong: true }));
  const isOne = made.length === 1;
  return layOut({
    subject: isOne ? `${names[0]}: your link to sign in` : "Your links to sign in to Muster",
    blocks: [
      {
        p: isOne
          ? `You asked for a link to Muster for ${names[0]}.`
          : "You asked for a link to Muster. There is one for each of your organizations.",
      },
      ...links,
      { p: isOne ? "It works once, within 15 minutes." : "Each works once, within 15 minutes." },
      NOT_EXPECTED,
    ],
  });
}

const NOT_EXPECTED: Block = {
  small: "If you did not expect this mail, you need not do anything. Do not forward it: who has the link can sign in.",
};
