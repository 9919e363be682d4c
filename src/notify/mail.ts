/** The words of a mail: what happened in, subject, plain text and HTML out. No I/O, no clock. */
import type { MAIL_TYPES, MailFacts } from "../store/notify/schema-mails.ts";
import { headerText } from "./header-text.ts";
import { layOut, type MailWords, type Words } from "./mail-layout.ts";
import type { AboutRun } from "./about-run.ts";
import { QUIET_UNTIL_SUCCESS, wordsOfRun } from "./mail-run.ts";
import { count, whenInWords } from "./words.ts";

export interface MailInput {
  readonly type: (typeof MAIL_TYPES)[number];
  readonly facts: MailFacts;
  readonly organization: { readonly name: string; readonly timezone: string };
  /** Null: the mail is not about a run. */
  readonly about: AboutRun | null;
}

export function composeMail(input: MailInput): MailWords {
  const { type, facts, organization, about } = input;
  const { subject, blocks } = about === null
    ? wordsWithoutRun(facts, organization)
    : wordsOfRun(type, facts, organization.timezone, about);
  const signature = { small: `Muster writes to you as the technical contact of ${organization.name}.` };
  return layOut({ subject, blocks: [...blocks, signature] });
}

function wordsWithoutRun(facts: MailFacts, organization: MailInput["organization"]): Words {
  const { overdue, visits, notUsed, endpoint, retention, test, again = false, failures = 0 } = facts;
  if (test !== undefined) return wordsOfTest(organization.name, test.connection);
  if (retention !== undefined) return wordsOfRetention(organization.name, retention);
  if (overdue !== undefined) {
    const feed = headerText(overdue.connection, 60);
    return {
      subject: `${feed}: ${again ? "still has not come" : "has not come"}`,
      blocks: [
        {
          p: `Nothing has come for "${feed}" that was expected by ${
            whenInWords(overdue.since, organization.timezone)
          }.`,
        },
        { p: "The people in it stay as they are; changes since then are missing." },
        { p: "Look at the system that should have sent it, or at the connection's schedule." },
      ],
    };
  }
  if (notUsed !== undefined) {
    return {
      subject: `${headerText(notUsed.connection, 60)}: "${headerText(notUsed.file, 60)}" was not used`,
      blocks: [
        { p: `This is about the file "${notUsed.file}".` },
        { p: `${notUsed.why}.` },
        { p: "You get this mail because its server does not let a note be written beside it." },
      ],
    };
  }
  if (visits !== undefined) return wordsOfVisits(headerText(visits.connection, 60), visits.message, failures, again);
  const { id = "", url = "", reason = "" } = endpoint ?? {};
  return {
    subject: `${organization.name}: a webhook endpoint is switched off`,
    blocks: [
      { p: `Muster sends nothing any more to the webhook endpoint ${url} (${id}).` },
      { p: `Why: ${reason}` },
      { p: "Correct the receiver, then enable the endpoint again; missed events can be replayed." },
    ],
  };
}

function wordsOfTest(organization: string, connection: string | null): Words {
  const what = connection === null ? organization : headerText(connection, 60);
  return {
    subject: `${what}: a test of the mails from Muster`,
    blocks: [
      { p: `Somebody wants to know whether mails about ${what} reach you. This one has, so you need not do anything.` },
      { p: "Muster writes to you when a run waits for a decision, rows could not be used, or a feed does not work." },
    ],
  };
}

function wordsOfRetention(organization: string, { people, limit }: NonNullable<MailFacts["retention"]>): Words {
  return {
    subject: `${organization}: ${count(people, "leaver")} would be erased at once`,
    blocks: [
      { p: `${count(people, "person", "people")} left so long ago that they are due for erasure.` },
      { p: `At most ${limit} are erased at once without approval, so nobody has been erased.` },
      { p: "Look at who they are, and whether that many should be due. Then an admin approves it through the API." },
      { p: "If that is too many, check when these people left, and after how many months leavers are erased." },
    ],
  };
}

/** `message`: why the server's files cannot be taken; null: they can be again. */
function wordsOfVisits(feed: string, message: string | null, failures: number, again: boolean): Words {
  if (message === null) {
    return {
      subject: `${feed}: works again`,
      blocks: [
        { p: `The server of "${feed}" works again, after ${count(failures, "failed visit")} in a row.` },
        { p: "Its complete files are taken now." },
      ],
    };
  }
  return {
    subject: again ? `${feed}: still fails` : `${feed}: has failed ${count(failures, "time")} in a row`,
    blocks: [
      { p: `No file of "${feed}" can be taken: ${count(failures, "visit")} in a row have failed.` },
      { p: `Why: ${message}` },
      { p: `Visits go on. ${QUIET_UNTIL_SUCCESS}` },
    ],
  };
}
