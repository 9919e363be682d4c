/**
 * Answers on a run's page to whether a row is about the same person or somebody new, and taking an answer back. As with
 * run-page-decisions.ts, the first POST only asks; the second, from the form of that question, decides, if the person is
 * still as shown.
 */
import type { Context } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { isUniqueViolation } from "../../store/conflict.ts";
import { findOrganization } from "../../store/organizations.ts";
import { acceptRow, releaseUser, takeBackAcceptance, takeBackRelease } from "../../store/people/identities.ts";
import { findContradiction } from "../../store/runs/contradictions.ts";
import { type OpenedLink, openOrRefuse } from "../api/links.ts";
import { byLink } from "../kit/authorize.ts";
import { describe, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { type Question, questionsOf } from "./contradictions.ts";
import { answerPage } from "./frame.ts";
import { answerRunPage, pathOf, placeOfRows } from "./run-page-answer.ts";
import { DECIDED_ON_PAGE, readForm } from "./run-page-decisions.ts";
import { IDENTITY_ANSWERS, type IdentityAnswer, mayAnswer, type RunPage } from "./run-page-model.ts";
import { backTo, viewIdentityConfirmation } from "./run-view-contradictions.ts";

const FORM = z.strictObject({
  row: z.string().meta({ description: "The row's place in the input, from the page", examples: ["0"] }),
  version: z.string().meta({ description: "The version of the person that was shown", examples: ["3"] }),
  answer: z.enum(IDENTITY_ANSWERS),
  confirmed: z.literal("yes").optional().meta({ description: "Without it, the answer asks for confirmation" }),
});

export const answerIdentity = route(
  describe("answerIdentityOnPage", "Say on the run's page who a row is about", DECIDED_ON_PAGE, {
    description:
      "The form of the page: the row is the same person's, or somebody new's, or that is taken back; `confirmed=yes` decides. The link has to allow approving.",
    body: { required: true, content: { "application/x-www-form-urlencoded": FORM } },
    pages: true,
  }),
  async (c) => {
    const opened = await openOrRefuse(c, ["page"]);
    if (opened instanceof Response) return opened;
    if (!mayAnswer(opened.terms)) {
      throw new Fault("forbidden", "This link shows the run and cannot decide who a row is about");
    }
    const form = await readForm(c);
    const answer = IDENTITY_ANSWERS.find((each) => each === form.get("answer"));
    const question = await findQuestion(c, opened, form.get("row") ?? "");
    if (answer === undefined || question === null) return await answerRunPage(c, opened, 409, GONE);
    if (question.there === null) {
      throw new Fault("forbidden", "This link does not show the person whom the row is about");
    }
    const refusal = refusalOf(question, answer, form.get("version") ?? "");
    if (refusal !== null) return await answerRunPage(c, opened, 409, refusal);
    if (form.get("confirmed") !== "yes") return await ask(c, opened, question, answer);
    return await decide(c, opened, question, answer);
  },
);

type Refusal = NonNullable<RunPage["notice"]>;

const GONE: Refusal = {
  title: "There is nothing to decide",
  text: "The row is not, or no longer, among those of this run that somebody has to decide about.",
};

const CHANGED: Refusal = {
  title: "The person has changed",
  text: "The record is no longer as you saw it, so nothing was decided. Please look at it again below.",
};

const TAKEN: Refusal = {
  title: "It cannot be undone any more",
  text: "Somebody else has the id or address by now. Your Muster administrator can free it first.",
};

async function findQuestion(c: Context<Env>, { found, terms }: OpenedLink, row: string): Promise<Question | null> {
  const { db } = c.get("hub"), { organizationId, id } = found.run;
  if (!/^\d{1,15}$/.test(row) || found.connection === null) return null;
  const contradiction = await findContradiction(db, organizationId, id, Number(row));
  return contradiction === null ? null : (await questionsOf(db, found, terms, [contradiction]))[0]!;
}

/** Why this cannot be answered as things are now; null: it can. */
function refusalOf({ decision, there, isMoot }: Question, answer: IdentityAnswer, version: string): Refusal | null {
  if (isMoot) return GONE;
  if (answer === "undo" && decision === null) {
    return { title: "There is nothing to undo", text: "Nothing is decided about this row, or it was undone already." };
  }
  if (answer !== "undo" && decision !== null) {
    return { title: "It is decided already", text: "See below what was decided. Undo that first to decide otherwise." };
  }
  return String(there!.version) === version ? null : CHANGED;
}

async function ask(c: Context<Env>, { found }: OpenedLink, question: Question, answer: IdentityAnswer) {
  const organization = await findOrganization(c.get("hub").db, found.run.organizationId);
  return await answerPage(c, {
    title: answer === "undo" ? "Undo?" : "Who is it?",
    organization: organization?.name ?? null,
    main: viewIdentityConfirmation({ question, answer, path: pathOf(c), after: placeOfRows(c) }),
  });
}

async function decide(c: Context<Env>, opened: OpenedLink, question: Question, answer: IdentityAnswer) {
  try {
    const isDone = await write(c, question, answer);
    if (!isDone) return await answerRunPage(c, opened, 409, CHANGED);
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    return await answerRunPage(c, opened, 409, TAKEN);
  }
  return c.redirect(backTo(pathOf(c), placeOfRows(c), question.n), 303);
}

/** False when the person has changed meanwhile. */
async function write(
  c: Context<Env>,
  { row, there, decision }: Question,
  answer: IdentityAnswer,
): Promise<boolean> {
  const { db, now } = c.get("hub"), by = byLink(c, "page"), user = there!;
  if (answer === "release") return await releaseUser(db, user, row, now(), by);
  if (answer === "undo" && decision!.kind === "release") return await takeBackRelease(db, user, decision!, now(), by);
  if (answer === "accept") await acceptRow(db, user, row, now(), by);
  else await takeBackAcceptance(db, user.user, decision!, now(), by);
  return true;
}
